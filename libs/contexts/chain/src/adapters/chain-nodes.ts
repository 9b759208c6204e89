import type { Clock } from '#platform/kernel';
import type { ConfiguredChain } from '../chain.settings.ts';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import type { ThreadBlockReader } from './thread.block-reader.ts';

/** The nodes of a chain in order of preference: the same in every process that has the same configuration, so a place among them names one. */
export function nodesOf(chain: ConfiguredChain, reader: ThreadBlockReader, around: { readonly clock: Clock; readonly metrics: ChainNodeMetrics }): readonly ChainNode[] {
  return chain.rpcUrls.map((url) => reader.connect(url.reveal(), { ...around, receipts: chain.receipts }));
}
