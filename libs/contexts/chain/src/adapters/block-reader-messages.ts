import type { ErrorMessage } from '#platform/kernel';
import type { ReadBlock, ReadRequest } from '../ports/block-reader.port.ts';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';

/** What the reader's thread needs to ask a node by itself. The address holds keys and is never told. */
export interface NodeAddress {
  readonly url: string;
  readonly receipts: boolean;
  readonly requestTimeoutMs: number | undefined;
}

export type ToReader =
  | { readonly type: 'read'; readonly id: number; readonly node: NodeAddress; readonly request: ReadRequest }
  | { readonly type: 'cancel'; readonly id: number };

export type FromReader =
  | { readonly type: 'block'; readonly id: number; readonly block: ReadBlock }
  | { readonly type: 'done'; readonly id: number; readonly error?: ErrorMessage }
  | { readonly type: 'call'; readonly counted: Parameters<ChainNodeMetrics['call']>; readonly times: number }
  | { readonly type: 'request'; readonly counted: Parameters<ChainNodeMetrics['request']> };
