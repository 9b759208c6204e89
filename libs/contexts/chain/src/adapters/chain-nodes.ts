import type { BlockPlan, ProviderKeys } from '#contracts/key-pool';
import type { Clock } from '#platform/kernel';
import type { ConfiguredChain } from '../chain.settings.ts';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import type { ThreadBlockReader } from './thread.block-reader.ts';

/**
 * The nodes of a chain in order of preference, where it is reached by addresses; none where by keys. The same in every process that
 * has the same configuration, so a place among them names one.
 */
export function plainNodes({ through, receipts }: ConfiguredChain, reader: ThreadBlockReader, around: { readonly clock: Clock; readonly metrics: ChainNodeMetrics }): readonly ChainNode[] {
  if (!('rpcUrls' in through)) return [];
  return through.rpcUrls.map((url) => reader.connect(url.reveal(), { ...around, receipts }));
}

/** A node for each plan, the cheapest first. */
export function plannedNodes(plans: readonly BlockPlan[], providers: readonly ProviderKeys[], reader: ThreadBlockReader, chainId: string): readonly ChainNode[] {
  const of = (name: string | undefined): ProviderKeys | undefined => providers.find(({ tariff }) => tariff.provider === name);
  return plans.map(({ name, blocks, receipts, receiptsBy, heads }) => reader.connectPlan({ name, blocks: of(blocks) as ProviderKeys, receipts: of(receipts), receiptsBy, heads: of(heads) }, chainId));
}
