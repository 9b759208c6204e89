/** Heads are hints: only the newest few matter, so the oldest leave when nobody takes them. */
const MOST_WAITING = 64;

/** Announcements between the socket that brings them and the one reader that takes them. */
export class HeadQueue {
  readonly #waiting: unknown[] = [];
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  push(head: unknown): void {
    this.#waiting.push(head);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#error = error;
    this.#wake?.();
  }

  /** Ends quietly when the signal is aborted, with the error when the connection is lost. */
  async *drain(signal: AbortSignal): AsyncIterable<unknown> {
    const wake = (): void => this.#wake?.();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        if (this.#waiting.length > 0) yield this.#waiting.shift();
        else if (this.#error !== undefined) throw this.#error;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }
}
