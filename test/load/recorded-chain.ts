import { readFileSync, writeFileSync } from 'node:fs';

export type Hash = `0x${string}`;

/** One block as a node answered it: bytes that are sent again as they are. */
export interface RecordedBlock {
  readonly number: number;
  readonly hash: Hash;
  readonly parentHash: Hash;
  /** Result of eth_getBlockBy… with full transactions. */
  readonly block: Buffer;
  /** Result of eth_getBlockReceipts. */
  readonly receipts: Buffer;
}

/** A block from parsed JSON; for hand-made and generated chains. */
export function recordBlock(block: Readonly<Record<string, unknown>>, receipts: readonly unknown[]): RecordedBlock {
  return {
    number: Number(block['number']),
    hash: block['hash'] as Hash,
    parentHash: block['parentHash'] as Hash,
    block: Buffer.from(JSON.stringify(block)),
    receipts: Buffer.from(JSON.stringify(receipts)),
  };
}

/** Blocks of one chain with an index by number (the canonical branch up to the head) and by hash (every branch). */
export class RecordedChain {
  readonly chainId: bigint;
  readonly #canonical = new Map<number, RecordedBlock>();
  readonly #byHash = new Map<string, RecordedBlock>();
  #head = -1;

  constructor(chainId: bigint, blocks: Iterable<RecordedBlock> = []) {
    this.chainId = chainId;
    for (const block of blocks) {
      this.#canonical.set(block.number, block);
      this.#byHash.set(block.hash, block);
      this.#head = Math.max(this.#head, block.number);
    }
  }

  get head(): number {
    return this.#head;
  }

  /** Shows the chain up to this number only; blocks above are not there for anybody who asks. */
  set head(number: number) {
    this.#head = number;
  }

  /** From the first of these on, the chain is these; the head is the last of them. The blocks left are still found by hash. */
  switchTo(branch: readonly RecordedBlock[]): void {
    const first = branch[0];
    const last = branch.at(-1);
    if (first === undefined || last === undefined) return;
    for (const number of [...this.#canonical.keys()]) if (number >= first.number) this.#canonical.delete(number);
    for (const block of branch) {
      this.#canonical.set(block.number, block);
      this.#byHash.set(block.hash, block);
    }
    this.#head = last.number;
  }

  /** As anvil_rollback: the head falls, and what stood above is gone for hashes too. */
  rollBackTo(number: number): void {
    for (const [above, block] of [...this.#canonical]) {
      if (above <= number) continue;
      this.#canonical.delete(above);
      this.#byHash.delete(block.hash);
    }
    this.#head = number;
  }

  at(number: number): RecordedBlock | undefined {
    return number > this.#head ? undefined : this.#canonical.get(number);
  }

  byHash(hash: string): RecordedBlock | undefined {
    const block = this.#byHash.get(hash);
    const hidden = block !== undefined && block.number > this.#head && this.#canonical.get(block.number) === block;
    return hidden ? undefined : block;
  }

  blocks(): readonly RecordedBlock[] {
    return [...this.#canonical.values()].sort((a, b) => a.number - b.number);
  }

  get bytes(): number {
    return this.blocks().reduce((sum, { block, receipts }) => sum + block.length + receipts.length, 0);
  }

  /** One file: a line of JSON with the index, then the answers one after the other. */
  save(path: string): void {
    const blocks = this.blocks();
    const index = blocks.map(({ number, hash, parentHash, block, receipts }) => [number, hash, parentHash, block.length, receipts.length]);
    const head = Buffer.from(`${JSON.stringify({ chainId: this.chainId.toString(), index })}\n`);
    writeFileSync(path, Buffer.concat([head, ...blocks.flatMap(({ block, receipts }) => [block, receipts])]));
  }

  static load(path: string): RecordedChain {
    const file = readFileSync(path);
    const end = file.indexOf(10);
    const { chainId, index } = JSON.parse(file.subarray(0, end).toString()) as { chainId: string; index: [number, Hash, Hash, number, number][] };
    let at = end + 1;
    const blocks = index.map(([number, hash, parentHash, blockBytes, receiptBytes]) => {
      const block = file.subarray(at, at + blockBytes);
      const receipts = file.subarray(at + blockBytes, at + blockBytes + receiptBytes);
      at += blockBytes + receiptBytes;
      return { number, hash, parentHash, block, receipts };
    });
    return new RecordedChain(BigInt(chainId), blocks);
  }
}
