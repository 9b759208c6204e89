import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type EventToAppend, type JsonObject, streamName, systemClock } from '#platform/kernel';
import { type EventStore, openSqliteEventReader, openSqliteEventStore } from '#platform/event-store';
import { type Projection, ProjectionHost, ProjectionRunner } from '#platform/projections';
import { SqliteReadStore, SqliteReadWriter } from '#platform/read-store';
import { Figures } from './figures.ts';
import { benchProjections } from './projection.projections.ts';

/**
 * Read models: replay, rows, freshness, reads beside a backfill. Prints one JSON line a figure, asserts nothing.
 * `node --conditions=source test/load/projection.bench.ts [runs]`
 */
const RUNS = Number(process.argv[2] ?? 3);
const BLOCKS = 400;
const TX_PER_BLOCK = 150;
const SMALL_EVENTS = 200_000;
/** Faster than any chain makes blocks. */
const HEAD_EVERY_MS = 50;

const hexOf = (seed: string): string => `0x${createHash('sha256').update(seed).digest('hex')}`;
const addressOf = (n: number): string => hexOf(`address ${n}`).slice(0, 42);

function eventOf(type: string, natural: string, data: JsonObject): EventToAppend {
  const digest = hexOf(natural);
  return {
    id: `${digest.slice(2, 10)}-${digest.slice(10, 14)}-5${digest.slice(15, 18)}-a${digest.slice(19, 22)}-${digest.slice(22, 34)}`,
    type,
    schemaVersion: 1,
    occurredAt: '2026-01-01T00:00:00.000Z',
    recordedAt: '2026-01-01T00:00:00.123Z',
    correlationId: '0b7e3c1e-8f42-5e0b-9d5c-1f2a3b4c5d6e',
    causationId: '0b7e3c1e-8f42-5e0b-9d5c-1f2a3b4c5d6f',
    data,
  };
}

/** About 2.2 KB, as a token transfer with its receipt has. */
function txFetched(block: number, index: number): EventToAppend {
  const hash = hexOf(`tx ${block}/${index}`);
  const blockHash = hexOf(`block ${block}`);
  const place = { blockHash, blockNumber: `0x${block.toString(16)}`, transactionIndex: `0x${index.toString(16)}` };
  const [from, to] = [addressOf((block * 31 + index) % 5_000), addressOf(index % 700)];
  const log = { address: to, topics: [hexOf('Transfer'), hexOf(from), hexOf(to)], data: hash, ...place, transactionHash: hash, logIndex: '0x1', removed: false };
  return eventOf('TxFetched', hash, {
    chainId: '1',
    blockNumber: block,
    blockHash,
    index,
    kind: 'call',
    transaction: { ...place, hash, from, to, value: '0x0', gas: '0x186a0', gasPrice: '0x3b9aca00', nonce: '0x7', type: '0x2', v: '0x1', r: hexOf(`r${hash}`), s: hexOf(`s${hash}`), input: `0xa9059cbb${hash.slice(2)}${blockHash.slice(2)}` },
    receipt: { ...place, transactionHash: hash, from, to, status: '0x1', type: '0x2', gasUsed: '0xb41d', cumulativeGasUsed: '0xb41d00', effectiveGasPrice: '0x3b9aca00', contractAddress: null, logsBloom: `0x${'0'.repeat(512)}`, logs: [log] },
  });
}

const figures = new Figures('events made in the same process: TxFetched of about 2.2 KB, small ones of about 400 bytes');
function figure(bench: string, value: number, unit: string, target: number, lowerIsBetter = false): void {
  figures.add(bench, value, { unit, target, lowerIsBetter });
}
const seconds = (since: number): number => (performance.now() - since) / 1000;

async function appendBlocks(log: EventStore, from: number, to: number): Promise<void> {
  for (let block = from; block < to; block += 1) {
    const stream = streamName('block', `1.${hexOf(`block ${block}`)}`);
    await log.append({ stream, expected: 'noStream', events: Array.from({ length: TX_PER_BLOCK }, (_, index) => txFetched(block, index)) });
  }
}

