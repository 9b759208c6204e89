import type { KeyAccess, Planning, ProviderKeys } from '#contracts/key-pool';
import { SettingsInvalid } from '#platform/settings';
import { captureSettings, chainFolder, configuredChains } from '../chain.settings.ts';
import { needOf, planChain, whereAsked } from './planned-nodes.ts';

const infura: ProviderKeys = {
  tariff: { provider: 'infura', title: 'Infura', unit: 'credits', ledgers: {}, limits: [], mostCallsPerRequest: 1, unsupported: [], slackMs: 0 },
  keys: [{ alias: 'infura-1', httpUrl: 'http://127.0.0.1:9' }],
};
const REFUSED: Planning['refused'] = [
  { name: 'Infura', providers: ['infura'], why: 'its keys pay for 37500 blocks a day, and the chain makes 345600' },
  { name: 'Infura by transaction', providers: ['infura'], why: 'Infura does not offer eth_getTransactionReceipt' },
];

function refusal(asked: string, providers: readonly ProviderKeys[], refused: Planning['refused']): SettingsInvalid {
  const keys = { plan: () => ({ plans: [], refused, withoutReceipts: false }), planned: () => undefined } as unknown as KeyAccess;
  try {
    planChain(keys, { chainId: '42161', asked }, providers, needOf({ receipts: true }));
  } catch (error) {
    if (error instanceof SettingsInvalid) return error;
    throw error;
  }
  throw new Error('should have been refused');
}

describe('a chain that no key can capture', () => {
  it('is a matter of settings: which one, why each way is none, and the way out', () => {
    expect(refusal('capture.chainId', [infura], REFUSED).problems).toEqual([
      {
        path: 'capture.chainId',
        rule: 'must be a chain that the keys can capture, and chain 42161 is none',
        hint: 'Infura: its keys pay for 37500 blocks a day, and the chain makes 345600; Infura by transaction: Infura does not offer eth_getTransactionReceipt. Add keys (config/keys.yaml or KEYS), or follow a node with RPC_URL.',
      },
    ]);
  });

  it('is told where nobody serves it', () => {
    expect(refusal('chains/arbitrum.providers', [], []).problems).toEqual([expect.objectContaining({ path: 'chains/arbitrum.providers', hint: 'No key serves it. Add keys (config/keys.yaml or KEYS), or follow a node with RPC_URL.' })]);
  });

  it('is found by the setting that asks for it', () => {
    const file = configuredChains({ capture: captureSettings.schema.parse({}), chains: [{ name: 'main', value: chainFolder.schema.parse({ chainId: 1, providers: ['infura'] }) }] }, true);
    const environment = configuredChains({ capture: captureSettings.schema.parse({ chainId: '10' }), chains: [] }, true);
    expect([...file, ...environment].map(whereAsked)).toEqual(['chains/main.providers', 'capture.chainId']);
  });
});
