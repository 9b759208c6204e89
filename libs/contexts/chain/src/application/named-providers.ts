import type { KeyAccess } from '#contracts/key-pool';
import { SettingsInvalid, type SettingsProblem } from '#platform/settings';
import type { ConfiguredChain } from '../chain.settings.ts';

/** A provider that a chain names and nobody has keys of would be left out in silence. Throws `settings-invalid` with all of them at once. */
export function requireNamedProviders(chains: readonly ConfiguredChain[], keys: Pick<KeyAccess, 'providersFor'>): void {
  const problems = chains.flatMap((chain) => problemsOf(chain, keys));
  if (problems.length > 0) throw new SettingsInvalid(problems);
}

function problemsOf({ name, through }: ConfiguredChain, keys: Pick<KeyAccess, 'providersFor'>): SettingsProblem[] {
  if ('rpcUrls' in through) return [];
  const { chainId, providers } = through;
  const served = keys.providersFor(chainId).map(({ tariff }) => tariff.provider);
  const hint = `${served.length === 0 ? 'No key serves' : `Keys of ${served.join(', ')} serve`} chain ${chainId}. Keys stand in config/keys.yaml or KEYS, the networks of a provider in config/providers.`;
  if (providers === undefined) return served.length > 0 ? [] : [{ path: 'capture.chainId', rule: 'must be a chain that one of the keys serves', hint }];
  return [...providers.entries()].filter(([, provider]) => !served.includes(provider)).map(([place]) => ({ path: `chains/${name}.providers[${place}]`, rule: 'must be a provider whose keys serve this chain', hint }));
}
