import type { Clock } from '#platform/kernel';

interface Sleeper {
  readonly at: number;
  wake(): void;
}

/** A clock that stands still until the test moves it. Wall and monotonic time move together, unless the wall is set. */
export class ManualClock implements Clock {
  #monotonic = 0;
  #wall: number;
  #sleepers: Sleeper[] = [];

  constructor(startsAt: number | string = '2024-01-01T00:00:00.000Z') {
    this.#wall = typeof startsAt === 'number' ? startsAt : Date.parse(startsAt);
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  /** How many wait for the clock now. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason as Error);
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const sleeper: Sleeper = { at: this.#monotonic + ms, wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  /** Moves time on, waking sleepers in their order; what they then do has run (I/O excepted) when this resolves. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settled();
    for (let next = this.#nextUntil(end); next !== undefined; next = this.#nextUntil(end)) {
      this.#move(next.at);
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      next.wake();
      await settled();
    }
    this.#move(end);
    await settled();
  }

  /** The wall jumps, as after a correction by NTP; nobody wakes. */
  setWall(to: number | string): void {
    this.#wall = typeof to === 'number' ? to : Date.parse(to);
  }

  #nextUntil(end: number): Sleeper | undefined {
    return this.#sleepers.filter((sleeper) => sleeper.at <= end).sort((a, b) => a.at - b.at)[0];
  }

  #move(to: number): void {
    this.#wall += to - this.#monotonic;
    this.#monotonic = to;
  }
}

/** Lets everything run that needs no I/O. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
