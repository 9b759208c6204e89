/** From asking to durable. Shorter, a metered node has turns that nobody takes; longer, what is asked only waits, and may be given up there. */
const WANTED_MS = 5_000;
const FIRST_BLOCKS = 64;
const MOST_BLOCKS = 16_384;

/**
 * How many blocks of a long range may be under way at once, learned from how long they take. Looked at once for each so
 * many that came: up to doubled while they come quickly, down to half where they wait long. So a metered provider is kept
 * busy by few asks, and what is paid for becomes durable soon.
 */
export class AskingWindow {
  #blocks = FIRST_BLOCKS;
  #came = 0;
  /** Of those that came, in sum. */
  #waitedMs = 0;

  get blocks(): number {
    return this.#blocks;
  }

  came(blocks: number, waitedMs: number): void {
    this.#came += blocks;
    this.#waitedMs += blocks * waitedMs;
    if (this.#came < this.#blocks) return;
    const factor = Math.min(2, Math.max(0.5, (WANTED_MS * this.#came) / Math.max(1, this.#waitedMs)));
    this.#blocks = Math.min(MOST_BLOCKS, Math.max(1, Math.round(this.#blocks * factor)));
    this.#came = 0;
    this.#waitedMs = 0;
  }
}
