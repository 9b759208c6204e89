/** Lets the head pass: what is older waits while the head of its chain is being captured. */
export class HeadPriority {
  #busy = 0;
  #waiting: (() => void)[] = [];

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await work();
    } finally {
      this.#busy -= 1;
      if (this.#busy === 0) for (const go of this.#waiting.splice(0)) go();
    }
  }

  /** Resolves when no head work is going on, or after `atMostMs`, so a head that never rests starves nobody. */
  async clear(atMostMs = 1_000): Promise<void> {
    if (this.#busy === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, atMostMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
