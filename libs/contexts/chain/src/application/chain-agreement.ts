import { createHash } from 'node:crypto';
import type { ConfiguredChain } from '../chain.settings.ts';
import { BODY_VERSIONS } from './chain-actors.ts';

/** What a worker must hold as the owner does, so that it reads the same and writes bodies alike: no address is in it, not even as a hash. */
export function chainAgreement(chains: readonly ConfiguredChain[]): Readonly<Record<string, string>> {
  const rules = chains.map(({ name, chainId, receipts, through }) => [`chains/${name}`, hashOf({ chainId: chainId ?? null, receipts, through: wayOf(through) })] as const);
  return { 'events/block': hashOf(BODY_VERSIONS), ...Object.fromEntries(rules) };
}

/** Places are by name: of chains that share one, none can be told from the other. */
export function isNamedOnce(chain: ConfiguredChain, chains: readonly ConfiguredChain[]): boolean {
  return chains.filter(({ name }) => name === chain.name).length === 1;
}

function wayOf(through: ConfiguredChain['through']): object {
  return 'rpcUrls' in through ? { nodes: through.rpcUrls.length } : { chainId: through.chainId, providers: through.providers ?? null };
}

function hashOf(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
