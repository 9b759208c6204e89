/**
 * Backfills by the built product, with projections running and the node beside it on the same machine: `npm run build`,
 * then `node --conditions=source test/load/backfill.bench.ts [runs] [case] [blocks]`. Durable is told by the log itself; in
 * read models, by asking for the finished backfill. Resident memory is that of the whole process.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BusyProduct, metric } from './busy-product.ts';
import { Figures } from './figures.ts';
import { type ChainToServe, hasMainnet, ServedChain } from './served-chain.ts';

interface Case {
  readonly name: string;
  readonly chain: ChainToServe;
  readonly target: number;
  readonly about: string;
}

const [, , runs = '3', only = '', blocks] = process.argv;
const count = (usual: number): number => Number(blocks ?? usual);
const CASES: readonly Case[] = [
  { name: 'empty', chain: { kind: 'generated', blocks: count(20_000), transactionsPerBlock: 0 }, target: 5_000, about: 'generated blocks without transactions' },
  { name: '40tx', chain: { kind: 'generated', blocks: count(3_000), transactionsPerBlock: 40 }, target: 500, about: 'generated blocks of 40 transactions' },
  { name: '150tx', chain: { kind: 'generated', blocks: count(1_200), transactionsPerBlock: 150 }, target: 200, about: 'generated blocks of 150 transactions' },
  { name: 'mainnet', chain: { kind: 'mainnet', blocks: count(900) }, target: 120, about: 'three real blocks of mainnet again and again, linked by patched headers' },
];
const SAMPLE_MS = 250;
const figures = new Figures('a replay node in a process of its own');

async function measure({ name, chain, target, about }: Case): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
  const node = await ServedChain.start(chain);
  const { url, chainId, first, last, bytesPerBlock } = node.served;
  const product = await BusyProduct.start(directory, url);
  try {
    await product.following(chainId);
    const before = await node.counts();
    const cpu = async (): Promise<number> => metric(await product.metrics(), 'process_cpu_seconds_total');
    const cpuBefore = await cpu();
    const resident = [await product.residentMb()];
    const sampling = setInterval(() => void product.residentMb().then((mb) => resident.push(mb), () => undefined), SAMPLE_MS);
    const asked = performance.now();
    const [from, to] = [first, last - 1];
    const { id } = await product.post(`/chains/${chainId}/backfills`, { from, to });
    const { blocksPerSecond } = await product.until(`/chains/${chainId}/backfills/${String(id)}`, ({ state }) => state === 'finished');
    const seconds = (performance.now() - asked) / 1_000;
    clearInterval(sampling);
    const after = await node.counts();
    const source = `replay node, ${about}, ${to - from + 1} of them, ${Math.round(bytesPerBlock / 1_000)} KB each`;
    const figure = (what: string, value: number, unit: string, wanted?: number, lowerIsBetter = true): void =>
      figures.add(`backfill.${name}.${what}`, value, { unit, lowerIsBetter, source, ...(wanted !== undefined && { target: wanted }) });
    figure('durable', Number(blocksPerSecond), 'blocks/s', target, false);
    figure('in-read-models', (to - from + 1) / seconds, 'blocks/s', undefined, false);
    figure('cpu', (((await cpu()) - cpuBefore) * 1_000) / (to - from + 1), 'ms/block');
    figure('calls', (after.calls - before.calls) / (to - from + 1), 'calls/block', 2);
    figure('http-requests', (after.requests - before.requests) / (to - from + 1), 'requests/block', 0.1);
    figure('resident-first-block', resident[0] ?? Number.NaN, 'MB', 320);
    figure('resident-peak', Math.max(...resident), 'MB', 320);
    figure('resident-last-block', resident.at(-1) ?? Number.NaN, 'MB', 320);
  } finally {
    await product.stop();
    await node.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

for (const each of CASES) {
  if (!each.name.includes(only) || (each.name === 'mainnet' && !hasMainnet())) continue;
  for (let run = 0; run < Number(runs); run += 1) await measure(each);
}
figures.print();
