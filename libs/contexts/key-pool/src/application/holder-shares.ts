/** A holder that said nothing for so long has no share any more. */
const SEEN_MS = 12_000;

export interface HolderSharesOptions {
  /** The holder of the desk's own process: it follows the heads, so there is always room for it. */
  readonly own: string | undefined;
  /** Into how many parts a key can be cut at most, each of use to its holder. */
  readonly mostParts: number;
}

/** Who holds leases of one provider's keys, who wants more, and how many are fair. */
export class HolderShares {
  readonly #own: string | undefined;
  readonly #mostParts: number;
  readonly #seen = new Map<string, { readonly at: number; readonly more: boolean; readonly leases: number }>();

  constructor({ own, mostParts }: HolderSharesOptions) {
    this.#own = own;
    this.#mostParts = mostParts;
  }

  note(holder: string, leases: number, more: boolean, now: number): void {
    for (const [name, { at }] of this.#seen) if (now - at > SEEN_MS) this.#seen.delete(name);
    if (leases === 0 && !more) this.#seen.delete(holder);
    else this.#seen.set(holder, { at: now, more, leases });
  }

  /** Into how many parts each key is cut, so that every holder can have one, or as many as can. */
  parts(keys: number): number {
    return Math.max(1, Math.min(this.#mostParts, Math.ceil(this.#seen.size / Math.max(1, keys))));
  }

  /** There are more holders than parts: some have none. */
  isCrowded(keys: number): boolean {
    const holders = this.#seen.size + (this.#own === undefined || this.#seen.has(this.#own) ? 0 : 1);
    return keys > 0 && holders > keys * this.#mostParts;
  }

  /**
   * Leases that this holder may keep, and may have in all. Nobody goes above the even share rounded down while another one
   * that is below it wants more: rounded up alone, holders would take the odd lease from each other without end.
   */
  most(holder: string, keys: number): { readonly kept: number; readonly had: number } {
    const all = keys * this.parts(keys);
    if (this.isCrowded(keys)) {
      const one = this.#mayHaveOne(holder, all) ? 1 : 0;
      return { kept: one, had: one };
    }
    const holders = Math.max(1, this.#seen.size);
    const [least, most] = [Math.floor(all / holders), Math.ceil(all / holders)];
    const wanting = [...this.#seen].filter(([name, { more }]) => name !== holder && more).map(([, { leases }]) => leases);
    if (wanting.length === 0) return { kept: all, had: all };
    if (wanting.some((leases) => leases < least)) return { kept: least, had: least };
    return { kept: wanting.some((leases) => leases < most) ? most : all, had: most };
  }

  /** Who has one keeps it, to hand it on would cost a window of the provider each time; but one part is left for our own. */
  #mayHaveOne(holder: string, all: number): boolean {
    if (holder === this.#own) return true;
    const having = [...this.#seen].flatMap(([name, { leases }]) => (name !== this.#own && leases > 0 ? [name] : []));
    const place = having.includes(holder) ? having.indexOf(holder) : having.length;
    return place < all - (this.#own === undefined ? 0 : 1);
  }
}
