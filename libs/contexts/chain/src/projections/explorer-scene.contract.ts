import { createHash } from 'node:crypto';
import type { JsonObject } from '#platform/kernel';
import type { ObservedBlock, TransactionKind } from '../domain/chain.events.ts';
import type { BlockRef, Hex, RpcReceipt, RpcTransaction } from '../domain/rpc-types.ts';

export interface Sketch {
  readonly stream: string;
  readonly type: string;
  readonly data: JsonObject;
}

export const alice = address('alice');
export const bob = address('bob');
const NO_BLOOM: Hex = `0x${'0'.repeat(512)}`;

export interface SceneTransaction {
  readonly name: string;
  readonly from?: Hex;
  readonly to?: Hex | null;
  readonly input?: Hex;
  readonly more?: JsonObject;
  readonly receiptMore?: JsonObject;
}

/** Writes the events of a small chain as the capture would, so that a spec reads as what happened. */
export class ChainScene {
  readonly events: Sketch[] = [];
  readonly chainId: string;
  readonly receipts: boolean;

  constructor(chainId = '1', firstBlock = 0, receipts = true) {
    this.chainId = chainId;
    this.receipts = receipts;
    this.#chain('ChainStarted', { genesisHash: blockHash('genesis'), firstBlock });
  }

  /** `name` is number and branch, like `5a`; the hash follows from it. */
  observed(name: string, transactions: readonly SceneTransaction[] = [], stream?: string): this {
    this.body(name, transactions);
    return this.#push(stream ?? `chain-${this.chainId}`, 'BlockObserved', this.block(name, transactions));
  }

  onBranch(name: string, transactions: readonly SceneTransaction[] = []): this {
    this.body(name, transactions);
    return this.#chain('BranchBlockObserved', this.block(name, transactions));
  }

  reorganized(ancestor: string, dropped: readonly string[], adopted: readonly string[]): this {
    return this.#chain('ChainReorganized', { ancestor: ref(ancestor), dropped: dropped.map(ref), adopted: adopted.map(ref) });
  }

  safe(name: string): this {
    return this.#chain('BlocksSafe', { ...ref(name) });
  }

  finalized(name: string): this {
    return this.#chain('BlocksFinalized', { ...ref(name) });
  }

  stopped(code: string, reason: string): this {
    return this.#chain('ChainStopped', { code, reason });
  }

  resumed(reason: string): this {
    return this.#chain('ChainResumed', { reason });
  }

  backfillRequested(from: number, to: number): this {
    return this.#chain('BackfillRequested', { from, to });
  }

  backfillStarted(from: number, to: number): this {
    return this.#push(`backfill-${this.chainId}.${from}.${to}`, 'BackfillStarted', { chainId: this.chainId, from, to });
  }

  backfilled(from: number, to: number, name: string, transactions: readonly SceneTransaction[] = []): this {
    return this.observed(name, transactions, `backfill-${this.chainId}.${from}.${to}`);
  }

  backfillFinished(from: number, to: number): this {
    this.#push(`backfill-${this.chainId}.${from}.${to}`, 'BackfillFinished', { chainId: this.chainId, from, to, blocks: to - from + 1 });
    return this.#chain('BackfillCompleted', { from, to });
  }

  backfillCancelled(from: number, to: number, reason: string): this {
    return this.#chain('BackfillCancelled', { from, to, reason });
  }

  /** Only the body: nobody has observed the block. */
  body(name: string, transactions: readonly SceneTransaction[]): this {
    const { hash } = ref(name);
    transactions.forEach((transaction, index) => this.#push(`block-${this.chainId}.${hash}`, 'TxFetched', this.fetched(name, transaction, index)));
    if (transactions.length === 0) return this;
    const data = { chainId: this.chainId, blockNumber: ref(name).number, blockHash: hash, count: transactions.length, digest: '' };
    return this.#push(`block-${this.chainId}.${hash}`, 'BlockCompleted', data);
  }

  block(name: string, transactions: readonly SceneTransaction[]): ObservedBlock {
    const { number, hash } = ref(name);
    const kinds: Record<TransactionKind, number> = { transfer: 0, call: 0, deploy: 0 };
    for (const transaction of transactions) kinds[kindOf(transaction)] += 1;
    const parentHash = blockHash(`parent of ${name}`);
    const header = { hash, parentHash, number: quantity(number), timestamp: quantity(1_700_000_000 + number * 12), logsBloom: NO_BLOOM, gasUsed: '0x5208' as Hex };
    const verification = { header: 'verified', transactions: 'verified', senders: 'unverifiable' } as const;
    return { chainId: this.chainId, number, hash, parentHash, header, transactionCount: transactions.length, kinds, verification, receipts: this.receipts };
  }

  fetched(name: string, { name: txName, from = alice, to = bob, input = '0x', more = {}, receiptMore = {} }: SceneTransaction, index: number): JsonObject {
    const { number, hash: block } = ref(name);
    const place = { blockHash: block, blockNumber: quantity(number), transactionIndex: quantity(index) };
    const transaction: RpcTransaction = { ...place, hash: txHash(txName), from, to, input, nonce: quantity(index), value: '0xde0b6b3a7640000', gas: '0x5208', type: '0x2', ...more };
    const receipt = { ...place, transactionHash: txHash(txName), from, to, status: '0x1', gasUsed: '0x5208', contractAddress: to === null ? address(txName) : null, logs: [], logsBloom: NO_BLOOM, type: '0x2', ...receiptMore } as unknown as RpcReceipt;
    const body = { chainId: this.chainId, blockNumber: number, blockHash: block, index, kind: kindOf({ name: txName, to, input }), transaction };
    return this.receipts ? { ...body, receipt } : body;
  }

  #chain(type: string, data: JsonObject): this {
    return this.#push(`chain-${this.chainId}`, type, { chainId: this.chainId, ...data });
  }

  #push(stream: string, type: string, data: JsonObject): this {
    this.events.push({ stream, type, data });
    return this;
  }
}

export function ref(name: string): BlockRef {
  return { number: Number.parseInt(name, 10), hash: blockHash(name) };
}

export function blockHash(name: string): Hex {
  return `0x${createHash('sha256').update(`block ${name}`).digest('hex')}`;
}

export function txHash(name: string): Hex {
  return `0x${createHash('sha256').update(`tx ${name}`).digest('hex')}`;
}

export function address(name: string): Hex {
  return `0x${createHash('sha256').update(`address ${name}`).digest('hex').slice(0, 40)}`;
}

function kindOf({ to, input }: SceneTransaction): TransactionKind {
  if (to === null) return 'deploy';
  return (input ?? '0x') === '0x' ? 'transfer' : 'call';
}

function quantity(value: number): Hex {
  return `0x${value.toString(16)}`;
}
