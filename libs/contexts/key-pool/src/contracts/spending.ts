import type { Cost } from '../domain/tariff.ts';

/** The head always goes first. */
export type SpendingLane = 'head' | 'backfill';

/** Of one request: one HTTP request or one message over a WebSocket, with one call or a batch of them. */
export interface SpendingAsk {
  readonly provider: string;
  readonly cost: Cost;
  /** For the accounts of what was spent on what. */
  readonly calls: Readonly<Record<string, number>>;
  /** Decimal; `''` where it is not known yet. Chains have turns one after the other. */
  readonly chainId: string;
  readonly lane: SpendingLane;
  /** At most so long in the queue; left out: as long as there is hope. */
  readonly patienceMs?: number;
  /** Only this key: a connection that is held on it. */
  readonly key?: string;
  /** Keys that were tried for this request already. */
  readonly not?: readonly string[];
}

/** The right to send one request on one key, once. */
export interface Permit {
  readonly id: number;
  /** Alias of the key. */
  readonly key: string;
  /** On the time line of `sharedNow`: from then on nothing may be sent on it, it is settled as unspent. */
  readonly validUntil: number;
}

/** What an answer means for the key that it came on. */
export type AnswerClass = 'ok' | 'throttled' | 'exhausted' | 'revoked' | 'down' | 'other';

export type SpendingOutcome =
  /** Nothing was sent: the units are free again. */
  | { readonly kind: 'unspent' }
  /** Times on the time line of `sharedNow`. */
  | {
      readonly kind: 'answered';
      readonly class: AnswerClass;
      readonly sentAt: number;
      readonly answeredAt: number;
      /** What the provider asks for. */
      readonly waitMs?: number;
      /** Milliseconds since the epoch, of its Date header. */
      readonly providerTime?: number;
      /** The provider's words where it refused, without secrets. */
      readonly message?: string;
      /** Of `revoked`: only this one of several credentials is refused; the key goes on with the others. */
      readonly hasAnother?: true;
    }
  /** It may have been counted; nobody can say. */
  | { readonly kind: 'unanswered'; readonly sentAt: number };

/** What one process may spend on keys. Books before it hands out; nobody sends to a provider without a permit of it. */
export interface KeyPurse {
  /**
   * A turn on the key that suits best. Throws `no-budget` (kind throttled, `waitMs` in its facts) when no key of the provider can serve it within its
   * patience, or ever; `provider-down` while its circuit is open; `draining` at the end.
   */
  acquire(ask: SpendingAsk, signal?: AbortSignal): Promise<Permit>;
  /** Each permit exactly once. */
  settle(permit: Permit, outcome: SpendingOutcome): void;
  /** What a subscription on a key cost without being asked for; `uncertain`: nobody can say whether it was counted. */
  accrue(key: string, cost: Cost, chainId: string, what: string, uncertain?: boolean): void;
}

/** Milliseconds on a monotonic time line that all threads of this process share. */
export function sharedNow(): number {
  return performance.timeOrigin + performance.now();
}
