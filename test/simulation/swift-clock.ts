import type { Clock } from '#platform/kernel';

interface Sleeper {
  readonly at: number;
  wake(): void;
}

/**
 * Runs so many times as fast as the machine's, for everything around it does real I/O; and can leap, so that a pause
 * of an hour costs nothing. Who sleeps over a leap wakes at once.
 */
export class SwiftClock implements Clock {
  readonly #speed: number;
  readonly #started = performance.now();
  readonly #wallAtStart = Date.parse('2024-01-01T00:00:00.000Z');
  readonly #sleepers = new Set<Sleeper>();
  #leapt = 0;

  constructor(speed: number) {
    this.#speed = speed;
  }

  now(): number {
    return Math.round(this.#wallAtStart + this.monotonic());
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
}
