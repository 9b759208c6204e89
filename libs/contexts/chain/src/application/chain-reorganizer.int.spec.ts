import { CaptureRig } from '../../../../../test/load/capture-rig.ts';
import { generateBranch, generateChain } from '../../../../../test/load/generated-chain.ts';
import type { RecordedBlock } from '../../../../../test/load/recorded-chain.ts';
import { RecordedChain } from '../../../../../test/load/recorded-chain.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';

const CHAIN = '424242';
let blocks: readonly RecordedBlock[];
const rigs: CaptureRig[] = [];
const stubs: ReplayNode[] = [];
beforeAll(async () => {
  blocks = (await generateChain({ seed: 11, blocks: 80, transactionsPerBlock: 1 })).blocks();
});
afterEach(async () => {
  await Promise.all(rigs.splice(0).map((one) => one.stop()));
  await Promise.all(stubs.splice(0).map((one) => one.close()));
});
async function stub(head: number): Promise<ReplayNode> {
  const chain = new RecordedChain(BigInt(CHAIN), blocks);
  chain.head = head;
  const made = await ReplayNode.start(chain);
  stubs.push(made);
  return made;
}
/** Blocks above its head are unknown by hash too. */
async function syncing(head: number): Promise<ReplayNode> {
  const node = await stub(head);
  node.chain.rollBackTo(head);
  return node;
}
function rig(): CaptureRig {
  const made = new CaptureRig();
  rigs.push(made);
  return made;
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a fallback provider that is still syncing', () => {
  it('does not stop a chain by being below what is final, and the first one is used again when it is back', async () => {
    const [first, second] = [await stub(60), await syncing(40)];
    const capture = rig();
    await capture.start([first.url, second.url], { finality: { depth: 5 }, blockTimeMs: 200 });
    await capture.until('final', () => capture.view(CHAIN), (view) => view.finalized?.number === 55);
    first.faults.add({ does: { kind: 'cut' } });
    await pause(2_000);
    expect((await capture.view(CHAIN)).status).toBe('following');
    first.faults.clear();
    first.advanceTo(65);
    await capture.untilHead(CHAIN, 65);
    expect(await capture.events('ChainStopped')).toEqual([]);
  });

  it('is not believed to have rolled the chain back while the first one can not be asked', async () => {
    const [first, second] = [await stub(60), await syncing(40)];
    const capture = rig();
    await capture.start([first.url, second.url], { blockTimeMs: 200 });
    await capture.untilHead(CHAIN, 60);
    first.faults.add({ does: { kind: 'cut' } });
    await pause(2_000);
    expect(await capture.events('ChainReorganized')).toEqual([]);
    expect((await capture.view(CHAIN)).head?.number).toBe(60);
  });
});

describe('a fallback provider that is left on a dead branch', () => {
  it('does not stop the chain while the first one can not be asked', async () => {
    const [first, second] = [await stub(60), await stub(60)];
    second.switchTo(await generateBranch({ seed: 98, transactionsPerBlock: 1 }, blocks[50]!, 11), false);
    const capture = rig();
    await capture.start([first.url, second.url], { finality: { depth: 5 }, blockTimeMs: 200 });
    await capture.until('final', () => capture.view(CHAIN), (view) => view.finalized?.number === 55);
    first.faults.add({ does: { kind: 'cut' } });
    await pause(2_000);
    first.faults.clear();
    first.advanceTo(65);
    await capture.untilHead(CHAIN, 65);
    expect(await capture.events('ChainStopped')).toEqual([]);
  });
});

describe('a rollback', () => {
  it('is followed when every provider shows it', async () => {
    const both = [await stub(60), await stub(60)];
    const capture = rig();
    await capture.start(both.map(({ url }) => url), { blockTimeMs: 200 });
    await capture.untilHead(CHAIN, 60);
    for (const node of both) node.chain.rollBackTo(50);
    await capture.untilHead(CHAIN, 50);
  });
});

describe('a chain begun in the middle', () => {
  it('stops, and says why, when the branch under it was backfilled and is left', async () => {
    const node = await stub(30);
    const capture = rig();
    await capture.start([node.url], { startBlock: 'latest', blockTimeMs: 200 });
    await capture.untilHead(CHAIN, 30);
    capture.startBackfills();
    await capture.actors.chains.tell(CHAIN, { type: 'RequestBackfill', from: 0, to: 29 });
    await capture.until('filled', () => capture.events('BackfillCompleted'), (events) => events.length === 1);
    node.switchTo(await generateBranch({ seed: 99, transactionsPerBlock: 1 }, blocks[20]!, 14));
    await capture.until('stopped', () => capture.view(CHAIN), (view) => view.status === 'stopped');
    expect((await capture.events('ChainStopped'))[0]!.data).toMatchObject({ code: 'reorg-below-first-block' });
    expect(await capture.events('ChainReorganized')).toEqual([]);
  });
});
