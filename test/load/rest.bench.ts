/**
 * What a reader of the built product feels while it is idle and while it is busy with a backfill, at 200 requests a second:
 * `npm run build`, then `node --conditions=source test/load/rest.bench.ts [runs] [blocks]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BusyProduct } from './busy-product.ts';
import { Figures } from './figures.ts';
import { readEvenly, usualQuestions } from './readers.ts';
import { ServedChain } from './served-chain.ts';

const [, , runs = '3', blocks = '5000'] = process.argv;
const BLOCKS = Number(blocks);
/** Followed first: what is asked for. */
const HEADS = 100;
const PER_SECOND = 200;
const QUIET_MS = 5_000;
const figures = new Figures(`a replay node in a process of its own, ${BLOCKS} generated blocks of 40 transactions to backfill; ${PER_SECOND} requests a second`);

async function measure(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
  const node = await ServedChain.start({ kind: 'growing', seed: 5, blocks: BLOCKS + HEADS, transactionsPerBlock: 40, hidden: HEADS - 1 });
  const { wsUrl, chainId, first, last } = node.served;
  const product = await BusyProduct.start(directory, wsUrl);
  try {
    await product.following(chainId);
    await node.advanceTo(last);
    await product.until(`/chains/${chainId}`, ({ head }) => (head as { number: number } | null)?.number === last);
    const questions = await usualQuestions(product, chainId);
    const read = async (when: string, done: Promise<unknown>): Promise<void> => {
      const took = await readEvenly(product, questions, PER_SECOND, done);
      for (const [kind, times] of took) figures.addTimes(`rest.${when}.${kind}`, times);
      figures.addTimes(`rest.${when}.all`, [...took.values()].flat(), { p99: 20 });
    };
    await read('quiet', wait(QUIET_MS));
    const { id } = await product.post(`/chains/${chainId}/backfills`, { from: first, to: last - HEADS });
    const path = `/chains/${chainId}/backfills/${String(id)}`;
    await product.until(path, ({ done }) => Number(done) > 0);
    const finished = product.until(path, ({ state }) => state === 'finished');
    await read('backfill', finished);
    figures.add('rest.backfill-beside-reads', Number((await finished)['blocksPerSecond']), { unit: 'blocks/s' });
  } finally {
    await product.stop();
    await node.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

for (let run = 0; run < Number(runs); run += 1) await measure();
figures.print();
