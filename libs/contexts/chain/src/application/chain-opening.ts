import type { BlockCheck } from './block-check.ts';
import { GenesisChanged, NodeLagging } from './capture.errors.ts';
import type { ChainActors } from './chain-actors.ts';
import { viewOf } from './chain-view.ts';
import type { ProviderSet } from './provider-set.ts';
import type { BlockPart } from '../domain/chain.events.ts';
import type { FetchedBlock, RpcHeader } from '../domain/rpc-types.ts';
import { NodeAnswerInvalid } from '../ports/chain-node.errors.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';

export interface OpeningOptions {
  readonly chainId: string;
  readonly providers: ProviderSet;
  readonly chains: ChainActors;
  readonly check: BlockCheck;
  readonly startBlock: number | 'latest';
  readonly signal: AbortSignal;
}

/** With the chain id, the genesis and the head: below the 25 calls that a first start may cost. */
const PROBED_BLOCKS = 8;

/** Finds out whether this is the chain that we hold, and starts it where we hold none. Its own rules are probed too. */
export async function openChain(options: OpeningOptions): Promise<void> {
  const { chainId, providers, chains, check } = options;
  const view = viewOf((await chains.peek(chainId)).state);
  const { label, genesis, latest } = await providers.use(async (node) => ({ label: node.label, genesis: await genesisOf(node, view.genesisHash), latest: there(await node.header('latest'), node.label, 0) }));
  if (view.genesisHash !== undefined && view.genesisHash !== genesis.hash) throw new GenesisChanged(label, view.genesisHash, genesis.hash);
  const head = Number(latest.number);
  check.remember(view.proven);
  if (check.wantsProbe) await probe(options, head, view.proven);
  if (view.status !== 'absent') return;
  if (options.startBlock === 'latest') await mustStandThere(providers, latest);
  const firstBlock = options.startBlock === 'latest' ? head : options.startBlock;
  await chains.tell(chainId, { type: 'StartChain', chainId, genesisHash: genesis.hash, firstBlock });
}

/** One odd answer neither stops a chain nor becomes the genesis that it is known by: what is not known already is asked twice. */
async function genesisOf(node: ChainNode, ours: string | undefined): Promise<RpcHeader> {
  const genesis = there(await node.header(0), node.label, 0);
  if (genesis.hash === ours) return genesis;
  const again = there(await node.header(0), node.label, 0);
  if (again.hash === ours || again.hash === genesis.hash) return again;
  throw new NodeAnswerInvalid(node.label, 'two answers about block 0 differ');
}

/** Where a chain begins is recorded for ever: its number must have that block too. */
async function mustStandThere(providers: ProviderSet, { number, hash }: RpcHeader): Promise<void> {
  await providers.use(async (node) => {
    if ((await node.header(Number(number)))?.hash !== hash) throw new NodeLagging(node.label, Number(number));
  });
}

/** A chain's own rules are the same whoever tells of its blocks: before a part is let go, every provider is asked. */
async function probe({ providers, check, signal }: OpeningOptions, head: number, proven: readonly BlockPart[]): Promise<void> {
  const rules = check.probe([await providers.use((node) => samples(node, head, signal))], proven);
  if (!providers.several || !Object.values(rules).includes('unverifiable')) return;
  check.probe(await providers.all(async (node) => samples(node, Math.min(head, await node.headNumber()), signal)), proven);
}

/** Spread over the newest blocks, where the rules of today hold; two of them next to each other. */
async function samples(node: ChainNode, head: number, signal: AbortSignal): Promise<FetchedBlock[]> {
  const wished = [0, 1, 2, 4, 8, 16, 32, 64].slice(0, PROBED_BLOCKS).map((below) => head - below);
  const numbers = wished.filter((number) => number >= 0);
  const blocks = await node.blocks(numbers, signal);
  return blocks.filter((block) => block !== null);
}

function there(header: RpcHeader | null, node: string, number: number): RpcHeader {
  if (header === null) throw new NodeLagging(node, number);
  return header;
}
