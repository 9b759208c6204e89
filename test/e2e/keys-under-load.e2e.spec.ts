import type { Tariff } from '#contracts/key-pool';
import { type Bound, MeteredWorkers, type Spent } from '../keys/metered-workers.ts';
import { shippedTariff } from '../keys/metered-world.ts';
import { randomSeed } from '../simulation/seeds.ts';
import { eventually } from './stage/chainfold-process.ts';

const WORKERS = 8;
const KEYS = { infura: 17, alchemy: 5 } as const;
const WINDOW_MS = 10_000;
const WINDOWS = 4;
/** Leases are cut anew while workers arrive, and the longest limit has a window of ten seconds. */
const WARM_MS = 25_000;
/** What the shipped tariffs leave between the edges of windows: a provider that stands still for longer meters in the wrong one. */
const SLACK_MS = 40;
/** Of what whole requests fit into; the rest is for machines that are slow at times. */
const LEAST_USED = 0.85;

interface Load {
  readonly name: string;
  readonly alchemyPer10s: number;
  readonly bound: Bound;
}

/** A block costs 80 credits or 40 CU, its receipts 1,000 credits or 20 CU that count as 500 of the throughput. */
const LOADS: readonly Load[] = [
  { name: 'as shipped, where receipts at Alchemy are what is scarce', alchemyPer10s: 5_000, bound: { provider: 'alchemy', ledger: 'throughput', perSecond: (KEYS.alchemy * 5_000) / 10 } },
  { name: 'with a fast Alchemy, where blocks at Infura are what is scarce', alchemyPer10s: 160_000, bound: { provider: 'infura', ledger: 'units', perSecond: KEYS.infura * 480 } },
];

function tariffsOf({ alchemyPer10s }: Load): readonly Tariff[] {
  const alchemy = shippedTariff('alchemy');
  return [shippedTariff('infura'), { ...alchemy, limits: alchemy.limits.map((limit) => (limit.kind === 'rolling' ? { ...limit, units: alchemyPer10s } : limit)) }];
}

describe('22 keys under full load by 8 worker processes', () => {
  let metered: MeteredWorkers | undefined;
  afterEach(() => metered?.close());

  const passed = (ms: number): Promise<void> => new Promise((over) => setTimeout(over, ms));

  it.each(LOADS.map((load) => [load.name, load] as const))('%s: are used up, evenly, and no request is refused', async (_, load) => {
    const seed = randomSeed();
    metered = await MeteredWorkers.start({ tariffs: tariffsOf(load), keys: KEYS, seed, blocks: 12_000, transactionsPerBlock: 2, latency: { leastMs: 50, mostMs: 400, wayInMs: 20 } });
    await metered.addWorkers(WORKERS);
    const backfill = await metered.startBackfill();
    await eventually(async () => expect(await metered?.backfill(backfill)).toMatchObject({ state: 'running' }));
    await passed(WARM_MS);
    const windows: Spent[] = [];
    const before = await metered.providers.report();
    for (let at = 0; at < WINDOWS; at += 1) windows.push(await metered.spentFor(WINDOW_MS, load.bound));
    const after = await metered.providers.report();
    const told = windows.map(({ used, refused, stoodStillMs }) => `${(used * 100).toFixed(1)} % used, ${refused} refused, stood still ${stoodStillMs.toFixed(0)} ms`);
    console.log([`${load.name}; seed ${seed}`, ...told].join('\n'));

    expect((await metered.backfill(backfill)).done).toBeGreaterThan(0);
    const sound = windows.filter(({ stoodStillMs }) => stoodStillMs < SLACK_MS);
    expect({ seed, refused: sound.map(({ refused }) => refused) }).toEqual({ seed, refused: sound.map(() => 0) });
    expect(Math.max(...windows.map(({ used }) => used))).toBeGreaterThan(LEAST_USED);
    const { provider, ledger } = load.bound;
    const units = after.accounts.filter((one) => one.provider === provider).map(({ alias, units: now }) => (now[ledger] ?? 0) - (before.accounts.find((one) => one.alias === alias)?.units[ledger] ?? 0));
    const mean = units.reduce((sum, one) => sum + one, 0) / units.length;
    expect((Math.max(...units) - Math.min(...units)) / mean).toBeLessThan(0.1);
  }, 240_000);
});
