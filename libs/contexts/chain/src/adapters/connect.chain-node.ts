import type { Clock } from '#platform/kernel';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import type { WebSocketLimits } from './websocket.chain-node-transport.ts';
import { HttpTransport } from './http.chain-node-transport.ts';
import { JsonRpcChainNode } from './json-rpc.chain-node.ts';
import { WebSocketTransport } from './websocket.chain-node-transport.ts';

export interface ConnectOptions {
  readonly clock: Clock;
  readonly metrics: ChainNodeMetrics;
  readonly receipts: boolean;
  readonly limits?: Partial<WebSocketLimits>;
}

/** The adapter for an address: http(s) or ws(s). Connects when first asked. */
export function connectChainNode(url: string, { limits, ...options }: ConnectOptions): ChainNode {
  const transport = /^wss?:/.test(url) ? new WebSocketTransport(url, options.clock, limits) : new HttpTransport(url, limits);
  return new JsonRpcChainNode({ transport, ...options });
}
