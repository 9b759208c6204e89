import { ChainfoldError } from '#platform/kernel';
import { explain } from './boot-failure.ts';

describe('an error in words', () => {
  const others = Object.assign(new TypeError('Invalid URL: wss://host/hunter2'), { input: 'host/hunter2' });

  it.each([
    ['of others', others],
    ['of ours', new ChainfoldError('It failed', { code: 'it-failed', kind: 'unavailable', cause: others })],
  ])('shows no key in an address that somebody else tells of: %s', (_whose, error) => {
    expect(explain(error)).toContain('wss://host/[masked]');
    expect(explain(error)).not.toContain('hunter2');
  });
});
