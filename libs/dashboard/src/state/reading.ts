import { ApiError, get } from '../api/client.ts';

/** At least so long between two answers, however often something changed meanwhile. */
const PACE_MS = 900;
const RETRY_MS = 2_000;

export interface Answered<T> {
  readonly data: T | undefined;
  readonly error: ApiError | undefined;
}

/** One path, read now and again. A change never cancels a read that is under way, or a fast chain would let none of them end. */
export class Reading<T> {
  readonly #path: string;
  readonly #everyMs: number | undefined;
  readonly #answered: (answer: Answered<T>) => void;
  readonly #ended = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #busy = false;
  #wanted = false;
  #filled = false;
  #endedAt = 0;

  constructor(path: string, everyMs: number | undefined, answered: (answer: Answered<T>) => void) {
    this.#path = path;
    this.#everyMs = everyMs;
    this.#answered = answered;
    document.addEventListener('visibilitychange', () => this.#wanted && !this.#busy && this.again(), { signal: this.#ended.signal });
    void this.#read();
  }

  /** Soon, and once for many calls. */
  again(): void {
    this.#wanted = true;
    if (!this.#busy) this.#later(Math.max(0, this.#endedAt + PACE_MS - Date.now()));
  }

  close(): void {
    this.#ended.abort();
    clearTimeout(this.#timer);
  }

  #later(ms: number): void {
    if (this.#ended.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(), ms);
  }

  async #read(): Promise<void> {
    // Nobody looks: what is shown may be old, but a page opened in a tab behind must find its content there.
    if (document.hidden && this.#filled) {
      this.#wanted = true;
      return;
    }
    this.#busy = true;
    this.#wanted = false;
    const answer = await this.#ask();
    this.#busy = false;
    if (this.#ended.signal.aborted) return;
    this.#endedAt = Date.now();
    this.#filled = answer.data !== undefined;
    this.#answered(answer);
    if (this.#wanted) this.again();
    else if (this.#everyMs !== undefined) this.#later(this.#everyMs);
    else if (answer.error !== undefined && !answer.error.refused) this.#later(RETRY_MS);
  }

  async #ask(): Promise<Answered<T>> {
    try {
      return { data: await get<T>(this.#path, this.#ended.signal), error: undefined };
    } catch (error) {
      return { data: undefined, error: error instanceof ApiError ? error : new ApiError(String(error), 0) };
    }
  }
}
