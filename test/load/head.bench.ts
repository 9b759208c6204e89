/**
 * A block of a live chain on its way through the built product: `npm run build`, then
 * `node --conditions=source test/load/head.bench.ts [runs] [blocks]`. From the node's notification to the block's event on
 * the live line of the log, which tells only what is durable; and from there to the block in an answer of REST.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BusyProduct } from './busy-product.ts';
import { Figures } from './figures.ts';
import { type ChainToServe, hasMainnet, ServedChain } from './served-chain.ts';

const [, , runs = '3', heads = '300'] = process.argv;
const HEADS = Number(heads);
const HEAD_EVERY_MS = 200;
/** Code is compiled and buffers are made while the first ones come; a chain is followed for longer than that. */
const WARM_UP = 30;
const figures = new Figures('a replay node in a process of its own, a new head every 200 ms');

interface Case {
  readonly name: string;
  readonly chain: ChainToServe;
  readonly durable: { readonly p50: number; readonly p99?: number };
}
const CASES: readonly Case[] = [
  { name: '40tx', chain: { kind: 'growing', seed: 7, blocks: HEADS + WARM_UP + 1, transactionsPerBlock: 40, hidden: HEADS + WARM_UP }, durable: { p50: 8, p99: 25 } },
  { name: 'mainnet', chain: { kind: 'mainnet', blocks: HEADS + WARM_UP + 1, hidden: HEADS + WARM_UP }, durable: { p50: 20 } },
];

async function follow({ name, chain, durable }: Case): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
  const node = await ServedChain.start(chain);
  const { wsUrl, chainId, first, last } = node.served;
  const product = await BusyProduct.start(directory, wsUrl);
  const toDurable: number[] = [];
  const toVisible: number[] = [];
  try {
    await product.following(chainId);
    const line = product.listen('BlockObserved');
    for (let head = first + 1; head <= last; head += 1) {
      await wait(HEAD_EVERY_MS);
      const announced = await node.advanceTo(head);
      const { position, heardAt, data } = await line.next();
      const answer = await product.get(`/chains/${chainId}/blocks/${head}?atLeast=${encodeURIComponent(position)}`);
      const visibleAt = performance.timeOrigin + performance.now();
      if (answer['number'] !== head || data['number'] !== head) throw new Error(`asked for block ${head}: ${JSON.stringify(answer)}`);
      if (head <= first + WARM_UP) continue;
      toDurable.push(heardAt - announced);
      toVisible.push(visibleAt - heardAt);
    }
    line.stop();
  } finally {
    await product.stop();
    await node.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  figures.addTimes(`head.${name}.notified-to-durable`, toDurable, durable);
  figures.addTimes(`head.${name}.durable-to-visible`, toVisible, { p99: 10 });
}

for (const each of CASES) {
  if (each.name === 'mainnet' && !hasMainnet()) continue;
  for (let run = 0; run < Number(runs); run += 1) await follow(each);
}
figures.print();
