/**
 * Speed and memory of capture against a replay node in another process. Prints one JSON line a figure, asserts nothing.
 * `node --conditions=source test/load/capture.bench.ts` runs a short default; one case:
 * `node --conditions=source test/load/capture.bench.ts case [blocks] [transactions per block] [none|memory|sqlite] [thread|inline]`.
 * Store `none` takes everything and keeps nothing: what is measured then is the cost of a block before the store.
 */
import { fork, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { EventStore } from '../../libs/platform/event-store/src/index.ts';
import { openMemoryEventStore, openSqliteEventStore } from '../../libs/platform/event-store/src/index.ts';
import { CaptureRig } from './capture-rig.ts';
import { DiscardingEventStore } from './discarding.event-store.ts';
import { generateChain } from './generated-chain.ts';
import { ReplayNode } from './replay-node.ts';

interface Row {
  readonly blocks: number;
  readonly transactionsPerBlock: number;
  readonly store: string;
  readonly kbPerBlock: number;
  readonly blocksPerSecond: number;
  readonly cpuMsPerBlock: number;
  readonly httpRequestsPerBlock: number;
  readonly callsPerBlock: number;
  readonly residentFirstMb: number;
  readonly residentPeakMb: number;
  readonly residentLastMb: number;
  readonly loopDelayP99Ms: number;
  readonly requestP99Ms: number;
}

/** Enough blocks that what is made once (code, buffers) does not count. */
const CASES: readonly { readonly blocks: number; readonly transactions: number; readonly cpuTargetMs: number; readonly rateTarget: number }[] = [
  { blocks: 20_000, transactions: 0, cpuTargetMs: 0.2, rateTarget: 5_000 },
  { blocks: 2_000, transactions: 40, cpuTargetMs: 2, rateTarget: 500 },
  { blocks: 800, transactions: 150, cpuTargetMs: 5, rateTarget: 200 },
];

const [, , what = 'all', first = '2000', perBlock = '40', store = 'sqlite', where = 'thread'] = process.argv;
switch (what) {
  case 'serve':
    await serve(Number(first), Number(perBlock));
    break;
  case 'probe':
    probe(first);
    break;
  case 'case':
    console.log(JSON.stringify(await measure(Number(first), Number(perBlock), store, where)));
    break;
  default:
    all(what === 'all' ? 1 : Number(what));
}

/** Each case in a process of its own, so that none inherits the memory of another. */
function all(runs: number): void {
  for (const { blocks, transactions, cpuTargetMs, rateTarget } of CASES) {
    const rows = (kind: string): Row[] => Array.from({ length: runs }, () => inOwnProcess(blocks, transactions, kind));
    const before = rows('none');
    const durable = rows('sqlite');
    const name = `capture-${transactions}tx`;
    figure(`${name}.cpu-before-store`, 'ms/block', cpuTargetMs, true, before.map((row) => row.cpuMsPerBlock));
    figure(`${name}.durable`, 'blocks/s', rateTarget, false, durable.map((row) => row.blocksPerSecond));
    figure(`${name}.cpu-with-store`, 'ms/block', undefined, true, durable.map((row) => row.cpuMsPerBlock));
    figure(`${name}.http-requests`, 'requests/block', 0.1, true, durable.map((row) => row.httpRequestsPerBlock));
    figure(`${name}.rss-first-block`, 'MB', 320, true, durable.map((row) => row.residentFirstMb));
    figure(`${name}.rss-peak`, 'MB', 320, true, durable.map((row) => row.residentPeakMb));
    figure(`${name}.rss-last-block`, 'MB', 320, true, durable.map((row) => row.residentLastMb));
    figure(`${name}.event-loop-p99`, 'ms', 20, true, durable.map((row) => row.loopDelayP99Ms));
    figure(`${name}.http-answer-p99`, 'ms', 20, true, durable.map((row) => row.requestP99Ms));
  }
}

function inOwnProcess(blocks: number, transactions: number, storeKind: string): Row {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=source', import.meta.filename, 'case', String(blocks), String(transactions), storeKind, where], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the case failed: ${stderr}`);
  return JSON.parse(stdout) as Row;
}

function figure(bench: string, unit: string, target: number | undefined, lowerIsBetter: boolean, runs: readonly number[]): void {
  const value = [...runs].sort((a, b) => a - b)[Math.floor(runs.length / 2)];
  console.log(JSON.stringify({ bench, value, unit, target, lowerIsBetter, runs }));
}

/** Made in the process that serves it, so that only capturing is measured. */
async function serve(blocks: number, transactionsPerBlock: number): Promise<void> {
  const chain = await generateChain({ seed: 5, blocks, transactionsPerBlock });
  const node = await ReplayNode.start(chain);
  process.send?.({ url: node.url, chainId: chain.chainId.toString(), bytes: chain.bytes });
  process.on('message', () => process.send?.({ requests: node.requests, calls: [...node.calls.values()].reduce((sum, count) => sum + count, 0) }));
}

/** Asks 200 times a second, as a reader of the API would. */
function probe(url: string): void {
  const waits: number[] = [];
  const asking = setInterval(() => {
    const asked = performance.now();
    get(url, (response) => response.resume().on('end', () => waits.push(performance.now() - asked))).on('error', () => undefined);
  }, 5);
  process.on('message', () => {
    clearInterval(asking);
    process.send?.({ p99: waits.sort((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? 0 });
  });
}

async function measure(blocks: number, transactionsPerBlock: number, storeKind: string, place: string): Promise<Row> {
  const dir = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
  const server = fork(import.meta.filename, ['serve', String(blocks), String(transactionsPerBlock)], { execArgv: ['--conditions=source'] });
  const { url, chainId, bytes } = await message<{ url: string; chainId: string; bytes: number }>(server);
  const log = await openStore(storeKind, dir);
  const http = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
  await new Promise((resolve) => http.once('listening', resolve));
  const reader = fork(import.meta.filename, ['probe', `http://127.0.0.1:${(http.address() as AddressInfo).port}/`], { execArgv: ['--conditions=source'] });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const rig = new CaptureRig(log, { thread: place === 'thread' });
  const delay = monitorEventLoopDelay({ resolution: 2 });
  const resident: number[] = [];
  const startedAt = performance.now();
  await rig.start([url], { chainId, finality: { depth: 64 } });
  const begun = await rig.until('begun', () => rig.view(chainId), (view) => view.head !== undefined, 60_000);
  // From here on, so that starting threads and compiling does not count: a user waits for it once.
  const done = (begun.head?.number ?? 0) + 1;
  const before = process.cpuUsage();
  delay.enable();
  const sampling = setInterval(() => resident.push(process.memoryUsage.rss()), 50);
  await rig.until('done', () => rig.view(chainId), (view) => view.head?.number === blocks - 1, 600_000);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(before);
  delay.disable();
  clearInterval(sampling);
  server.send('counts');
  const { requests, calls } = await message<{ requests: number; calls: number }>(server);
  reader.send('end');
  const { p99 } = await message<{ p99: number }>(reader);
  resident.push(process.memoryUsage.rss());
  await rig.stop();
  await log.close();
  server.kill();
  reader.kill();
  http.close();
  http.closeAllConnections();
  rmSync(dir, { recursive: true, force: true });
  const mb = (value: number): number => Math.round(value / 1e6);
  return {
    blocks,
    transactionsPerBlock,
    store: storeKind,
    kbPerBlock: Math.round(bytes / blocks / 100) / 10,
    blocksPerSecond: Math.round(blocks / seconds),
    cpuMsPerBlock: Math.round((cpu.user + cpu.system) / (blocks - done) / 10) / 100,
    httpRequestsPerBlock: Math.round((requests / blocks) * 1000) / 1000,
    callsPerBlock: Math.round((calls / blocks) * 1000) / 1000,
    residentFirstMb: mb(resident[0] ?? 0),
    residentPeakMb: mb(Math.max(...resident)),
    residentLastMb: mb(resident.at(-1) ?? 0),
    loopDelayP99Ms: Math.round(delay.percentile(99) / 1e5) / 10,
    requestP99Ms: Math.round(p99 * 10) / 10,
  };
}

async function openStore(kind: string, dir: string): Promise<EventStore> {
  if (kind === 'none') return new DiscardingEventStore();
  if (kind === 'memory') return openMemoryEventStore();
  const directory = join(dir, 'data');
  mkdirSync(directory);
  return openSqliteEventStore({ directory });
}

function message<T>(child: ReturnType<typeof fork>): Promise<T> {
  return new Promise((resolve) => child.once('message', (value) => resolve(value as T)));
}
