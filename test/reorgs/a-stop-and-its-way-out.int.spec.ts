import type { CaptureRig } from '../load/capture-rig.ts';
import { generateBranch, generateChain } from '../load/generated-chain.ts';
import type { RecordedBlock } from '../load/recorded-chain.ts';
import type { ReplayNode } from '../load/replay-node.ts';
import { servedBy } from './onlooker.ts';
import { GENERATED, Stage } from './stage.ts';

const stage = new Stage();
let blocks: readonly RecordedBlock[];
beforeAll(async () => {
  blocks = (await generateChain({ seed: 51, blocks: 45, transactionsPerBlock: 1 })).blocks();
});
afterEach(() => stage.clear());

const branchAt = (fork: number, length: number): Promise<RecordedBlock[]> => generateBranch({ seed: 52, transactionsPerBlock: 2 }, blocks[fork]!, length);
const resume = (capture: CaptureRig): Promise<unknown> => capture.actors.chains.tell(GENERATED, { type: 'ResumeChain', reason: 'the node is right' });
async function stopped(capture: CaptureRig, times = 1): Promise<unknown> {
  await capture.until('stopped', () => capture.events('ChainStopped'), (events) => events.length === times);
  await capture.until('shown as stopped', () => capture.board.get(GENERATED)?.state, (state) => state === 'stopped');
  return (await capture.events('ChainStopped')).at(-1)!.data['code'];
}
async function followed(capture: CaptureRig, node: ReplayNode): Promise<void> {
  const { hash } = node.chain.at(node.chain.head)!;
  await capture.until('on the branch of the node', () => capture.view(GENERATED), ({ head, status }) => head?.hash === hash && status === 'following');
}

describe('a branch that leaves below what is final', () => {
  const TAGS = (head: number) => ({ safe: head - 2, finalized: head - 5 });
  async function left(): Promise<{ readonly node: ReplayNode; readonly capture: CaptureRig }> {
    const node = await stage.replay(blocks, { head: 20, tags: TAGS });
    const capture = stage.capture();
    await capture.start([node.wsUrl], { blockTimeMs: 200 });
    await capture.until('final', () => capture.view(GENERATED), ({ finalized }) => finalized?.number === 15);
    node.switchTo(await branchAt(10, 16));
    expect(await stopped(capture)).toBe('reorg-below-finalized');
    return { node, capture };
  }

  it('stops the chain with a reason, and nothing of the branch is read', async () => {
    const { capture } = await left();
    expect(capture.board.get(GENERATED)?.reason).toContain('below the block that was final');
    const onlooker = await stage.onlooker(capture.store, GENERATED);
    await onlooker.read.caughtUp();
    expect(await onlooker.read.explorer.chain(GENERATED)).toMatchObject({ head: { hash: blocks[20]!.hash }, blocks: 21, stop: { code: 'reorg-below-finalized' } });
    expect(await capture.events('ChainReorganized')).toEqual([]);
  });

  it('is followed once it is resumed, and finality rises on it', async () => {
    const { node, capture } = await left();
    const onlooker = await stage.onlooker(capture.store, GENERATED);
    await resume(capture);
    await followed(capture, node);
    await capture.until('final', () => capture.view(GENERATED), ({ finalized }) => finalized?.hash === node.chain.at(21)!.hash);
    await onlooker.expectGoldenRule(servedBy(node));
    expect(await onlooker.read.explorer.chain(GENERATED)).toMatchObject({ finalized: { number: 21 } });
  });

  it('is left again by a node that comes back, which resuming follows too', async () => {
    const { node, capture } = await left();
    const onlooker = await stage.onlooker(capture.store, GENERATED);
    node.switchTo(blocks.slice(11, 30));
    await resume(capture);
    await followed(capture, node);
    await onlooker.expectGoldenRule(servedBy(node));
    expect(await capture.events('ChainReorganized')).toEqual([]);
  });
});

describe.each([0, 5])('a node with another genesis, for a chain that is captured from block %i on', (startBlock) => {
  const other = async (): Promise<readonly RecordedBlock[]> => (await generateChain({ seed: 53, blocks: 40, transactionsPerBlock: 1 })).blocks();

  it('stops the chain with a reason, also after it is resumed; with the right node resuming goes on', async () => {
    const node = await stage.replay(blocks, { head: 20 });
    const before = stage.capture();
    await before.start([node.url], { startBlock });
    await before.untilHead(GENERATED, 20);
    await before.stop();
    const wrong = stage.capture(before.store);
    // Its head alone would contradict nothing.
    await wrong.start([(await stage.replay(await other(), { head: 3 })).url], { startBlock });
    expect(await stopped(wrong)).toBe('genesis-changed');
    expect(wrong.board.get(GENERATED)?.reason).toContain('another genesis');
    expect(await wrong.events('ChainReorganized', 'BranchBlockObserved')).toEqual([]);
    await resume(wrong);
    expect(await stopped(wrong, 2)).toBe('genesis-changed');
    await wrong.stop();
    node.advanceTo(30);
    const right = stage.capture(before.store);
    const onlooker = await stage.onlooker(right.store, GENERATED);
    await right.start([node.url], { startBlock });
    expect(await stopped(right, 2)).toBe('genesis-changed');
    await resume(right);
    await followed(right, node);
    await onlooker.expectGoldenRule(servedBy(node, startBlock));
    expect(await right.events('ChainReorganized')).toEqual([]);
  });

  it('stops the chain also when it takes the place of the right one while that is followed', async () => {
    const node = await stage.replay(blocks, { head: 20 });
    const capture = stage.capture();
    const onlooker = await stage.onlooker(capture.store, GENERATED);
    await capture.start([node.wsUrl], { startBlock, blockTimeMs: 200 });
    await capture.untilHead(GENERATED, 20);
    node.switchTo(await other());
    expect(await stopped(capture)).toBe('genesis-changed');
    await resume(capture);
    expect(await stopped(capture, 2)).toBe('genesis-changed');
    node.switchTo(blocks.slice(0, 31));
    await resume(capture);
    await followed(capture, node);
    await onlooker.expectGoldenRule(servedBy(node, startBlock));
  });
});
