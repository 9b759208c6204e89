import { streamName, type EventToAppend } from '#platform/kernel';
import { textOf } from './append-payload.ts';
import { writeAppend, writePackedAppend } from './append-text.ts';
import { enveloped, inAppends } from './envelope.ts';

const STREAM = streamName('note', '1');
const occasion = { recordedAt: '2026-01-01T00:00:00.000Z', correlationId: 'c', causationId: 'd' };
const event = (revision: number, text: string): ReturnType<typeof enveloped> => enveloped(STREAM, revision, 1, { type: 'Noted', data: { text } }, occasion);

describe('an append as text', () => {
  it.each([['plain'], ['é and € and 𝄞'], ['"quoted"\n\u0000'], ['\ud800 alone'], [''], ['long '.repeat(1_000)]])('is the same packed and as a string: %j', (text) => {
    const append = { stream: STREAM, expected: 'noStream' as const, events: [event(0, 'x'), event(1, text), event(2, 'y')] };
    const packed = writePackedAppend(append);
    expect({ ...packed, text: textOf(packed.text) }).toEqual(writeAppend(append));
  });

  it('is the same whether its events were sized before or not', () => {
    const { json: _json, bytes: _bytes, ...bare } = event(0, 'é');
    expect(writeAppend({ stream: STREAM, expected: 4, events: [bare satisfies EventToAppend] })).toEqual(writeAppend({ stream: STREAM, expected: 4, events: [event(0, 'é')] }));
  });

  it('is cut where the next event would not fit into an append', () => {
    const sizes = (events: readonly ReturnType<typeof event>[]): number[] => inAppends(events).map((each) => each.length);
    expect(sizes(Array.from({ length: 600 }, (_, at) => event(at, 'x')))).toEqual([256, 256, 88]);
    expect(sizes(Array.from({ length: 5 }, (_, at) => event(at, 'x'.repeat(250_000))))).toEqual([3, 2]);
    expect(sizes([event(0, 'x'.repeat(250_000))])).toEqual([1]);
  });
});
