import { ChainfoldError } from '#platform/kernel';

export class KeyUnknown extends ChainfoldError {
  constructor(alias: string, known: readonly string[]) {
    super(`There is no key ${alias}`, {
      code: 'key-unknown',
      kind: 'missing',
      facts: { alias, known: known.slice(0, 50) },
      hint: known.length === 0 ? 'No keys are configured: README, "Run on your own keys".' : 'GET /api/v1/keys lists them.',
    });
  }
}
