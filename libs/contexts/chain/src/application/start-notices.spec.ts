import { captureSettings, chainFolder, type ConfiguredChain, configuredChains } from '../chain.settings.ts';
import { startNotices } from './start-notices.ts';

const RPC_URL = { rpcUrls: ['http://127.0.0.1:8545'] };
const KEYS = { chainId: 1, providers: ['infura'] };

function chains(files: Record<string, object>, { keys = false, capture = {} }: { keys?: boolean; capture?: object } = {}): readonly ConfiguredChain[] {
  return configuredChains({ capture: captureSettings.schema.parse(capture), chains: Object.entries(files).map(([name, value]) => ({ name, value: chainFolder.schema.parse(value) })) }, keys);
}
const told = (of: readonly ConfiguredChain[], given: { keys: boolean; workers: boolean }): string[] => startNotices(of, given).map(({ message }) => message);

describe('what a start tells, for it would be missed without a word', () => {
  it('keys that no chain is captured on', () => {
    const idle = ['keys are configured, and no chain uses them'];
    expect(told(chains({}, { keys: true, capture: RPC_URL }), { keys: true, workers: false })).toEqual(idle);
    expect(told(chains({ own: RPC_URL }, { keys: true }), { keys: true, workers: false })).toEqual(idle);
    expect(told(chains({ own: RPC_URL, main: KEYS }, { keys: true }), { keys: true, workers: false })).toEqual([]);
    expect(told(chains({}, { keys: true }), { keys: true, workers: false })).toEqual([]);
    expect(told(chains({}, { capture: RPC_URL }), { keys: false, workers: false })).toEqual([]);
  });

  it('workers that can be given nothing', () => {
    expect(told([], { keys: false, workers: true })).toEqual(['workers have nothing to do: only the embedded node is captured, which is not shared']);
    expect(told([], { keys: false, workers: false })).toEqual([]);
    expect(told(chains({ own: RPC_URL }), { keys: false, workers: true })).toEqual([]);
    const alike = startNotices(chains({ one: { ...RPC_URL, name: 'main' }, two: { ...RPC_URL, name: 'main' }, three: RPC_URL }), { keys: false, workers: true });
    expect(alike).toEqual([{ message: 'chains of one name are not shared with workers', fields: { chains: ['main'], hint: 'Give each chain in config/chains a name of its own.' } }]);
  });
});
