/** Retries are at most about a tenth of the requests, plus a few: a bad provider causes no storm. */
export class RetryBudget {
  #left = FEW;

  requested(): void {
    this.#left = Math.min(FEW, this.#left + SHARE);
  }

  /** Whether one more is allowed, and then it is taken. */
  retry(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

const SHARE = 0.1;
const FEW = 10;