async function replay(directory: string, projection: Projection, file: string): Promise<{ events: number; rows: number; took: number }> {
  const reader = openSqliteEventReader({ directory });
  const store = new SqliteReadWriter(file, systemClock);
  const reads = new SqliteReadStore(file);
  const runner = new ProjectionRunner({ reader, store, projections: [projection], clock: systemClock, onProgress: (name, position) => reads.advanced(name, position) });
  const started = performance.now();
  await runner.start();
  await reads.waitFor(projection.name, await reader.head(), 600_000, systemClock);
  const took = seconds(started);
  const [status] = await runner.status();
  await runner.close();
  reads.close();
  store.close();
  await reader.close();
  return { events: status?.eventsApplied ?? 0, rows: status?.rowsWritten ?? 0, took };
}

/** The whole way: an append that is durable, the projector's thread, its commit, a reader in this thread that waits for it. */
async function live(directory: string, log: EventStore): Promise<void> {
  const file = join(directory, 'live.db');
  const reads = new SqliteReadStore(file);
  const host = new ProjectionHost({
    logDirectory: directory,
    readFile: file,
    modules: [new URL('./projection.projections.ts', import.meta.url).href],
    clock: systemClock,
    onProgress: (name, position) => reads.advanced(name, position),
  });
  const name = benchProjections.transactions.name;
  await host.start();
  await reads.waitFor(name, await log.head(), 600_000, systemClock);

  const visible: number[] = [];
  for (let n = 0; n < 200; n += 1) {
    const stream = streamName('block', `1.${hexOf(`live ${n}`)}`);
    const { position } = await log.append({ stream, expected: 'noStream', events: Array.from({ length: 40 }, (_, index) => txFetched(1_000_000 + n, index)) });
    const durable = performance.now();
    await reads.waitFor(name, position, 5_000, systemClock);
    visible.push(performance.now() - durable);
    await wait(HEAD_EVERY_MS);
  }
  figures.addTimes('projection.durable-to-visible', visible, { p99: 10 });

  // A rebuild makes the thread as busy as a backfill does, while answers are asked for at 200 a second.
  await host.rebuild(name);
  const reading: number[] = [];
  const sender = addressOf(17);
  for (let n = 0; n < 600 && (n < 100 || host.status()[0]?.rebuild !== undefined); n += 1) {
    await wait(5);
    const started = performance.now();
    reads.read(name, (view) => view.all(`SELECT * FROM ${view.table('transactions')} WHERE sender = ? ORDER BY block DESC, idx DESC LIMIT 50`, sender));
    reading.push(performance.now() - started);
  }
  figures.addTimes('projection.read-beside-rebuild', reading, { p99: 20 });
  await host.close();
  reads.close();
}

for (let run = 0; run < RUNS; run += 1) {
  const dir = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
  const small = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
  try {
    const log = await openSqliteEventStore({ directory: dir });
    await appendBlocks(log, 0, BLOCKS);
    const bodies = await replay(dir, benchProjections.counts, join(dir, 'counts.db'));
    figure('projection.replay-tx-fetched', bodies.events / bodies.took, 'events/s', 60_000);
    const explorer = await replay(dir, benchProjections.transactions, join(dir, 'transactions.db'));
    figure('projection.tx-rows-from-log', explorer.rows / explorer.took, 'rows/s', 30_000);
    await live(dir, log);
    await log.close();

    const trades = await openSqliteEventStore({ directory: small });
    const stream = streamName('orders', '1');
    for (let n = 0; n < SMALL_EVENTS; n += 200) {
      const events = Array.from({ length: 200 }, (_, i) => eventOf('TradeExecuted', `${n + i}`, { account: '42', symbol: 'ETH-USD', hash: hexOf(`${n + i}`), price: String(300_000 + n + i), quantity: '1.250000' }));
      await trades.append({ stream, expected: n === 0 ? 'noStream' : n - 1, events });
    }
    const folded = await replay(small, benchProjections.counts, join(small, 'counts.db'));
    figure('projection.replay-small', folded.events / folded.took, 'events/s', 250_000);
    const written = await replay(small, benchProjections.rows, join(small, 'rows.db'));
    figure('projection.rows-into-sqlite', written.rows / written.took, 'rows/s', 100_000);
    await trades.close();
  } finally {
    rmSync(dir, { recursive: true, force: true });
    rmSync(small, { recursive: true, force: true });
  }
}
figures.print();
