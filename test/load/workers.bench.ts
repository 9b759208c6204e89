/**
 * What more workers are worth: a backfill by 1, 2, 4 and 8 worker processes on keys of emulated providers that limit by time, two
 * Infura keys for each worker and receipts that are cheap: `npm run build`, then
 * `node --conditions=source test/load/workers.bench.ts [runs]`. All processes share this machine.
 */
import { MeteredWorkers } from '../keys/metered-workers.ts';
import { shippedTariff } from '../keys/metered-world.ts';
import { Figures } from './figures.ts';

const [, , runs = '1'] = process.argv;
const WORKERS = [1, 2, 4, 8];
const KEYS_A_WORKER = 2;
/** A block costs 80 credits, and six of that fit into the window of a second. */
const WHOLE_PER_SECOND = 480;
const RECEIPTS_PER_10S = 400_000;
/** Leases are cut anew while workers arrive. */
const WARM_MS = 20_000;
const MEASURED_MS = 30_000;

const figures = new Figures('the built program: an owner and workers as processes, emulated providers in one, answers of 50 to 400 ms, generated blocks of 2 transactions');

async function measure(workers: number, seed: number): Promise<void> {
  const alchemy = shippedTariff('alchemy');
  const cheap = { ...alchemy, limits: alchemy.limits.map((limit) => (limit.kind === 'rolling' ? { ...limit, units: RECEIPTS_PER_10S } : limit)) };
  const infura = KEYS_A_WORKER * workers;
  const metered = await MeteredWorkers.start({ tariffs: [shippedTariff('infura'), cheap], keys: { infura, alchemy: 2 }, seed, blocks: 12_000, transactionsPerBlock: 2, latency: { leastMs: 50, mostMs: 400, wayInMs: 20 } });
  try {
    await metered.addWorkers(workers);
    const backfill = await metered.startBackfill();
    await new Promise((over) => setTimeout(over, WARM_MS));
    const before = await metered.backfill(backfill);
    const { used, refused } = await metered.spentFor(MEASURED_MS, { provider: 'infura', ledger: 'units', perSecond: infura * WHOLE_PER_SECOND });
    const { done } = await metered.backfill(backfill);
    const source = `${infura} keys`;
    figures.add(`workers.${workers}.used`, used, { unit: 'of the sum of budgets', target: 0.9, source });
    figures.add(`workers.${workers}.refused`, refused, { unit: 'requests', target: 0, lowerIsBetter: true, source });
    figures.add(`workers.${workers}.durable`, ((done - before.done) * 1_000) / MEASURED_MS, { unit: 'blocks/s', source });
  } finally {
    await metered.close();
  }
}

for (let run = 0; run < Number(runs); run += 1) for (const workers of WORKERS) await measure(workers, run + 1);
figures.print();
