import type { Clock } from '#platform/kernel';

const LONGEST_MS = 3_600_000;
const SUPERSEDED = new Error('superseded');

/** One timer, for the soonest of all that is waited for. May ring too early: whoever it wakes looks and sets it again. */
export class Alarm {
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #ring: () => void;
  #at = Infinity;
  #stop: AbortController | undefined;

  constructor(clock: Clock, now: () => number, ring: () => void) {
    this.#clock = clock;
    this.#now = now;
    this.#ring = ring;
  }

  /** Rings at this time at the latest. */
  set(at: number): void {
    if (at >= this.#at) return;
    this.#stop?.abort(SUPERSEDED);
    const stop = new AbortController();
    this.#stop = stop;
    this.#at = at;
    const ms = Math.min(LONGEST_MS, Math.max(0, Math.ceil(at - this.#now())));
    this.#clock.sleep(ms, stop.signal).then(
      () => this.#rings(stop),
      () => undefined,
    );
  }

  stop(): void {
    this.#stop?.abort(SUPERSEDED);
    this.#stop = undefined;
    this.#at = Infinity;
  }

  #rings(stop: AbortController): void {
    if (this.#stop !== stop) return;
    this.#stop = undefined;
    this.#at = Infinity;
    this.#ring();
  }
}
