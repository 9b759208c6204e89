/**
 * Speed of capture against a replay node in another process: `node --conditions=source test/load/capture-bench.ts
 * [blocks] [transactions per block] [memory|sqlite]`. Prints, never asserts.
 */
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openMemoryEventStore, openSqliteEventStore } from '../../libs/platform/event-store/src/index.ts';
import { CaptureRig } from './capture-rig.ts';
import { generateChain } from './generated-chain.ts';
import { ReplayNode } from './replay-node.ts';

const [, , first = '2000', perBlock = '40', store = 'sqlite', serve] = process.argv;
// Made in the process that serves it, so that only capturing is measured here.
if (serve === 'serve') {
  const chain = await generateChain({ seed: 5, blocks: Number(first), transactionsPerBlock: Number(perBlock) });
  const node = await ReplayNode.start(chain);
  process.send?.({ url: node.url, chainId: chain.chainId.toString(), bytes: chain.bytes });
  process.on('message', () => process.send?.({ requests: node.requests, calls: [...node.calls] }));
} else await measure(Number(first), Number(perBlock), store);

async function measure(blocks: number, transactionsPerBlock: number, storeKind: string): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
  const server = fork(import.meta.filename, [String(blocks), String(transactionsPerBlock), storeKind, 'serve'], { execArgv: ['--conditions=source'] });
  const { url, chainId, bytes } = await message<{ url: string; chainId: string; bytes: number }>(server);
  const log = storeKind === 'memory' ? openMemoryEventStore() : await openSqliteEventStore({ directory: dataDirectory(dir) });
  const rig = new CaptureRig(log);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await rig.start([url], { chainId, finality: { depth: 64 } });
  await rig.until('done', () => rig.view(chainId), (view) => view.head?.number === blocks - 1, 600_000);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(before);
  server.send('counts');
  const { requests } = await message<{ requests: number }>(server);
  const row = {
    blocks,
    transactionsPerBlock,
    store: storeKind,
    kbPerBlock: Math.round(bytes / blocks / 100) / 10,
    blocksPerSecond: Math.round(blocks / seconds),
    transactionsPerSecond: Math.round((blocks * transactionsPerBlock) / seconds),
    cpuMsPerBlock: Math.round((cpu.user + cpu.system) / blocks / 10) / 100,
    httpRequestsPerBlock: Math.round((requests / blocks) * 1000) / 1000,
    residentMb: Math.round(process.memoryUsage.rss() / 1e6),
    loopDelayP99Ms: Math.round(delay.percentile(99) / 1e5) / 10,
  };
  console.log(JSON.stringify(row));
  await rig.stop();
  await log.close();
  server.kill();
  rmSync(dir, { recursive: true, force: true });
}

function message<T>(child: ReturnType<typeof fork>): Promise<T> {
  return new Promise((resolve) => child.once('message', (value) => resolve(value as T)));
}

function dataDirectory(dir: string): string {
  const made = join(dir, 'data');
  mkdirSync(made);
  return made;
}
