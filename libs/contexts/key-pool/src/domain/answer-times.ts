/** How long answers of one key take, of late. */
export class AnswerTimes {
  readonly #latest: number[] = [];
  readonly #sorted: number[] = [];
  #next = 0;

  add(ms: number): void {
    const oldest = this.#latest[this.#next];
    if (oldest !== undefined) this.#sorted.splice(placeOf(this.#sorted, oldest), 1);
    this.#sorted.splice(placeOf(this.#sorted, ms), 0, ms);
    this.#latest[this.#next] = ms;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** Nine in ten took at most so long; while few are known, what the quickest took. */
  get usualMs(): number {
    const few = this.#sorted.length < ENOUGH;
    return (few ? this.#sorted[0] : this.#sorted[Math.ceil(this.#sorted.length * 0.9) - 1]) ?? 0;
  }

  /** How much longer than usual; to be asked before it is added. */
  lateMs(ms: number): number {
    return Math.max(0, ms - this.usualMs);
  }
}

const KEPT = 50;
const ENOUGH = 10;

/** Of the first that is not smaller. */
function placeOf(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
