import { streamName } from '#platform/kernel';
import { eventId } from './event-id.ts';
import { jsonBytes } from './json-size.ts';

describe('the id of an event', () => {
  const chain = streamName('chain', '1');

  it('is a UUID of version 5 that never changes', () => {
    expect(eventId(chain, 0, 'ChainStarted', '')).toBe('99273057-9bdd-50cb-a16e-1908ca4eccb2');
    expect(eventId(chain, 0, 'ChainStarted', '')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
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

describe('the size of a value as JSON', () => {
  it.each([[{ a: [1, 2.5, -3], b: 'é "quoted" \\ \n', c: null, d: true, e: undefined, f: {} }], ['0xabc'], [[]], [[[], {}]]])('is not below that of its text: %j', (value) => {
    const exact = Buffer.byteLength(JSON.stringify(value));
    expect(jsonBytes(value)).toBeGreaterThanOrEqual(exact);
    expect(jsonBytes(value)).toBeLessThanOrEqual(exact + 10);
  });
});
