import type { FetchedBlock, Hex, RpcBlock } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import type { HeadHint } from '../../libs/contexts/chain/src/ports/chain-node.port.ts';
import { ChainNode } from '../../libs/contexts/chain/src/ports/chain-node.port.ts';
import type { TreeBlock, TreeModel } from './tree-model.ts';
import { lineOf } from './tree-model.ts';

/** Answers from where the model's node stands, which may change between two questions. */
export class TreeNode extends ChainNode {
  readonly label = 'tree';
  moves = 0;
  readonly #chainId: string;
  readonly #model: TreeModel;
  #move: { calls: number; readonly make: () => void } | undefined;

  constructor(chainId: string, model: TreeModel) {
    super();
    this.#chainId = chainId;
    this.#model = model;
  }

  /** Before question number `calls`, 0 being the next. */
  moveAfter(calls: number, make: () => void): void {
    this.#move = { calls, make };
  }

  moveNow(): void {
    const move = this.#move;
    this.#move = undefined;
    move?.make();
    this.moves += move === undefined ? 0 : 1;
  }

  async chainId(): Promise<bigint> {
    return BigInt(this.#chainId);
  }

  async headNumber(): Promise<number> {
    return (await this.#asked()).tip.number;
  }

  async header(ref: number | Hex | 'latest' | 'safe' | 'finalized'): Promise<RpcBlock | null> {
    const { tip, tag, blocks } = await this.#asked();
    if (ref === 'latest') return rpc(tip);
    if (ref === 'safe' || ref === 'finalized') return rpc(tag);
    if (typeof ref === 'number') return rpc(lineOf(tip)[ref]);
    // Blocks of a branch that was left are found by hash; what a rollback took, which stands above the head, is not.
    return rpc(blocks.find(({ hash, number }) => hash === ref && number <= tip.number));
  }

  async headers(numbers: readonly number[]): Promise<readonly (RpcBlock | null)[]> {
    const line = lineOf((await this.#asked()).tip);
    return numbers.map((number) => rpc(line[number]));
  }

  async blockByHash(hash: Hex): Promise<FetchedBlock | null> {
    return fetched(await this.header(hash));
  }

  async blocks(numbers: readonly number[]): Promise<readonly (FetchedBlock | null)[]> {
    return (await this.headers(numbers)).map(fetched);
  }

  heads(): AsyncIterable<HeadHint> {
    throw new Error('nothing is announced here');
  }

  async close(): Promise<void> {}

  async #asked(): Promise<TreeModel> {
    if (this.#move?.calls === 0) this.moveNow();
    else if (this.#move !== undefined) this.#move.calls -= 1;
    return this.#model;
  }
}

function rpc(block: TreeBlock | undefined): RpcBlock | null {
  if (block === undefined) return null;
  const { number, hash, parent } = block;
  return { number: `0x${number.toString(16)}`, hash, parentHash: parent?.hash ?? `0x${'0'.repeat(64)}`, timestamp: '0x1', transactions: [] };
}

function fetched(block: RpcBlock | null): FetchedBlock | null {
  return block === null ? null : { block, receipts: undefined, bytes: 100 };
}
