import type { ProviderKeys } from '#contracts/key-pool';
import { SettingsInvalid } from '#platform/settings';
import { captureSettings, chainFolder, configuredChains } from '../chain.settings.ts';
import { requireNamedProviders } from './named-providers.ts';

/** Keys of Infura for chain 1, of Alchemy for chain 1 and 10. */
const keys = {
  providersFor: (chainId: string): readonly ProviderKeys[] =>
    (chainId === '1' ? ['infura', 'alchemy'] : chainId === '10' ? ['alchemy'] : []).map((provider) => ({
      tariff: { provider, title: provider, unit: 'units', ledgers: {}, limits: [], mostCallsPerRequest: 1, unsupported: [], slackMs: 0 },
      keys: [{ alias: `${provider}-1`, httpUrl: 'http://127.0.0.1:9' }],
    })),
};

function problems(files: Record<string, object>, capture: object = {}): string[] {
  const settings = { capture: captureSettings.schema.parse(capture), chains: Object.entries(files).map(([name, value]) => ({ name, value: chainFolder.schema.parse(value) })) };
  try {
    requireNamedProviders(configuredChains(settings, true), keys);
  } catch (error) {
    if (error instanceof SettingsInvalid) return error.problems.map(({ path, rule, hint }) => `${path} ${rule}: ${hint.split('.')[0]}`);
    throw error;
  }
  return [];
}

describe('providers that chains name', () => {
  it('pass where each has keys for the chain, and where a chain has nodes of its own', () => {
    expect(problems({ main: { chainId: 1, providers: ['infura', 'alchemy'] }, op: { chainId: 10, providers: ['alchemy'] }, own: { rpcUrls: ['http://127.0.0.1:8545'] } })).toEqual([]);
    expect(problems({}, { chainId: '10' })).toEqual([]);
  });

  it('are refused together where nobody has keys of them, or none for this chain', () => {
    expect(problems({ main: { chainId: 1, providers: ['infura', 'alchmy'] }, op: { chainId: 10, providers: ['infura', 'alchemy'] } })).toEqual([
      'chains/main.providers[1] must be a provider whose keys serve this chain: Keys of infura, alchemy serve chain 1',
      'chains/op.providers[0] must be a provider whose keys serve this chain: Keys of alchemy serve chain 10',
    ]);
    expect(problems({}, { chainId: '5' })).toEqual(['capture.chainId must be a chain that one of the keys serves: No key serves chain 5']);
  });

  it('stand instead of addresses, never beside them, and only for a chain that is named', () => {
    for (const entry of [{}, { rpcUrls: ['http://127.0.0.1:8545'], providers: ['infura'], chainId: 1 }, { providers: ['infura'] }]) expect(chainFolder.schema.safeParse(entry).success).toBe(false);
  });
});
