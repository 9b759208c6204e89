/** Growing pauses between tries: doubled each time up to a limit. Starts again after a success. */
export class BackOff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  #attempts = 0;

  constructor(firstMs: number, maxMs: number) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
  }

  get attempts(): number {
    return this.#attempts;
  }

  next(): number {
    const pause = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts += 1;
    return pause;
  }

  reset(): void {
    this.#attempts = 0;
  }
}
