import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#platform/kernel';
import { type EmulatedProviders, startEmulatedProviders } from '../../libs/contexts/key-pool/src/adapters/emulated-providers/start-emulated-providers.ts';
import type { Tariff } from '#contracts/key-pool';
import { shippedTariff } from '../keys/metered-world.ts';
import { generateChain } from '../load/generated-chain.ts';
import { ReplayNode } from '../load/replay-node.ts';
import { freePort } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';

const CHAIN = '424242';
const BLOCKS = 1_500;
const KEYS = { 'infura-2024': 8, 'alchemy-2024': 6 } as const;

/** With so many requests a second that this is no long test. */
const RATE = 24;

function tariffOf(provider: string): Tariff {
  const tariff = shippedTariff(provider);
  return { ...tariff, limits: tariff.limits.map((limit) => (limit.kind === 'rolling' ? { ...limit, units: RATE } : limit)) };
}

interface ShownKey {
  readonly alias: string;
  readonly totals: { readonly acknowledged: number; readonly unacknowledged: number; readonly booked: number };
}

describe('worker processes on metered keys', () => {
  let node: ReplayNode;
  let emulated: EmulatedProviders;
  let env: Record<string, string>;
  const running: ChainfoldProcess[] = [];

  beforeAll(async () => {
    node = await ReplayNode.start(await generateChain({ seed: 6, blocks: BLOCKS + 1, transactionsPerBlock: 2 }));
    const accounts = Object.entries(KEYS).flatMap(([provider, count]) => Array.from({ length: count }, (_, at) => ({ provider, alias: `${provider}-${at + 1}`, secrets: [`secret-of-${provider}-${at + 1}`] })));
    emulated = await startEmulatedProviders({ upstream: { http: node.url, ws: node.wsUrl }, tariffs: Object.keys(KEYS).map(tariffOf), accounts, seed: 11, clock: systemClock, latency: { leastMs: 50, mostMs: 250, wayInMs: 20 } });
    const config = temporaryDirectory('workers-keys-config');
    for (const folder of ['providers', 'chains']) mkdirSync(join(config, folder));
    for (const provider of Object.keys(KEYS)) {
      const { title, unit, ledgers, limits, mostCallsPerRequest } = tariffOf(provider);
      writeFileSync(join(config, 'providers', `${provider}.yaml`), JSON.stringify({ title, source: 'this test', unit, ledgers, limits, mostCallsPerRequest, http: emulated.url(provider), ws: emulated.wsUrl(provider) }));
    }
    writeFileSync(join(config, 'chains', 'metered.yaml'), JSON.stringify({ chainId: CHAIN, providers: Object.keys(KEYS) }));
    writeFileSync(join(config, 'keys.yaml'), JSON.stringify(Object.fromEntries(accounts.map(({ alias, provider, secrets }) => [alias, { provider, secrets }]))));
    const port = String(await freePort());
    env = { CONFIG_DIR: config, WORKERS_PORT: port, OWNER: `127.0.0.1:${port}` };
  });
  afterAll(async () => {
    await Promise.all(running.map((process) => process.kill()));
    await emulated.close();
    await node.close();
  });

  const start = async (more: Record<string, string>, script?: 'start:worker'): Promise<ChainfoldProcess> => {
    const process = await ChainfoldProcess.start({ ...env, ...more }, script);
    running.push(process);
    return process;
  };

  it('lose no block and book what they spend, though one is killed and one stands still past its leases', async () => {
    const dataDir = temporaryDirectory('workers-keys');
    const owner = await start({ DATA_DIR: dataDir });
    await eventually(async () => expect((await owner.api(`/chains/${CHAIN}`)).head.number).toBe(BLOCKS));
    const [first, second] = await Promise.all([start({}, 'start:worker'), start({}, 'start:worker'), start({}, 'start:worker')]);
    await eventually(async () => expect(await owner.metric('chainfold_chain_workers')).toBe(3));
    const asked = await owner.post(`/chains/${CHAIN}/backfills`, { from: 0, to: BLOCKS - 1 });
    const backfill = asked.headers.get('location') as string;
    const done = async (): Promise<number> => (await owner.get<{ done: number }>(backfill)).done;
    await eventually(async () => expect(await done()).toBeGreaterThan(60), 60_000);
    await first.kill();
    second.child.kill('SIGSTOP');
    await new Promise((resume) => setTimeout(resume, 14_000));
    second.child.kill('SIGCONT');
    await eventually(async () => expect(await owner.get(backfill)).toMatchObject({ state: 'finished', done: BLOCKS }), 120_000);
    expect(await owner.metric('chainfold_chain_read_blocks_total', 'worker')).toBeGreaterThan(0);

    const { items } = await owner.api<{ items: ShownKey[] }>('/keys');
    const { accounts, overruns } = emulated.referee.report();
    // Where nothing else keeps the cores busy none is refused; here six processes share two with the tests, and requests leave late.
    const calls = accounts.reduce((sum, one) => sum + Object.values(one.calls).reduce((all, count) => all + count, 0), 0);
    expect(overruns).toBeLessThan(calls / 20);
    for (const { alias, totals } of items) {
      const counted = accounts.find((one) => one.alias === alias)?.units['units'] ?? 0;
      // What is under way is booked, and settled within seconds.
      expect({ alias, inOrder: totals.acknowledged <= counted && counted <= totals.booked }).toEqual({ alias, inOrder: true });
    }
    expect(await owner.interrupt()).toMatchObject({ code: 0, stderr: '' });
    expect(await chainfold(['verify', '--json'], { ...env, WORKERS_PORT: '', DATA_DIR: dataDir })).toMatchObject({ code: 0 });
  }, 240_000);
});
