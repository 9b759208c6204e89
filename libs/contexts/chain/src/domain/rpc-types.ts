import type { JsonValue } from '#platform/kernel';

/** DATA or QUANTITY of Ethereum JSON-RPC, lower case. */
export type Hex = `0x${string}`;

/**
 * Objects as a node answers them: normalised to lower-case hex, otherwise verbatim, with every field the node gave,
 * known to us or not. https://ethereum.github.io/execution-apis/
 */
export interface RpcHeader {
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly number: Hex;
  readonly timestamp: Hex;
  readonly [field: string]: JsonValue | undefined;
}

export interface RpcBlock extends RpcHeader {
  readonly transactions: readonly RpcTransaction[];
}

export interface RpcTransaction {
  readonly hash: Hex;
  readonly transactionIndex: Hex;
  readonly blockHash: Hex;
  readonly blockNumber: Hex;
  readonly from: Hex;
  readonly to?: Hex | null;
  readonly input: Hex;
  readonly [field: string]: JsonValue | undefined;
}

export interface RpcLog {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly [field: string]: JsonValue | undefined;
}

export interface RpcReceipt {
  readonly transactionHash: Hex;
  readonly transactionIndex: Hex;
  readonly blockHash: Hex;
  readonly logs: readonly RpcLog[];
  readonly [field: string]: JsonValue | undefined;
}

/** A block and its receipts as one provider gave them, not yet verified. */
export interface FetchedBlock {
  readonly block: RpcBlock;
  /** In index order; undefined where the chain is captured without receipts. */
  readonly receipts: readonly RpcReceipt[] | undefined;
  /** Of the JSON that arrived. */
  readonly bytes: number;
}

export type BlockRef = {
  readonly number: number;
  readonly hash: Hex;
};
