import type { Tariff } from '#contracts/key-pool';
import { MeteredWorkers } from '../keys/metered-workers.ts';
import { shippedTariff } from '../keys/metered-world.ts';
import { chainfold, eventually } from './stage/chainfold-process.ts';

const BLOCKS = 2_400;
const KEYS = { 'infura-2024': 8, 'alchemy-2024': 6 } as const;
/** With so many requests a second that this is no long test. */
const RATE = 24;
const PAST_ITS_LEASES_MS = 14_000;

function tariffOf(provider: string): Tariff {
  const tariff = shippedTariff(provider);
  return { ...tariff, limits: tariff.limits.map((limit) => (limit.kind === 'rolling' ? { ...limit, units: RATE } : limit)) };
}

interface ShownKey {
  readonly alias: string;
  readonly totals: { readonly acknowledged: number; readonly unacknowledged: number; readonly booked: number };
}

describe('worker processes on metered keys', () => {
  let metered: MeteredWorkers;
  let backfill: string;
  beforeAll(async () => {
    metered = await MeteredWorkers.start({ tariffs: Object.keys(KEYS).map(tariffOf), keys: KEYS, seed: 11, blocks: BLOCKS, transactionsPerBlock: 2, latency: { leastMs: 50, mostMs: 250, wayInMs: 20 } });
    await metered.addWorkers(3);
    backfill = await metered.startBackfill(0, BLOCKS - 2);
  }, 120_000);
  afterAll(() => metered.close());

  /** So many more than now. */
  async function comesOn(blocks: number): Promise<void> {
    const { done } = await metered.backfill(backfill);
    await eventually(async () => expect((await metered.backfill(backfill)).done).toBeGreaterThan(done + blocks), 60_000);
  }

  /** Of each key: what its holders say, what its provider says, and what was booked before it was spent. */
  async function expectInOrder(): Promise<void> {
    const { items } = await metered.owner.api<{ items: ShownKey[] }>('/keys');
    const { accounts } = await metered.providers.report();
    for (const { alias, totals } of items) {
      const counted = accounts.find((one) => one.alias === alias)?.units['units'] ?? 0;
      // What is under way is booked, and settled within seconds.
      expect({ alias, inOrder: totals.acknowledged <= counted && counted <= totals.booked }).toEqual({ alias, inOrder: true });
    }
  }

  it('come on, though one is killed and one stands still past its leases', async () => {
    await comesOn(60);
    const [first, second] = metered.workers;
    await first?.kill();
    second?.child.kill('SIGSTOP');
    await new Promise((resume) => setTimeout(resume, PAST_ITS_LEASES_MS));
    second?.child.kill('SIGCONT');
    await comesOn(60);
    await expectInOrder();
  }, 120_000);

  it('come on, though the owner is killed, and a worker with it', async () => {
    const third = metered.workers[2];
    await Promise.all([metered.owner.kill(), third?.kill()]);
    await metered.restartOwner();
    await metered.addWorkers(1);
    await comesOn(60);
    await expectInOrder();
  }, 120_000);

  it('lose no block, and never spend more than a provider gives', async () => {
    await eventually(async () => expect(await metered.backfill(backfill)).toMatchObject({ state: 'finished', done: BLOCKS - 1 }), 120_000);
    expect(await metered.owner.metric('chainfold_chain_read_blocks_total', 'worker')).toBeGreaterThan(0);
    await expectInOrder();
    expect((await metered.providers.report()).overruns).toBe(0);
    expect(await metered.owner.interrupt()).toMatchObject({ code: 0, stderr: '' });
    expect(await chainfold(['verify', '--json'], { ...metered.env, WORKERS_PORT: '', DATA_DIR: metered.dataDir })).toMatchObject({ code: 0 });
  }, 240_000);
});
