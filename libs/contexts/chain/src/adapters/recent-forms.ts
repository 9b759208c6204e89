/** Beyond this a form is made anew each time: one huge input must not push out thousands of others. */
const LARGEST_SHARE = 0.01;

/**
 * Forms of immutable rows that were shown lately, within so many bytes (as their makers estimate them). Lists are asked
 * for again and again while a chain grows, and making their rows, unpacking above all, is most of what an answer costs.
 * What is kept is shared between answers: nobody may change it.
 */
export class RecentForms {
  readonly #maxBytes: number;
  readonly #forms = new Map<string, { readonly form: object; readonly bytes: number }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `key` names the row in its generation: another generation may have been made by a better rule. */
  of<T extends object>(key: string, make: () => { readonly form: T; readonly bytes: number }): T {
    const known = this.#forms.get(key);
    if (known !== undefined) {
      this.#forms.delete(key);
      this.#forms.set(key, known);
      return known.form as T;
    }
    const made = make();
    if (made.bytes <= this.#maxBytes * LARGEST_SHARE) this.#keep(key, made);
    return made.form;
  }

  #keep(key: string, made: { readonly form: object; readonly bytes: number }): void {
    this.#forms.set(key, made);
    this.#bytes += made.bytes;
    for (const [oldest, { bytes }] of this.#forms) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#forms.delete(oldest);
      this.#bytes -= bytes;
    }
  }
}
