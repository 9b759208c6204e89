import type { RpcBlock } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import type { RecordedBlock } from '../load/recorded-chain.ts';
import { recordBlock } from '../load/recorded-chain.ts';
import type { ReplayNode } from '../load/replay-node.ts';

/** Blocks as nodes of before the merge kept them: the chain is the branch with the most work, of equal ones the first that was heard. */
export class HeaviestChain {
  readonly #blocks = new Map<string, RecordedBlock>();
  readonly #work = new Map<string, bigint>();
  #tip: RecordedBlock;

  constructor(genesis: RpcBlock) {
    this.#tip = this.#keep(genesis, 0n);
  }

  get tip(): RecordedBlock {
    return this.#tip;
  }

  /** The node switches where this makes another branch strictly heavier; returns whether its head is a new one. */
  hear(block: RpcBlock, node: ReplayNode): boolean {
    const before = this.#work.get(block.parentHash);
    if (before === undefined) throw new Error(`nobody heard the parent of block ${block.hash}`);
    const kept = this.#keep(block, before + BigInt(block['difficulty'] as string));
    if (this.#workOf(kept) <= this.#workOf(this.#tip)) return false;
    this.#tip = kept;
    node.switchTo(this.#branchOf(kept, node));
    return true;
  }

  /** What stands on the node's own chain, up to this block. */
  #branchOf(tip: RecordedBlock, { chain }: ReplayNode): readonly RecordedBlock[] {
    const branch: RecordedBlock[] = [];
    for (let at: RecordedBlock | undefined = tip; at !== undefined && chain.at(at.number)?.hash !== at.hash; at = this.#blocks.get(at.parentHash)) branch.unshift(at);
    return branch;
  }

  #keep(block: RpcBlock, work: bigint): RecordedBlock {
    const kept = this.#blocks.get(block.hash) ?? recordBlock(block, []);
    this.#blocks.set(block.hash, kept);
    this.#work.set(block.hash, work);
    return kept;
  }

  #workOf({ hash }: RecordedBlock): bigint {
    return this.#work.get(hash) as bigint;
  }
}
