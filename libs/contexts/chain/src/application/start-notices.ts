import type { ConfiguredChain } from '../chain.settings.ts';
import { isNamedOnce } from './chain-agreement.ts';

export interface StartNotice {
  readonly message: string;
  readonly fields: { readonly hint: string; readonly chains?: readonly string[] };
}

/** What somebody has set up and nothing will come of. `keys`: there are some; `workers`: they may connect, or this is one. */
export function startNotices(chains: readonly ConfiguredChain[], { keys, workers }: { readonly keys: boolean; readonly workers: boolean }): readonly StartNotice[] {
  return [...(keys && chains.every(({ through }) => 'rpcUrls' in through) ? [IDLE_KEYS] : []), ...(workers ? ofWorkers(chains) : [])];
}

const IDLE_KEYS: StartNotice = {
  message: 'keys are configured, and no chain uses them',
  fields: { hint: 'A chain is captured on keys with `providers` in its file in config/chains, or by CHAIN_ID where there is neither RPC_URL nor such a file.' },
};
const ONLY_EMBEDDED: StartNotice = {
  message: 'workers have nothing to do: only the embedded node is captured, which is not shared',
  fields: { hint: 'Workers read chains of RPC_URL, KEYS or config/chains: start owner and workers with the same of them.' },
};

function ofWorkers(chains: readonly ConfiguredChain[]): readonly StartNotice[] {
  if (chains.length === 0) return [ONLY_EMBEDDED];
  const alike = new Set(chains.filter((chain) => !isNamedOnce(chain, chains)).map(({ name }) => name));
  return alike.size === 0 ? [] : [{ message: 'chains of one name are not shared with workers', fields: { chains: [...alike], hint: 'Give each chain in config/chains a name of its own.' } }];
}
