import { ChainfoldError } from '#platform/kernel';

/** No key of the provider can serve the request soon enough. */
export class NoBudget extends ChainfoldError {
  /** Worth asking again not before. */
  readonly waitMs: number;

  constructor(provider: string, waitMs: number, why: Readonly<Record<string, string>>, hint = 'It goes on by itself when a key has budget again; more keys of this provider, or another provider, make it sooner.') {
    super('No key of the provider has budget for the request', { code: 'no-budget', kind: 'throttled', retryable: true, facts: { provider, waitMs, why: { ...why } }, hint });
    this.waitMs = waitMs;
  }
}

/** Its keys failed again and again: it is left alone, and tried by single requests. */
export class ProviderDown extends ChainfoldError {
  readonly waitMs: number;

  constructor(provider: string, waitMs: number) {
    super('The provider is down', {
      code: 'provider-down',
      kind: 'unavailable',
      retryable: true,
      facts: { provider, waitMs },
      hint: 'It is tried again by itself; configure a second provider so that capturing goes on meanwhile.',
    });
    this.waitMs = waitMs;
  }
}

export class PurseDraining extends ChainfoldError {
  constructor(provider: string) {
    super('Nothing is spent any more, the process ends', { code: 'draining', kind: 'unavailable', retryable: true, facts: { provider } });
  }
}

export class UnknownProvider extends ChainfoldError {
  constructor(provider: string, known: readonly string[]) {
    super('No such provider of keys', { code: 'unknown-provider', kind: 'invalid', facts: { provider, known: [...known] }, hint: 'Add its file to config/providers.' });
  }
}
