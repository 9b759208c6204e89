/**
 * kill -9 while a chain is followed and backfilled, then started again: `npm run build`, then
 * `node --conditions=source test/load/restart.bench.ts [runs]`. Measured from the start of the new process to the first new block
 * of the head that the log holds; at the end the log is looked through for gaps and blocks that are there twice.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type EventReader, openSqliteEventReader } from '#platform/event-store';
import { type Position, START } from '#platform/kernel';
import { BusyProduct } from './busy-product.ts';
import { Figures } from './figures.ts';
import { ServedChain } from './served-chain.ts';

const [, , runs = '5'] = process.argv;
const PAST = 12_000;
const HEADS = 3_000;
const HEAD_EVERY_MS = 50;
const UP_MS = 1_500;
const LOOK_EVERY_MS = 3;
const figures = new Figures(`a replay node that goes on meanwhile: a new head of 40 transactions every ${HEAD_EVERY_MS} ms, and a backfill of ${PAST} blocks`);

const directory = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
const node = await ServedChain.start({ kind: 'growing', seed: 13, blocks: PAST + HEADS, transactionsPerBlock: 40, hidden: HEADS });
const { wsUrl, chainId, first, last } = node.served;
let product = await BusyProduct.start(directory, wsUrl);
await product.following(chainId);
await product.post(`/chains/${chainId}/backfills`, { from: first, to: last - HEADS - 1 });
const heads = new AbortController();
const growing = grow(heads.signal);
const log = openSqliteEventReader({ directory });
try {
  for (let run = 0; run < Number(runs); run += 1) {
    await wait(UP_MS + run * 137);
    await product.kill();
    const before = await log.head();
    const started = performance.now();
    const [again, following] = await Promise.all([
      BusyProduct.start(directory, wsUrl).then((one) => ({ product: one, ready: performance.now() - started })),
      nextBlock(log, before).then(() => performance.now() - started),
    ]);
    product = again.product;
    figures.add('restart.listening', again.ready, { unit: 'ms', lowerIsBetter: true });
    figures.add('restart.following', following, { unit: 'ms', target: 1_000, lowerIsBetter: true });
  }
  heads.abort();
  await growing;
  const { gaps, twice } = await faults(log);
  figures.add('restart.gaps', gaps, { unit: 'blocks', target: 0, lowerIsBetter: true });
  figures.add('restart.twice', twice, { unit: 'blocks', target: 0, lowerIsBetter: true });
} finally {
  heads.abort();
  await log.close();
  await product.stop();
  await node.stop();
  rmSync(directory, { recursive: true, force: true });
}
figures.print();

async function grow(signal: AbortSignal): Promise<void> {
  for (let head = last - HEADS + 1; head <= last && !signal.aborted; head += 1) {
    await node.advanceTo(head);
    await wait(HEAD_EVERY_MS);
  }
}

async function nextBlock(reader: EventReader, after: Position): Promise<void> {
  for (;;) {
    const { events } = await reader.readAll(after, { categories: ['chain'], types: ['BlockObserved'] }, 1);
    if (events.length > 0) return;
    await wait(LOOK_EVERY_MS);
  }
}

/** Of the order of the head and of the older range, each of which must rise by one. */
async function faults(reader: EventReader): Promise<{ gaps: number; twice: number }> {
  const lastSeen = new Map<string, number>();
  let [gaps, twice] = [0, 0];
  for (let after: Position = START, atHead = false; !atHead; ) {
    const page = await reader.readAll(after, { categories: ['chain', 'backfill'], types: ['BlockObserved'] }, 1_000);
    for (const { stream, data } of page.events) {
      const number = data['number'] as number;
      const before = lastSeen.get(stream) ?? number - 1;
      gaps += Math.max(0, number - before - 1);
      twice += Math.max(0, before + 1 - number);
      lastSeen.set(stream, number);
    }
    ({ next: after, atHead } = page);
  }
  return { gaps, twice };
}
