import { FrameInvalid, FrameReader, writeFrame } from './frame.ts';

const LIMITS = { json: 1_000, attachments: 2_000 };
const reader = (): FrameReader => new FrameReader(() => LIMITS);
const frame = (packet: unknown, attachments: readonly Uint8Array[] = []): Buffer => Buffer.concat(writeFrame(packet, attachments));

/** As `frame`, with what the head or the lengths say put otherwise. */
function head(json: number, attachments: number): Buffer {
  const bytes = frame(null).subarray(0, 12);
  bytes.writeUInt32BE(json, 4);
  bytes.writeUInt32BE(attachments, 8);
  return bytes;
}

function withLengths(lengths: unknown, bytes: number): Buffer {
  const json = Buffer.from(JSON.stringify([null, lengths]));
  return Buffer.concat([head(json.length, bytes), json, Buffer.alloc(bytes)]);
}

describe('frames of the wire', () => {
  it('come out as they went in, however they were cut on the way', () => {
    const sent = [
      { packet: { text: 'ä€😀', list: [1, null] }, attachments: [new Uint8Array([1, 2, 3]), new Uint8Array(0), new Uint8Array(900).fill(7)] },
      { packet: 'small', attachments: [] },
    ];
    const bytes = Buffer.concat(sent.map(({ packet, attachments }) => frame(packet, attachments)));
    for (const size of [1, 7, 12, 100, bytes.length]) {
      const one = reader();
      const got: unknown[] = [];
      for (let at = 0; at < bytes.length; at += size) got.push(...one.read(bytes.subarray(at, at + size)));
      expect(got).toEqual(sent);
      expect(one.waits).toBe(false);
    }
  });

  it.each([
    ['more JSON than may be', head(LIMITS.json + 1, 0)],
    ['more bytes than may be', head(10, LIMITS.attachments + 1)],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n')],
    ['a length below zero', withLengths([-1, 1], 0)],
    ['a length that is no number', withLengths(['5'], 5)],
    ['lengths that are more than there is', withLengths([6], 5)],
    ['lengths that are less than there is', withLengths([4], 5)],
    ['no list of lengths', withLengths(null, 0)],
  ])('are refused with %s, before more is waited for', (_, bytes) => {
    expect(() => [...reader().read(bytes)]).toThrow(FrameInvalid);
  });

  it('are taken up to the limit', () => {
    expect([...reader().read(frame('x', [new Uint8Array(LIMITS.attachments)]))]).toHaveLength(1);
  });
});
