import { type Permit, type SpendingAsk, type Tariff, sharedNow } from '#contracts/key-pool';
import { systemClock } from '#platform/kernel';
import { LeasedPurse } from '../../libs/contexts/key-pool/src/application/leased-purse.ts';
import { WatchedDesk } from '../simulation/key-pool-desk.ts';
import { INFURA, KeyPoolLoad } from '../simulation/key-pool-load.ts';
import { Figures } from './figures.ts';

/**
 * What it costs to ask for a turn on 22 keys, and how much of the allowed rate is used under full load on a clock of its own.
 * `node --conditions=source test/load/key-pool.bench.ts [runs]`
 */
const RUNS = Number(process.argv[2] ?? 3);
const KEYS = 22;
const CALLERS = 64;
const DECISIONS = 200_000;
const PER_TICK = 5;
const TICKS = 400;

const figures = new Figures('22 keys of one provider in one process, each with a window of a second and a quota; the desk is in memory');
const loads = new Figures(
  'the purses of 8 processes on a virtual clock, 17 keys of 500 credits a second and 5 of 5,000 CU in ten, 5 minutes, calls of 80 credits and 20 CU; the referee counts at the provider',
);

/** So wide that nothing ever waits for it. */
const WIDE: Tariff = { ...INFURA, limits: INFURA.limits.map((limit) => ({ ...limit, units: 1_000_000_000_000 })) };
const ASK: SpendingAsk = { provider: WIDE.provider, cost: { units: 80 }, calls: { eth_getBlockByNumber: 1 }, chainId: '1', lane: 'backfill' };

function purseOf(tariff: Tariff): LeasedPurse {
  const keys = Array.from({ length: KEYS }, (_, at) => ({ alias: `key-${at}`, tariff }));
  const log = { info: () => undefined, warn: (fields: object, message: string) => console.error(message, fields), error: (fields: object, message: string) => console.error(message, fields) };
  return new LeasedPurse({ holder: 'bench', desk: new WatchedDesk(systemClock, keys), tariffs: new Map([[tariff.provider, tariff]]), clock: systemClock, log });
}

function answered(purse: LeasedPurse, permit: Permit, sentAt: number): void {
  purse.settle(permit, { kind: 'answered', class: 'ok', sentAt, answeredAt: sharedNow() });
}

async function withAllKeys(purse: LeasedPurse): Promise<void> {
  for (let key = 0; key < KEYS; key += 1) {
    const permit = await purse.acquire({ ...ASK, key: `key-${key}` });
    purse.settle(permit, { kind: 'unspent' });
  }
}

async function decide(): Promise<void> {
  const purse = purseOf(WIDE);
  await withAllKeys(purse);
  const started = performance.now();
  const caller = async (): Promise<void> => {
    for (let turn = 0; turn < DECISIONS / CALLERS; turn += 1) answered(purse, await purse.acquire(ASK), sharedNow());
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  figures.add('keys.decisions', DECISIONS / ((performance.now() - started) / 1_000), { unit: 'permits/s', target: 20_000 });
  await purse.close();
}

/** A few at a time, as requests come. */
async function wait(): Promise<void> {
  const purse = purseOf(WIDE);
  await withAllKeys(purse);
  const waits: number[] = [];
  for (let tick = 0; tick < TICKS; tick += 1) {
    await systemClock.sleep(5);
    const request = async (): Promise<void> => {
      const asked = performance.now();
      const permit = await purse.acquire(ASK);
      waits.push(performance.now() - asked);
      answered(purse, permit, sharedNow());
    };
    await Promise.all(Array.from({ length: PER_TICK }, request));
  }
  figures.addTimes('keys.added-latency', waits, { p50: 0.1, p99: 1 });
  await purse.close();
}

async function load(seed: number): Promise<void> {
  const pool = new KeyPoolLoad({ seed, minutes: 5, holders: 8 });
  const started = performance.now();
  await pool.run();
  const requests = [...pool.referee.keys.values()].reduce((sum, key) => sum + key.requests, 0);
  loads.add('keys.used-share.infura', 100 * pool.usedShare('infura', 80), { unit: '% of what whole calls allow', target: 95 });
  loads.add('keys.used-share.alchemy', 100 * pool.usedShare('alchemy', 20), { unit: '% of what whole calls allow', target: 95 });
  loads.add('keys.refusals', pool.referee.refusals.length, { unit: 'refusals', target: 0, lowerIsBetter: true });
  loads.add('keys.decisions-under-load', requests / ((performance.now() - started) / 1_000), { unit: 'permits/s, all of the simulation included' });
  loads.addTimes('keys.head-waits-under-load', pool.headWaits);
}

for (let run = 0; run < RUNS; run += 1) {
  await decide();
  await wait();
  await load(run + 1);
}
figures.print();
loads.print();
