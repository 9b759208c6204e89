/**
 * Whether a provider is worth asking. After several answers in a row that were none, over all its keys, it is left alone;
 * then single requests try it, after growing pauses. Any answer that it gave itself brings it back.
 */
export class ProviderCircuit {
  readonly #random: () => number;
  #failures = 0;
  #pauses = 0;
  #downUntil: number | undefined;
  /** The permit that tries it. */
  #probe: number | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  state(): 'up' | 'down' | 'probing' {
    if (this.#downUntil === undefined) return 'up';
    return this.#probe === undefined ? 'down' : 'probing';
  }

  admits(now: number): boolean {
    return this.#downUntil === undefined || (this.#probe === undefined && now >= this.#downUntil);
  }

  /** Until it is worth asking again. */
  waitMs(now: number): number {
    return this.#downUntil === undefined ? 0 : Math.max(LEAST_WAIT_MS, this.#downUntil - now);
  }

  granted(permit: number): void {
    if (this.#downUntil !== undefined) this.#probe = permit;
  }

  unspent(permit: number): void {
    if (this.#probe === permit) this.#probe = undefined;
  }

  /** True: it is back. */
  answered(): boolean {
    const wasDown = this.#downUntil !== undefined;
    this.#failures = 0;
    this.#pauses = 0;
    this.#downUntil = undefined;
    this.#probe = undefined;
    return wasDown;
  }

  /** True: it is down from now on. */
  failed(permit: number, now: number): boolean {
    if (this.#downUntil !== undefined) {
      if (this.#probe === permit) this.#pause(now);
      return false;
    }
    this.#failures += 1;
    if (this.#failures < IN_A_ROW) return false;
    this.#pause(now);
    return true;
  }

  #pause(now: number): void {
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#pauses);
    this.#probe = undefined;
    this.#pauses = Math.min(this.#pauses + 1, 20);
    // Many processes that saw the same do not come back at the same moment.
    this.#downUntil = now + pauseMs * (0.75 + this.#random() / 2);
  }
}

const IN_A_ROW = 5;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A probe is under way. */
const LEAST_WAIT_MS = 250;
