import type { ErrorMessage } from '#platform/kernel';
import type { FromPurse, ToPurse } from './purse-over-port.ts';
import type { ChainPlan } from './provider-keys.ts';
import type { ReadBlock, ReadRequest } from '../ports/block-reader.port.ts';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';

/** What the reader's thread needs to ask a node by itself. The address holds keys and is never told. */
export type NodeAddress = PlainAddress | PlanAddress;

export interface PlainAddress {
  readonly url: string;
  readonly receipts: boolean;
  readonly requestTimeoutMs: number | undefined;
}

/** On the keys of providers; each request takes a permit of the process's purse. */
export interface PlanAddress {
  readonly plan: ChainPlan;
  readonly chainId: string;
  readonly requestTimeoutMs: number | undefined;
}

export type ToReader =
  | { readonly type: 'read'; readonly id: number; readonly node: NodeAddress; readonly request: ReadRequest }
  | { readonly type: 'cancel'; readonly id: number }
  | FromPurse;

export type FromReader =
  | { readonly type: 'block'; readonly id: number; readonly block: ReadBlock }
  | { readonly type: 'done'; readonly id: number; readonly error?: ErrorMessage }
  | { readonly type: 'call'; readonly counted: Parameters<ChainNodeMetrics['call']>; readonly times: number }
  | { readonly type: 'request'; readonly counted: Parameters<ChainNodeMetrics['request']> }
  | { readonly type: 'log'; readonly level: 'debug' | 'info'; readonly fields: object; readonly message: string }
  | ToPurse;
