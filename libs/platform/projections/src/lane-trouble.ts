import { toErrorMessage } from '#platform/kernel';
import { BackOff } from './back-off.ts';
import type { TooManyParkedKeys } from './projection.errors.ts';
import type { ProjectionSettings, ProjectionTrouble } from './projection-status.ts';

/** After so many tries in vain it counts as standing still. */
const ATTEMPTS_UNTIL_FAILED = 5;
const STANDS_STILL = new Set(['gap-detected', 'data-damaged', 'data-newer', 'position-ahead', 'foreign-position']);

/** What is wrong with a generation, since when, and how long to wait before the next try. */
export class LaneTrouble {
  readonly #backOff: BackOff;
  #current: ProjectionTrouble | undefined;

  constructor({ firstRetryMs, maxRetryMs }: ProjectionSettings) {
    this.#backOff = new BackOff(firstRetryMs, maxRetryMs);
  }

  get current(): ProjectionTrouble | undefined {
    return this.#current;
  }

  get standsStill(): boolean {
    return this.#current !== undefined && (STANDS_STILL.has(this.#current.code) || this.#current.attempts >= ATTEMPTS_UNTIL_FAILED);
  }

  /** Answers how long to wait, ms. */
  failed(error: unknown, now: number): number {
    const { code, message, hint } = toErrorMessage(error);
    const pause = this.#backOff.next();
    const since = this.#current?.code === code ? this.#current.since : now;
    this.#current = { code, message, hint, since, attempts: this.#backOff.attempts };
    return pause;
  }

  paused(error: TooManyParkedKeys, now: number): void {
    const { code, message, hint } = toErrorMessage(error);
    this.#current = { code, message: `${message}: ${JSON.stringify(error.facts)}`, hint, since: now, attempts: 1 };
  }

  /** A try went well: the next pause is the first again. */
  wentWell(): void {
    this.#backOff.reset();
  }

  clear(): void {
    this.#current = undefined;
  }
}
