import type { AnswerClass, KeySighting } from '../contracts/index.ts';
import { AnswerTimes } from '../domain/answer-times.ts';
import { LearnedSlack } from '../domain/learned-slack.ts';

type ClosedState = 'throttled' | 'exhausted' | 'revoked' | 'down';

/** What a holder knows of a key, whichever lease it has on it. Times of `sharedNow`. */
export class HeldKey {
  readonly alias: string;
  readonly answers = new AnswerTimes();
  readonly slack: LearnedSlack;
  inFlight = 0;
  /** When a subscription on it brought something last. */
  pushedAt = -Infinity;
  /** Place in the order of use. */
  lastTurn = 0;
  #closed: { readonly state: ClosedState; readonly until: number } | undefined;
  /** Of the refusal that was told last, while no good answer came since. */
  #refusedAt: number | undefined;
  #failures = 0;
  #skewTold = 0;
  #skew: number | undefined;

  constructor(alias: string, slackMs: number) {
    this.alias = alias;
    this.slack = new LearnedSlack(slackMs);
  }

  closed(now: number): { readonly state: ClosedState; readonly until: number } | undefined {
    if (this.#closed !== undefined && this.#closed.until <= now) this.#closed = undefined;
    return this.#closed;
  }

  /** Until the end of what it is closed for already, where that is later. */
  close(state: ClosedState, until: number): void {
    if (until > (this.#closed?.until ?? -Infinity)) this.#closed = { state, until };
  }

  /** What the desk says is what holds; of a throttling and a failure we know ourselves. */
  told(closed: { readonly state: ClosedState; readonly until: number } | undefined): void {
    if (closed !== undefined) this.#closed = closed;
    else if (this.#closed?.state === 'exhausted' || this.#closed?.state === 'revoked') this.#closed = undefined;
  }

  /** What the desk must know of this answer, undefined: nothing new. */
  sighting(seen: AnswerClass, { sentAt, waitMs, message, skewMs }: { readonly sentAt: number; readonly waitMs?: number | undefined; readonly message?: string | undefined; readonly skewMs: number | undefined }, now: number): KeySighting | undefined {
    const skew = this.#skewNews(skewMs);
    if (seen === 'ok') {
      this.#failures = 0;
      const isBack = this.#refusedAt !== undefined && sentAt > this.#refusedAt;
      if (isBack) this.#refusedAt = undefined;
      return isBack || skew !== undefined ? { key: this.alias, seen: 'well', ...skew } : undefined;
    }
    if (seen !== 'throttled' && seen !== 'exhausted' && seen !== 'revoked') return undefined;
    // Many that were under way together are refused together; a key is revoked when a second answer says so too.
    if (seen !== 'revoked' && this.#closed?.state === seen && this.#refusedAt !== undefined && sentAt <= this.#refusedAt) return undefined;
    this.#refusedAt = now;
    return { key: this.alias, seen, ...(waitMs === undefined ? {} : { waitMs }), ...(message === undefined ? {} : { message }), ...skew };
  }

  /** No answer of its own: after a few in a row it has a pause, so that the others are used. */
  failed(now: number): void {
    this.#failures += 1;
    if (this.#failures < IN_A_ROW) return;
    this.close('down', now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures - IN_A_ROW, 10)));
  }

  #skewNews(skewMs: number | undefined): { readonly skewMs: number } | undefined {
    if (skewMs === undefined) return undefined;
    this.#skew = this.#skew === undefined ? skewMs : this.#skew + (skewMs - this.#skew) / 8;
    const rounded = Math.round(this.#skew);
    if (Math.abs(rounded - this.#skewTold) < SKEW_NEWS_MS) return undefined;
    this.#skewTold = rounded;
    return { skewMs: rounded };
  }
}

const IN_A_ROW = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** A Date header tells whole seconds. */
const SKEW_NEWS_MS = 1_500;
