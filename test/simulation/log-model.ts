import type { RecordedEvent } from '#platform/kernel';

interface Ref {
  readonly number: number;
  readonly hash: string;
  readonly parentHash?: string;
}

interface Observed extends Ref {
  readonly transactionCount: number;
}

/** The chain as the log tells it, event by event; simpler than what is tested, so that both err differently. */
export class LogModel {
  /** Where the order that the log promises is broken. */
  readonly wrong: string[] = [];
  head: Ref | undefined;
  safe: Ref | undefined;
  finalized: Ref | undefined;
  reorgs = 0;
  readonly canonical = new Map<number, string>();
  readonly #known = new Map<string, Ref>();
  readonly #bodies = new Map<string, { transactions: number; complete: boolean }>();

  apply({ type, stream, revision, data }: RecordedEvent): void {
    const isChain = stream.startsWith('chain-');
    const block = data as unknown as Observed;
    const must = (holds: boolean, what: string): void => void (holds || this.wrong.push(`${stream} ${revision} ${type}: ${what}`));
    switch (type) {
      case 'TxFetched':
        this.#body(data['blockHash'] as string).transactions += 1;
        return;
      case 'BlockCompleted': {
        const body = this.#body(data['blockHash'] as string);
        must(body.transactions === data['count'], `${body.transactions} transactions, not ${JSON.stringify(data['count'])}`);
        body.complete = true;
        return;
      }
      case 'BlockObserved':
      case 'BranchBlockObserved': {
        const body = this.#body(block.hash);
        must(block.transactionCount === 0 || (body.complete && body.transactions === block.transactionCount), 'its body is not complete');
        this.#known.set(block.hash, block);
        if (type === 'BranchBlockObserved') return;
        if (isChain && this.head !== undefined) must(block.number === this.head.number + 1 && block.parentHash === this.head.hash, 'it does not stand on the head');
        if (isChain) this.head = block;
        this.canonical.set(block.number, block.hash);
        return;
      }
      case 'ChainReorganized':
        return this.#reorganize(data as unknown as { ancestor: Ref; dropped: readonly Ref[]; adopted: readonly Ref[] }, must);
      case 'BlocksSafe':
        this.safe = block;
        return must(this.canonical.get(block.number) === block.hash, 'it is not of the chain');
      case 'BlocksFinalized':
        must(this.canonical.get(block.number) === block.hash && block.number > (this.finalized?.number ?? -1), 'it is not of the chain, or below what is final');
        this.finalized = block;
    }
  }

  #reorganize({ ancestor, dropped, adopted }: { ancestor: Ref; dropped: readonly Ref[]; adopted: readonly Ref[] }, must: (holds: boolean, what: string) => void): void {
    must(this.canonical.get(ancestor.number) === ancestor.hash, 'it leaves from elsewhere');
    must(ancestor.number >= (this.finalized?.number ?? -1), 'it leaves below what is final');
    must(dropped.length === (this.head?.number ?? 0) - ancestor.number, 'it does not drop all above the ancestor');
    for (const { number, hash } of dropped) {
      must(this.canonical.get(number) === hash, `${number} was not of the chain`);
      this.canonical.delete(number);
    }
    let below = ancestor;
    for (const { number, hash } of adopted) {
      const known = this.#known.get(hash);
      must(known?.number === below.number + 1 && known.number === number && known.parentHash === below.hash, `${number} was not observed, or stands on another block`);
      this.canonical.set(number, hash);
      below = { number, hash };
    }
    this.head = below;
    if (this.safe !== undefined && this.safe.number > ancestor.number) this.safe = ancestor;
    this.reorgs += 1;
  }

  #body(hash: string): { transactions: number; complete: boolean } {
    const known = this.#bodies.get(hash) ?? { transactions: 0, complete: false };
    this.#bodies.set(hash, known);
    return known;
  }
}
