/**
 * An address with a million transactions: backfilled by the built product and asked for through REST.
 * `npm run build`, then `node --conditions=source test/load/address.bench.ts [runs] [blocks of 250]`. The chain is made and captured
 * once (some minutes); a run asks for the newest page, pages on from there, and asks for the oldest.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BusyProduct } from './busy-product.ts';
import { Figures } from './figures.ts';
import { ServedChain } from './served-chain.ts';

const [, , runs = '3', blocks = '4000'] = process.argv;
const PER_BLOCK = 250;
const PAGES = 100;
const RECIPIENT = `0x${'ab'.repeat(20)}` as const;
const figures = new Figures(`a replay node, ${blocks} blocks of ${PER_BLOCK} transactions to one address, all captured and projected; pages of 25`);

const directory = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
const node = await ServedChain.start({ kind: 'growing', seed: 11, blocks: Number(blocks) + 1, transactionsPerBlock: PER_BLOCK, logsPerCall: 0, recipient: RECIPIENT });
const { url, chainId, first, last } = node.served;
const product = await BusyProduct.start(directory, url);
try {
  await product.following(chainId);
  const { id } = await product.post(`/chains/${chainId}/backfills`, { from: first, to: last - 1 });
  await product.until(`/chains/${chainId}/backfills/${String(id)}`, ({ state }) => state === 'finished', 500);
  const path = `/chains/${chainId}/addresses/${RECIPIENT}/transactions?limit=25`;
  const ask = async (more: string): Promise<{ took: number; next: string | null }> => {
    const asked = performance.now();
    const { next } = (await product.get(`${path}${more}`)) as { next: string | null };
    return { took: performance.now() - asked, next };
  };
  for (let run = 0; run < Number(runs); run += 1) {
    const newest: number[] = [];
    const deep: number[] = [];
    const oldest: number[] = [];
    for (let page = 0, after: string | null = null; page < PAGES; page += 1) {
      newest.push((await ask('')).took);
      oldest.push((await ask('&order=asc')).took);
      const one = await ask(after === null ? '' : `&after=${encodeURIComponent(after)}`);
      deep.push(one.took);
      after = one.next;
    }
    figures.addTimes('address.million.newest-page', newest, { p99: 50 });
    figures.addTimes('address.million.pages-on', deep, { p99: 50 });
    figures.addTimes('address.million.oldest-page', oldest, { p99: 50 });
  }
} finally {
  await product.stop();
  await node.stop();
  rmSync(directory, { recursive: true, force: true });
}
figures.print();
