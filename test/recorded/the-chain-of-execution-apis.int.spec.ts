import { describeWithFixtures } from '#platform/testing';
import { CaptureRig } from '../load/capture-rig.ts';
import { executionApisChain } from '../load/execution-apis-chain.ts';
import { ReplayNode } from '../load/replay-node.ts';
import type { ReplayOptions } from '../load/replay-node.ts';
import type { Fields } from './as-the-api-writes-it.ts';
import { expectEveryField } from './every-field.ts';
import { servedInProcess } from './served-in-process.ts';

const CHAIN_ID = '3503995874084926';
const HEAD = '0xd226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7';
const TAGS = { safe: 54, finalized: 54 };

describeWithFixtures('the chain of execution-apis, 54 blocks over every fork', (dir) => {
  const made = executionApisChain(dir);
  const blocks = made.chain.blocks().map(({ block, receipts }) => ({ block: parsed<Fields>(block), receipts: parsed<Fields[]>(receipts) }));

  const ending: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end();
  });

  it('is served as its own node answered, where that was recorded', () => {
    expect(made.recordedBlocks.size).toBeGreaterThanOrEqual(8);
    for (const [number, recorded] of made.recordedBlocks) {
      const served = blocks[number]!.block as { transactions: { hash: string }[] };
      const hashesOnly = (recorded['transactions'] as unknown[]).some((one) => typeof one === 'string');
      expect(hashesOnly ? { ...served, transactions: served.transactions.map(({ hash }) => hash) } : served).toEqual(recorded);
    }
  });

  it('has the receipts that its own node answered, where that was recorded', () => {
    const receipts = new Map(blocks.flatMap((block) => block.receipts).map((receipt) => [receipt['transactionHash'], receipt]));
    expect(receipts.size).toBe(249);
    expect(made.recordedReceipts.size).toBeGreaterThanOrEqual(8);
    for (const [hash, recorded] of made.recordedReceipts) expect(receipts.get(hash)).toEqual(recorded);
  });

  it.each<[string, (node: ReplayNode) => string, ReplayOptions]>([
    ['over http from a node with the limits of geth', (node) => node.url, { maxBatch: 1_000, maxAnswerBytes: 25_000_000 }],
    ['over ws from a node with limits ten times as tight', (node) => node.wsUrl, { maxBatch: 10, maxAnswerBytes: 250_000 }],
  ])('is captured %s: every field of every block, transaction, receipt and log is what the node answered, and all roots verify', async (_how, url, limits) => {
    const node = await ReplayNode.start(made.chain, { ...limits, tags: () => TAGS });
    const capture = new CaptureRig();
    ending.push(() => node.close(), () => capture.stop());
    await capture.start([url(node)], { requestTimeoutMs: 30_000 });
    const view = await capture.untilHead(CHAIN_ID, 54, 40_000);
    expect(view.head?.hash).toBe(HEAD);
    await capture.until('finalized at 54', () => capture.view(CHAIN_ID), ({ finalized }) => finalized?.number === 54);
    const served = await servedInProcess(capture.store);
    ending.push(() => served.close());
    let logs = 0;
    for (const block of blocks) logs += await expectEveryField({ api: served.api, chainId: CHAIN_ID, finality: () => 'finalized' }, block);
    expect(logs).toBe(LOGS);
    expect(await served.api(`/chains/${CHAIN_ID}`)).toMatchObject({ blocks: 55, transactions: 249, head: { number: 54, hash: HEAD }, safe: { number: 54 }, finalized: { number: 54 } });
    expect(await served.api(`/chains/${CHAIN_ID}/blocks?limit=500`)).toMatchObject({ items: { length: 55 }, next: null });
  });
});

/** In 140 of the receipts; the largest has 190 KB of data, and block 2 has sixty of them. */
const LOGS = 383;

function parsed<T>(bytes: Buffer): T {
  return JSON.parse(bytes.toString()) as T;
}
