import type { ChainNode } from '../../libs/contexts/chain/src/ports/chain-node.port.ts';
import { MeteredWorld } from '../keys/metered-world.ts';
import { Figures } from './figures.ts';
import { generateChain } from './generated-chain.ts';
import { runOldPipeline } from './old-pipeline.ts';
import { ReplayNode } from './replay-node.ts';

/**
 * What a block takes, counted by the referee of emulated providers over the same chain: this product, by plan, and the
 * n + 8 requests of the pipeline that it replaces. `node --conditions=source test/load/requests.bench.ts`
 */
const TRANSACTIONS = 150;
const BLOCKS = 28;
const OLD_BLOCKS = 1;
/** As little as keeps the order of things: time is not what is measured. */
const LATENCY = { leastMs: 1, mostMs: 3, wayInMs: 1 };

const upstream = await ReplayNode.start(await generateChain({ seed: 8, blocks: BLOCKS + 2, transactionsPerBlock: TRANSACTIONS }));
const figures = new Figures(`generated blocks of ${TRANSACTIONS} transactions; emulated providers count`);

interface Counted {
  readonly requests: number;
  readonly pushes: number;
  readonly units: Readonly<Record<string, number>>;
}

async function counted(keys: Readonly<Record<string, number>>, work: (world: MeteredWorld) => Promise<void>, mayBeRefused = false): Promise<Counted> {
  const world = await MeteredWorld.start({ upstream: { http: upstream.url, ws: upstream.wsUrl }, keys, latency: LATENCY });
  try {
    await work(world);
    const { accounts, overruns } = world.emulated.referee.report();
    if (overruns > 0 && !mayBeRefused) throw new Error(`the providers refused ${overruns} requests`);
    const units: Record<string, number> = {};
    for (const { alias, units: own } of accounts) units[alias.replace(/-\d+$/, '')] = (units[alias.replace(/-\d+$/, '')] ?? 0) + (own['units'] ?? 0);
    return { requests: accounts.reduce((sum, one) => sum + one.requests, 0), pushes: accounts.reduce((sum, one) => sum + one.pushes, 0), units };
  } finally {
    await world.close();
  }
}

function tell(what: string, { requests, pushes, units }: Counted, blocks: number, targets: Readonly<Record<string, number>> = {}): void {
  const each = (value: number): number => Math.round((value / blocks) * 100) / 100;
  figures.add(`requests a block, ${what}`, each(requests), { unit: 'requests', lowerIsBetter: true, ...(targets['requests'] === undefined ? {} : { target: targets['requests'] }) });
  if (pushes > 0) figures.add(`pushed heads a block, ${what}`, each(pushes), { unit: 'pushes', lowerIsBetter: true });
  for (const [provider, spent] of Object.entries(units)) figures.add(`units a block, ${what}, ${provider}`, each(spent), { unit: 'units', lowerIsBetter: true, ...(targets[provider] === undefined ? {} : { target: targets[provider] }) });
}

const numbers = Array.from({ length: BLOCKS }, (_, at) => at + 1);
const range = (blocks: string, receipts: string) => async (world: MeteredWorld): Promise<void> => {
  await all(world.node(blocks, receipts));
};
async function all(node: ChainNode): Promise<void> {
  for (let from = 0; from < numbers.length; from += 14) {
    const got = await node.blocks(numbers.slice(from, from + 14));
    if (got.some((block) => block?.receipts?.length !== TRANSACTIONS)) throw new Error('a block is not whole');
  }
}

/** As the head is taken: announced, then block and receipts by its hash. */
async function head(node: ChainNode): Promise<void> {
  const stop = new AbortController();
  let taken = 0;
  upstream.chain.head = 1;
  const growing = setInterval(() => upstream.advanceTo(Math.min(BLOCKS, upstream.chain.head + 1)), 400);
  try {
    for await (const { hash } of node.heads(stop.signal)) {
      await node.blockByHash(hash);
      taken += 1;
      if (taken === BLOCKS - 2) break;
    }
  } finally {
    clearInterval(growing);
    stop.abort(new Error('done'));
    upstream.chain.head = BLOCKS + 1;
  }
}

tell('backfill, Infura and receipts of Alchemy', await counted({ infura: 17, alchemy: 5 }, range('infura', 'alchemy')), BLOCKS, { infura: 130, alchemy: 80 });
tell('backfill, Alchemy', await counted({ alchemy: 5 }, range('alchemy', 'alchemy')), BLOCKS, { alchemy: 80 });
tell('backfill, a node without limits', await counted({ node: 1 }, range('node', 'node')), BLOCKS, { requests: 0.1 });
tell('head, Infura and receipts of Alchemy', await counted({ infura: 17, alchemy: 5 }, (world) => head(world.node('infura', 'alchemy', { heads: 'infura' }))), BLOCKS - 2, { infura: 130, alchemy: 80, requests: 2 });
tell('head, Alchemy', await counted({ alchemy: 5 }, (world) => head(world.node('alchemy', 'alchemy', { heads: 'alchemy' }))), BLOCKS - 2, { alchemy: 80, requests: 2 });
for (const provider of ['infura', 'alchemy']) {
  tell(
    `n + 8, ${provider}`,
    await counted({ [provider]: 1 }, async (world) => {
      const url = world.providerKeys(provider).keys[0]?.httpUrl as string;
      await runOldPipeline({ url, from: 1, to: OLD_BLOCKS, pauseMs: 300 });
    }, true),
    OLD_BLOCKS,
  );
}
await upstream.close();
figures.print();
