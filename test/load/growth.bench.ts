/**
 * Whether the last block of a long backfill costs what the first one did: `npm run build`, then
 * `npm run bench -- growth`, or `node --conditions=source test/load/growth.bench.ts [blocks] [transactions per block]`. Looked at in
 * three windows of a twentieth of the range each, as the read models have it: from 1 % on, around 50 %, and the last. Room is
 * that of the files at the end of a window, shared by the blocks in them. Takes some five to ten minutes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BusyProduct, metric } from './busy-product.ts';
import { Figures } from './figures.ts';
import { readInTurn, usualQuestions } from './readers.ts';
import { ServedChain } from './served-chain.ts';

const [, , blocks = '100000', perBlock = '15'] = process.argv;
const BLOCKS = Number(blocks);
const WINDOWS = [{ name: '1%', from: 0.01 }, { name: '50%', from: 0.475 }, { name: '100%', from: 0.95 }] as const;
const WINDOW = 0.05;
const PAUSE_MS = 20;
const LOOK_EVERY_MS = 200;
const figures = new Figures(`a replay node in a process of its own, ${blocks} blocks of ${perBlock} transactions, no transaction twice; in each window one reader, ${PAUSE_MS} ms after each answer`);

interface Seen {
  readonly blocksPerSecond: number;
  readonly residentMb: number;
  readonly logBytes: number;
  readonly readModelBytes: number;
  readonly readP50: number;
  readonly readP99: number;
}

const directory = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
const node = await ServedChain.start({ kind: 'growing', seed: 17, blocks: BLOCKS + 1, transactionsPerBlock: Number(perBlock) });
const { url, chainId, first, last } = node.served;
const product = await BusyProduct.start(directory, url);
try {
  await product.following(chainId);
  const questions = await usualQuestions(product, chainId);
  const { id } = await product.post(`/chains/${chainId}/backfills`, { from: first, to: last - 1 });
  const path = `/chains/${chainId}/backfills/${String(id)}`;
  const until = async (share: number): Promise<number> => Number((await product.until(path, ({ done }) => Number(done) >= share * BLOCKS, LOOK_EVERY_MS))['done']);
  const seen: Seen[] = [];
  for (const { name, from } of WINDOWS) {
    const before = { done: await until(from), at: performance.now() };
    const resident = [await product.residentMb()];
    const sampling = setInterval(() => void product.residentMb().then((mb) => resident.push(mb), () => undefined), 1_000);
    const over = until(Math.min(1, from + WINDOW));
    const reads = await readInTurn(product, questions, PAUSE_MS, over);
    clearInterval(sampling);
    const done = await over;
    const durable = metric(await product.metrics(), 'chainfold_chain_backfilled_blocks_total');
    const one = {
      blocksPerSecond: ((done - before.done) * 1_000) / (performance.now() - before.at),
      residentMb: share(resident, 0.5),
      logBytes: sizeOf('log.sqlite') / durable,
      readModelBytes: sizeOf('read.db') / done,
      readP50: share(reads, 0.5),
      readP99: share(reads, 0.99),
    };
    seen.push(one);
    tell(name, one);
  }
  tellGrowth(seen[0] as Seen, seen.at(-1) as Seen);
} finally {
  await product.stop();
  await node.stop();
  rmSync(directory, { recursive: true, force: true });
}
figures.print();

function tell(window: string, { blocksPerSecond, residentMb, logBytes, readModelBytes, readP50, readP99 }: Seen): void {
  figures.add(`growth.blocks.at-${window}`, blocksPerSecond, { unit: 'blocks/s in read models' });
  figures.add(`growth.resident.at-${window}`, residentMb, { unit: 'MB', target: 320, lowerIsBetter: true });
  figures.add(`growth.log.at-${window}`, logBytes, { unit: 'bytes/block', lowerIsBetter: true });
  figures.add(`growth.read-models.at-${window}`, readModelBytes, { unit: 'bytes/block', lowerIsBetter: true });
  figures.add(`growth.read.at-${window}.p50`, readP50, { unit: 'ms', lowerIsBetter: true });
  figures.add(`growth.read.at-${window}.p99`, readP99, { unit: 'ms', lowerIsBetter: true });
}

/** Flat within a fifth. */
function tellGrowth(start: Seen, end: Seen): void {
  const unit = 'of that at 1%';
  figures.add('growth.blocks', end.blocksPerSecond / start.blocksPerSecond, { unit, target: 0.8 });
  figures.add('growth.resident', end.residentMb / start.residentMb, { unit, target: 1.2, lowerIsBetter: true });
  figures.add('growth.log', end.logBytes / start.logBytes, { unit, target: 1.2, lowerIsBetter: true });
  figures.add('growth.read-models', end.readModelBytes / start.readModelBytes, { unit, target: 1.2, lowerIsBetter: true });
  figures.add('growth.read', end.readP50 / start.readP50, { unit, target: 1.2, lowerIsBetter: true });
}

function share(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** What is in the file, of which some may still stand in its WAL. */
function sizeOf(name: string): number {
  const db = new DatabaseSync(join(directory, name), { readOnly: true, timeout: 1_000 });
  try {
    const { bytes } = db.prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size').get() as { bytes: number };
    return bytes;
  } finally {
    db.close();
  }
}
