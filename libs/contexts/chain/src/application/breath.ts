import { setImmediate } from 'node:timers/promises';

/** Longest stretch of computing before whoever waits for this thread has a turn. */
const STRETCH_MS = 4;

/** Lets requests and timers through while much is being computed. One per piece of work. */
export class Breath {
  #since = performance.now();

  async take(): Promise<void> {
    if (performance.now() - this.#since < STRETCH_MS) return;
    await setImmediate();
    this.#since = performance.now();
  }
}
