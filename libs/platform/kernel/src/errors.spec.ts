import { ChainfoldError } from './errors.ts';
import { unreachable } from './unreachable.ts';

class BlockMissing extends ChainfoldError {
  constructor(number: number, cause?: unknown) {
    super('The block is not here', { code: 'block-missing', kind: 'missing', facts: { number }, hint: 'Ask for a backfill.', cause });
  }
}

describe('an error of ours', () => {
  it('says what, which, and the way out, under the name of its class', () => {
    const error = new BlockMissing(7, new Error('disk'));
    expect(error).toMatchObject({ name: 'BlockMissing', message: 'The block is not here', code: 'block-missing', kind: 'missing', facts: { number: 7 }, hint: 'Ask for a backfill.' });
    expect(error.cause).toEqual(new Error('disk'));
    expect(error.stack).toContain('errors.spec');
  });

  it('is not worth a retry, and has neither facts nor cause, unless it says so', () => {
    const error = new ChainfoldError('No', { code: 'no', kind: 'conflict' });
    expect([error.retryable, error.facts, error.hint, 'cause' in error]).toEqual([false, {}, undefined, false]);
    expect(new ChainfoldError('Later', { code: 'later', kind: 'throttled', retryable: true }).retryable).toBe(true);
  });
});

describe('the end of a switch', () => {
  it('throws when data brings a case that the types did not know', () => {
    expect(() => unreachable({ type: 'New' } as never)).toThrow('unreachable: {"type":"New"}');
  });
});
