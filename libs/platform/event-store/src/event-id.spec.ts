import { createHash } from 'node:crypto';
import { streamName } from '#platform/kernel';
import { eventId } from './event-id.ts';

/** RFC 9562, 5.5, to the letter. */
function idOf(...parts: readonly (string | number)[]): string {
  const bytes = createHash('sha1').update(Buffer.from('3f1c5a0e8d6b5b8e9a4c7d2e61b0f9a3', 'hex')).update(parts.join('\n')).digest();
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

describe('the id of an event', () => {
  const chain = streamName('chain', '1');

  it('is a UUID of version 5 that never changes', () => {
    expect(eventId(chain, 0, 'ChainStarted', '')).toBe('99273057-9bdd-50cb-a16e-1908ca4eccb2');
    expect(eventId(chain, 0, 'ChainStarted', '')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('stays the same for names that are long or not ASCII', () => {
    expect(eventId(chain, 0, 'A', 'é'.repeat(40))).toBe(idOf('chain-1', 0, 'A', 'é'.repeat(40)));
    for (const length of [980, 985, 990, 995, 1_000, 1_005, 1_010, 5_000]) {
      expect(eventId(chain, 0, 'A', '€'.repeat(length / 3) + 'x'.repeat(length % 3))).toBe(idOf('chain-1', 0, 'A', '€'.repeat(length / 3) + 'x'.repeat(length % 3)));
      expect(eventId(chain, 0, 'A', 'x'.repeat(length))).toBe(idOf('chain-1', 0, 'A', 'x'.repeat(length)));
    }
  });

  it('differs by stream, revision, type and natural key', () => {
    const ids = [
      eventId(chain, 1, 'A', 'k'),
      eventId(streamName('chain', '10'), 1, 'A', 'k'),
      eventId(chain, 11, 'A', 'k'),
      eventId(chain, 1, 'B', 'k'),
      eventId(chain, 1, 'A', 'l'),
      eventId(chain, 1, 'A', ''),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});
