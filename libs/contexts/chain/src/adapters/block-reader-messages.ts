import { ChainfoldError, type JsonObject } from '#platform/kernel';
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

/** What of an error crosses the border of a thread. */
export interface ErrorMessage {
  readonly message: string;
  readonly code: string;
  readonly kind: ChainfoldError['kind'];
  readonly retryable: boolean;
  readonly facts: JsonObject;
  readonly hint?: string;
}

export function toErrorMessage(error: unknown): ErrorMessage {
  if (error instanceof ChainfoldError) {
    const { message, code, kind, retryable, facts, hint } = error;
    return { message, code, kind, retryable, facts, ...(hint === undefined ? {} : { hint }) };
  }
  return { message: error instanceof Error ? error.message : String(error), code: 'unexpected', kind: 'bug', retryable: false, facts: {} };
}

/** What a refusal means decides how long a provider is left alone, so it keeps its class. */
export function fromErrorMessage({ message, ...details }: ErrorMessage): ChainfoldError {
  if (details.code !== 'node-refused') return new ChainfoldError(message, details);
  const { node, meaning, waitMs, ...facts } = details.facts;
  return new NodeRefused(typeof node === 'string' ? node : '', meaning as RefusalMeaning, facts, typeof waitMs === 'number' ? waitMs : undefined);
}
