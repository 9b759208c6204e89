import { randomInt } from 'node:crypto';
import { type Cost, type KeyPurse, type Permit, type SpendingAsk, type SpendingOutcome, type Tariff, sharedNow } from '../contracts/index.ts';
import { UnknownProvider } from '../domain/spending.errors.ts';
import type { KeyView } from './key-view.ts';
import { ProviderPurse, type PurseOptions } from './provider-purse.ts';

export interface LeasedPurseOptions extends Omit<PurseOptions, 'sharedNow' | 'random'> {
  /** By name of the provider. */
  readonly tariffs: ReadonlyMap<string, Tariff>;
  readonly sharedNow?: () => number;
  /** At least 0, below 1. */
  readonly random?: () => number;
}

/** Spends what the desk leased to this process, and nothing else: when the desk is silent, nothing beyond what is leased and valid. */
export class LeasedPurse implements KeyPurse {
  readonly #providers = new Map<string, ProviderPurse>();
  readonly #log: LeasedPurseOptions['log'];

  constructor({ tariffs, sharedNow: now = sharedNow, random = drawn, ...options }: LeasedPurseOptions) {
    let permits = 0;
    const nextId = (): number => (permits += 1);
    for (const [provider, tariff] of tariffs) this.#providers.set(provider, new ProviderPurse(tariff, { ...options, sharedNow: now, random }, nextId));
    this.#log = options.log;
  }

  async acquire(ask: SpendingAsk, signal?: AbortSignal): Promise<Permit> {
    const provider = this.#providers.get(ask.provider);
    if (provider === undefined) throw new UnknownProvider(ask.provider, [...this.#providers.keys()]);
    return provider.acquire(ask, signal);
  }

  settle(permit: Permit, outcome: SpendingOutcome): void {
    for (const provider of this.#providers.values()) if (provider.settle(permit, outcome)) return;
    this.#log.error({ key: permit.key, outcome: outcome.kind }, 'a permit was settled twice, or too late');
  }

  accrue(key: string, cost: Cost, chainId: string, what: string, uncertain = false): void {
    for (const provider of this.#providers.values()) if (provider.accrue({ key, cost, chainId, what, uncertain })) return;
    this.#log.error({ key, what }, 'a key that was never leased brought something');
  }

  reopened(key: string): void {
    for (const provider of this.#providers.values()) provider.reopened(key);
  }

  /** Every key that this process has heard of. */
  keys(): readonly KeyView[] {
    return [...this.#providers.values()].flatMap((provider) => provider.keys());
  }

  /** Waits a moment for what is under way, then gives everything back. */
  async close(): Promise<void> {
    await Promise.all([...this.#providers.values()].map((provider) => provider.close()));
  }
}

function drawn(): number {
  return randomInt(2 ** 32) / 2 ** 32;
}
