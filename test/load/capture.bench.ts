/**
 * Capture alone, without projections and without Nest, against a replay node in another process:
 * `node --conditions=source test/load/capture.bench.ts [runs]`; one case by itself, for looking at it:
 * `node --conditions=source test/load/capture.bench.ts case [blocks] [transactions per block or mainnet] [none|memory|sqlite] [thread|inline]`.
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
import { Figures } from './figures.ts';
import { hasMainnet, ServedChain } from './served-chain.ts';

interface Row {
  readonly blocks: number;
  readonly contents: string;
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
const CASES: readonly { readonly blocks: number; readonly contents: string; readonly cpuTargetMs?: number; readonly rateTarget: number }[] = [
  { blocks: 20_000, contents: '0', rateTarget: 5_000 },
  { blocks: 2_000, contents: '40', cpuTargetMs: 2, rateTarget: 500 },
  { blocks: 800, contents: '150', cpuTargetMs: 5, rateTarget: 200 },
  { blocks: 600, contents: 'mainnet', cpuTargetMs: 9, rateTarget: 120 },
];

const [, , what = 'all', first = '2000', perBlock = '40', store = 'sqlite', where = 'thread'] = process.argv;
switch (what) {
  case 'probe':
    probe(first);
    break;
  case 'case':
    console.log(JSON.stringify(await measure(Number(first), perBlock, store, where)));
    break;
  default:
    all(what === 'all' ? 3 : Number(what));
}

/** Each case in a process of its own, so that none inherits the memory of another. */
function all(runs: number): void {
  const figures = new Figures('a replay node in a process of its own');
  for (const { blocks, contents, cpuTargetMs, rateTarget } of CASES) {
    if (contents === 'mainnet' && !hasMainnet()) continue;
    for (let run = 0; run < runs; run += 1) {
      const [before, durable] = [inOwnProcess(blocks, contents, 'none'), inOwnProcess(blocks, contents, 'sqlite')];
      const about = contents === 'mainnet' ? 'three real blocks of mainnet again and again, linked by patched headers' : `generated blocks of ${contents} transactions`;
      const source = `replay node, ${about}, ${blocks} of them, ${durable.kbPerBlock} KB each`;
      const figure = (what: string, unit: string, value: number, target?: number, lowerIsBetter = true): void =>
        figures.add(`capture.${contents === 'mainnet' ? contents : `${contents}tx`}.${what}`, value, { unit, lowerIsBetter, source, ...(target !== undefined && { target }) });
      figure('cpu-before-store', 'ms/block', before.cpuMsPerBlock, cpuTargetMs);
      figure('durable', 'blocks/s', durable.blocksPerSecond, rateTarget, false);
      figure('cpu-with-store', 'ms/block', durable.cpuMsPerBlock);
      figure('calls', 'calls/block', durable.callsPerBlock, 2);
      figure('http-requests', 'requests/block', durable.httpRequestsPerBlock, 0.1);
      figure('resident-first-block', 'MB', durable.residentFirstMb, 320);
      figure('resident-peak', 'MB', durable.residentPeakMb, 320);
      figure('resident-last-block', 'MB', durable.residentLastMb, 320);
      figure('event-loop-p99', 'ms', durable.loopDelayP99Ms);
      figure('http-answer-p99', 'ms', durable.requestP99Ms);
    }
  }
  figures.print();
}

function inOwnProcess(blocks: number, contents: string, storeKind: string): Row {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=source', '--disable-warning=ExperimentalWarning', import.meta.filename, 'case', String(blocks), contents, storeKind, where], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the case failed: ${stderr}`);
  return JSON.parse(stdout) as Row;
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

async function measure(blocks: number, contents: string, storeKind: string, place: string): Promise<Row> {
  const dir = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
  const node = await ServedChain.start(contents === 'mainnet' ? { kind: 'mainnet', blocks } : { kind: 'generated', blocks, transactionsPerBlock: Number(contents) });
  const { url, chainId, first: startBlock, last, bytesPerBlock } = node.served;
  const log = await openStore(storeKind, dir);
  const http = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
  await new Promise((resolve) => http.once('listening', resolve));
  const reader = fork(import.meta.filename, ['probe', `http://127.0.0.1:${(http.address() as AddressInfo).port}/`], { execArgv: ['--conditions=source'] });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const rig = new CaptureRig(log, { thread: place === 'thread' });
  const delay = monitorEventLoopDelay({ resolution: 2 });
  const resident: number[] = [];
  const startedAt = performance.now();
  await rig.start([url], { chainId, startBlock, finality: { depth: 64 } });
  const begun = await rig.until('begun', () => rig.view(chainId), (view) => view.head !== undefined, 60_000);
  // From here on, so that starting threads and compiling does not count: a user waits for it once.
  const done = (begun.head?.number ?? startBlock) - startBlock + 1;
  const before = process.cpuUsage();
  delay.enable();
  const sampling = setInterval(() => resident.push(process.memoryUsage.rss()), 50);
  await rig.until('done', () => rig.view(chainId), (view) => view.head?.number === last, 600_000);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(before);
  delay.disable();
  clearInterval(sampling);
  const { requests, calls } = await node.counts();
  reader.send('end');
  const { p99 } = await message<{ p99: number }>(reader);
  resident.push(process.memoryUsage.rss());
  await rig.stop();
  await log.close();
  await node.stop();
  reader.kill();
  http.close();
  http.closeAllConnections();
  rmSync(dir, { recursive: true, force: true });
  const mb = (value: number): number => Math.round(value / 1e6);
  return {
    blocks,
    contents,
    store: storeKind,
    kbPerBlock: Math.round(bytesPerBlock / 100) / 10,
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
