/** A holder that said nothing for so long has no share any more. */
const SEEN_MS = 12_000;

/** Who holds leases of one provider's keys, who wants more, and how many are fair. */
export class HolderShares {
  readonly #seen = new Map<string, { readonly at: number; readonly more: boolean; readonly leases: number }>();

  note(holder: string, leases: number, more: boolean, now: number): void {
    for (const [name, { at }] of this.#seen) if (now - at > SEEN_MS) this.#seen.delete(name);
    if (leases === 0 && !more) this.#seen.delete(holder);
    else this.#seen.set(holder, { at: now, more, leases });
  }

  /** Into how many parts each key is cut, so that every holder can have one. */
  parts(keys: number): number {
    return Math.max(1, Math.ceil(this.#seen.size / Math.max(1, keys)));
  }

  /**
   * Leases that this holder may keep, and may have in all. Nobody goes above the even share rounded down while another one
   * that is below it wants more: rounded up alone, holders would take the odd lease from each other without end.
   */
  most(holder: string, keys: number): { readonly kept: number; readonly had: number } {
    const all = keys * this.parts(keys);
    const holders = Math.max(1, this.#seen.size);
    const [least, most] = [Math.floor(all / holders), Math.ceil(all / holders)];
    const wanting = [...this.#seen].filter(([name, { more }]) => name !== holder && more).map(([, { leases }]) => leases);
    if (wanting.length === 0) return { kept: all, had: all };
    if (wanting.some((leases) => leases < least)) return { kept: least, had: least };
    return { kept: wanting.some((leases) => leases < most) ? most : all, had: most };
  }
}
