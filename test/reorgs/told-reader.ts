import type { RecordedEvent } from '#platform/kernel';
import type { ObservedBlock } from '../../libs/contexts/chain/src/domain/chain.events.ts';
import type { BlockRef, Hex } from '../../libs/contexts/chain/src/domain/rpc-types.ts';

/** What somebody holds who knows a chain by its events alone. Throws where an event does not go with those before it. */
export class ToldReader {
  readonly #canonical = new Map<number, Hex>();
  readonly #parents = new Map<Hex, Hex>();
  /** Events told so far. */
  told = 0;
  #lowestHead = Infinity;

  hear({ type, data }: RecordedEvent): void {
    this.told += 1;
    if (type === 'BlockObserved' || type === 'BranchBlockObserved') {
      const { number, hash, parentHash } = data as unknown as ObservedBlock;
      this.#parents.set(hash, parentHash);
      if (type === 'BlockObserved') this.#gain({ number, hash });
    }
    if (type !== 'ChainReorganized') return;
    const { ancestor, dropped, adopted } = data as unknown as { readonly ancestor: BlockRef; readonly dropped: readonly BlockRef[]; readonly adopted: readonly BlockRef[] };
    for (const { number, hash } of dropped) {
      if (this.#canonical.get(number) !== hash) throw new Error(`${hash} is dropped, and was not canonical`);
      this.#canonical.delete(number);
    }
    for (const block of adopted) this.#gain(block);
    this.#lowestHead = Math.min(this.#lowestHead, (adopted.at(-1) ?? ancestor).number);
  }

  get line(): readonly Hex[] {
    return [...this.#canonical].sort(([a], [b]) => a - b).map(([, hash]) => hash);
  }

  /** That a reorganisation left since this was asked last. */
  lowestHead(): number {
    const lowest = this.#lowestHead;
    this.#lowestHead = Infinity;
    return lowest;
  }

  #gain({ number, hash }: BlockRef): void {
    const under = this.#canonical.get(number - 1);
    if (this.#canonical.has(number)) throw new Error(`${hash} comes to a number that is taken`);
    if (under !== undefined && this.#parents.get(hash) !== under) throw new Error(`${hash} does not stand on ${under}`);
    this.#canonical.set(number, hash);
  }
}
