import { type Cost, type KeyPurse, type Permit, sharedNow, type SpendingAsk, type SpendingOutcome } from '#contracts/key-pool';
import { NoBudget } from '../../libs/contexts/key-pool/src/domain/spending.errors.ts';

export interface Granted {
  readonly permit: Permit;
  readonly ask: SpendingAsk;
  readonly outcomes: SpendingOutcome[];
}

/** Gives everybody a turn, the keys one after the other, and remembers what became of each. */
export class RecordingPurse implements KeyPurse {
  readonly aliases: readonly string[];
  readonly granted: Granted[] = [];
  readonly asks: SpendingAsk[] = [];
  readonly accrued: { readonly key: string; readonly cost: Cost; readonly what: string; readonly uncertain: boolean }[] = [];
  /** Instead of a permit, where it throws; asked each time. */
  refuses: (ask: SpendingAsk) => Error | undefined = () => undefined;
  /** Nothing is to be had, and whoever asks waits until it is no longer wanted. */
  isEmpty = false;
  /** How long the next permit holds. */
  validMs: () => number = () => 60_000;
  #turn = 0;

  constructor(aliases: readonly string[]) {
    this.aliases = aliases;
  }

  async acquire(ask: SpendingAsk, signal?: AbortSignal): Promise<Permit> {
    signal?.throwIfAborted();
    this.asks.push(ask);
    const error = this.refuses(ask);
    if (error !== undefined) throw error;
    if (this.isEmpty) await new Promise((_, given) => signal?.addEventListener('abort', () => given(signal.reason as Error)));
    const free = this.aliases.filter((alias) => ask.not?.includes(alias) !== true && (ask.key ?? alias) === alias);
    const key = free[this.#turn % free.length];
    this.#turn += 1;
    if (key === undefined) throw new NoBudget(ask.provider, 700, { keys: 'all were tried' });
    const permit = { id: this.granted.length, key, validUntil: sharedNow() + this.validMs() };
    this.granted.push({ permit, ask, outcomes: [] });
    return permit;
  }

  settle(permit: Permit, outcome: SpendingOutcome): void {
    this.granted[permit.id]?.outcomes.push(outcome);
  }

  accrue(key: string, cost: Cost, _chainId: string, what: string, uncertain = false): void {
    this.accrued.push({ key, cost, what, uncertain });
  }

  /** Permits of a key that are out. */
  outOn(alias: string): number {
    return this.granted.filter(({ permit, outcomes }) => permit.key === alias && outcomes.length === 0).length;
  }

  /** What each permit ended with; `settled 0 times` where the count is wrong. */
  get outcomes(): readonly string[] {
    return this.granted.map(({ outcomes }) => {
      const [only] = outcomes;
      if (outcomes.length !== 1 || only === undefined) return `settled ${outcomes.length} times`;
      return only.kind === 'answered' ? only.class : only.kind;
    });
  }
}
