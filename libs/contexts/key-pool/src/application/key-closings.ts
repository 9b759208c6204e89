import type { KeySighting, Limit, Tariff } from '../contracts/index.ts';
import type { ClosedState } from '../domain/api-key.events.ts';
import { resetAfter } from '../domain/api-key-state.ts';

export interface Closing {
  readonly state: ClosedState;
  /** Milliseconds since the epoch; null: for good. */
  readonly until: number | null;
  readonly message: string;
}

/** One odd answer is no verdict: a key is revoked when it is refused again after so long. */
const SECOND_LOOK_MS = 1_000;
const UNKNOWN_QUOTA_MS = 3_600_000;
/** A key that is throttled again and again, without a good answer in between, has pauses that double up to this. */
const LONGEST_THROTTLE_MS = 60_000;
const BY_MONTH = /month|capacity/i;

/** What a sighting of a key closes it for, and until when. */
export class KeyClosings {
  readonly #suspected = new Map<string, number>();
  /** Throttlings in a row; those of one pause, which several holders may meet, count once. */
  readonly #throttled = new Map<string, { readonly times: number; readonly until: number }>();

  /** It is tried again: if it is refused, that is the second look. */
  reopened(key: string, now: number): void {
    this.#suspected.set(key, now - SECOND_LOOK_MS);
  }

  /** Undefined: nothing. A key under suspicion is left alone for a moment. */
  of(sighting: KeySighting, tariff: Tariff, now: number): Closing | undefined {
    const { key, seen, waitMs = 0, message = '', skewMs = 0 } = sighting;
    switch (seen) {
      case 'well':
        this.#suspected.delete(key);
        this.#throttled.delete(key);
        return undefined;
      case 'throttled':
        return { state: 'throttled', until: now + Math.max(waitMs, this.#pauseMs(key, refillMs(tariff), now)), message };
      case 'exhausted':
        return { state: 'exhausted', until: exhaustedUntil(tariff.limits, message, now + skewMs, waitMs) - skewMs, message };
      case 'revoked': {
        const since = this.#suspected.get(key);
        if (since !== undefined && now - since >= SECOND_LOOK_MS) {
          this.#suspected.delete(key);
          return { state: 'revoked', until: null, message };
        }
        if (since === undefined) this.#suspected.set(key, now);
        return { state: 'throttled', until: (since ?? now) + SECOND_LOOK_MS, message };
      }
    }
  }

  #pauseMs(key: string, refill: number, now: number): number {
    const before = this.#throttled.get(key) ?? { times: 0, until: 0 };
    const times = now < before.until ? Math.max(1, before.times) : before.times + 1;
    const pause = Math.max(refill, Math.min(LONGEST_THROTTLE_MS, refill * 2 ** Math.min(times - 1, 20)));
    this.#throttled.set(key, { times, until: Math.max(before.until, now + pause) });
    return pause;
  }
}

function refillMs({ limits, slackMs }: Tariff): number {
  return Math.max(0, ...limits.map((limit) => (limit.kind === 'rolling' ? limit.windowMs : 0))) + slackMs;
}

/** By the provider's clock: the reset of the quota that its words mean. */
function exhaustedUntil(limits: readonly Limit[], message: string, now: number, waitMs: number): number {
  const periods = limits.flatMap((limit) => (limit.kind === 'calendar' ? [limit.period] : []));
  const meant = BY_MONTH.test(message) ? 'month' : 'day';
  const period = periods.includes(meant) ? meant : periods[0];
  return period === undefined ? now + Math.max(waitMs, UNKNOWN_QUOTA_MS) : resetAfter(period, now);
}
