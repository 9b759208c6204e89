import { categoryOf, idOf, parseStreamName, streamName } from './stream-name.ts';

describe('the name of a stream', () => {
  it('ends its category at the first hyphen', () => {
    const stream = streamName('backfill', '1.0.99');
    expect(stream).toBe('backfill-1.0.99');
    expect([categoryOf(stream), idOf(stream)]).toEqual(['backfill', '1.0.99']);
  });

  it.each(['', 'chain', 'chain-', '-1', 'Chain-1', 'chain-A', 'chain-a b', `chain-${'a'.repeat(200)}`])(
    'is refused when it is %p',
    (text) => {
      expect(() => parseStreamName(text)).toThrow('not the name of a stream');
    },
  );
});
