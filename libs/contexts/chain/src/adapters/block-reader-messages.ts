import { type ChainfoldError, type ErrorMessage, fromErrorMessage } from '#platform/kernel';
import { NodeRefused, type RefusalMeaning } from '../ports/chain-node.errors.ts';
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

/** What a refusal means decides how long a provider is left alone, so it keeps its class. */
export function fromReaderError(error: ErrorMessage): ChainfoldError {
  if (error.code !== 'node-refused') return fromErrorMessage(error);
  const { node, meaning, waitMs, ...facts } = error.facts;
  return new NodeRefused(typeof node === 'string' ? node : '', meaning as RefusalMeaning, facts, typeof waitMs === 'number' ? waitMs : undefined);
}
