import type { Clock } from '#platform/kernel';

interface Sleeper {
  readonly at: number;
  wake(): void;
}

/**
 * Runs so many times as fast as the machine's, for everything around it does real I/O; and can leap, so that a pause
 * of an hour costs nothing. Who sleeps over a leap wakes at once. Monotonic time never falls; what the wall shows jumps
 * and drifts as it is told, backwards too, and wakes nobody.
 */
export class SwiftClock implements Clock {
  readonly #speed: number;
  readonly #started = performance.now();
  readonly #sleepers = new Set<Sleeper>();
  #leapt = 0;
  #wall = { at: 0, shows: Date.parse('2024-01-01T00:00:00.000Z'), rate: 1 };

  constructor(speed: number) {
    this.#speed = speed;
  }

  /** How many wait for the clock now. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  now(): number {
    const { at, shows, rate } = this.#wall;
    return Math.round(shows + (this.monotonic() - at) * rate);
  }

  monotonic(): number {
    return (performance.now() - this.#started) * this.#speed + this.#leapt;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', stop);
        settle();
      };
      const stop = (): void => end(() => reject(signal?.reason as Error));
      const sleeper: Sleeper = { at: this.monotonic() + ms, wake: () => end(resolve) };
      const timer = setTimeout(() => sleeper.wake(), Math.min(ms / this.#speed, 2 ** 31 - 1));
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  leap(ms: number): void {
    this.#leapt += ms;
    const now = this.monotonic();
    for (const sleeper of [...this.#sleepers].sort((a, b) => a.at - b.at)) if (sleeper.at <= now) sleeper.wake();
  }

  jumpWall(ms: number): void {
    this.#wall = { ...this.#wall, at: this.monotonic(), shows: this.now() + ms };
  }

  /** From now on the wall goes so many times as fast as time; 0: it stands, below: it goes back. */
  driftWall(rate: number): void {
    this.#wall = { at: this.monotonic(), shows: this.now(), rate };
  }
}
