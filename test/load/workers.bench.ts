/**
 * What more workers are worth: a backfill by 1, 2, 4 and 8 worker processes on keys of an emulated provider that limits by time,
 * two keys of 10 calls a second for each worker: `npm run build`, then `node --conditions=source test/load/workers.bench.ts
 * [runs]`. All processes share this machine.
 */
import { MeteredWorkers } from '../keys/metered-workers.ts';
import { shippedTariff } from '../keys/metered-world.ts';
import { Figures } from './figures.ts';

const [, , runs = '1'] = process.argv;
const WORKERS = [1, 2, 4, 8];
const PROVIDER = 'infura-2024';
const KEYS_A_WORKER = 2;
/** Of its plan of 2024; a block with its receipts is two of them. */
const CALLS_PER_SECOND = 10;
/** Leases are cut anew while workers arrive. */
const WARM_MS = 30_000;
const MEASURED_MS = 30_000;

const figures = new Figures('the built program: an owner and workers as processes, emulated providers in one, answers of 50 to 400 ms, generated blocks of 2 transactions');

async function measure(workers: number, seed: number): Promise<void> {
  const keys = KEYS_A_WORKER * workers;
  const metered = await MeteredWorkers.start({ tariffs: [shippedTariff(PROVIDER)], keys: { [PROVIDER]: keys }, seed, blocks: 12_000, transactionsPerBlock: 2, latency: { leastMs: 50, mostMs: 400, wayInMs: 20 } });
  try {
    await metered.addWorkers(workers);
    const backfill = await metered.startBackfill();
    await new Promise((over) => setTimeout(over, WARM_MS));
    const before = await metered.backfill(backfill);
    const { used, refused } = await metered.spentFor(MEASURED_MS, { provider: PROVIDER, ledger: 'units', perSecond: keys * CALLS_PER_SECOND });
    const { done } = await metered.backfill(backfill);
    const source = `${keys} keys`;
    figures.add(`workers.${workers}.used`, used, { unit: 'of the sum of budgets', target: 0.9, source });
    figures.add(`workers.${workers}.refused`, refused, { unit: 'requests', target: 0, lowerIsBetter: true, source });
    figures.add(`workers.${workers}.durable`, ((done - before.done) * 1_000) / MEASURED_MS, { unit: 'blocks/s', source });
  } finally {
    await metered.close();
  }
}

for (let run = 0; run < Number(runs); run += 1) for (const workers of WORKERS) await measure(workers, run + 1);
figures.print();
