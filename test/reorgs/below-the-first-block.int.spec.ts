import type { CaptureRig } from '../load/capture-rig.ts';
import { generateBranch, generateChain } from '../load/generated-chain.ts';
import type { RecordedBlock } from '../load/recorded-chain.ts';
import type { ReplayNode } from '../load/replay-node.ts';
import type { Onlooker } from './onlooker.ts';
import { servedBy } from './onlooker.ts';
import { GENERATED, Stage } from './stage.ts';

const FIRST = 30;
const HEAD = 40;
const stage = new Stage();
let blocks: readonly RecordedBlock[];
let node: ReplayNode;
let capture: CaptureRig;
let onlooker: Onlooker;
beforeAll(async () => {
  blocks = (await generateChain({ seed: 61, blocks: HEAD + 1, transactionsPerBlock: 1 })).blocks();
});
afterEach(() => stage.clear());

type Ranges = readonly (readonly [from: number, to: number])[];
async function request(ranges: Ranges, completions: number): Promise<void> {
  for (const [from, to] of ranges) await capture.actors.chains.tell(GENERATED, { type: 'RequestBackfill', from, to });
  await completed(completions);
}
const completed = (times: number): Promise<unknown> => capture.until('filled', () => capture.events('BackfillCompleted'), (events) => events.length === times);

/** Followed from FIRST on, with these ranges complete; then the node has another branch, and the chain stops. */
async function left(ranges: Ranges, fork: number, newHead: number): Promise<void> {
  node = await stage.replay(blocks, { head: FIRST });
  capture = stage.capture();
  onlooker = await stage.onlooker(capture.store, GENERATED);
  await capture.start([node.url], { startBlock: 'latest', blockTimeMs: 200 });
  await capture.untilHead(GENERATED, FIRST);
  node.advanceTo(HEAD);
  await capture.untilHead(GENERATED, HEAD);
  capture.startBackfills();
  await request(ranges, ranges.length);
  node.switchTo(await generateBranch({ seed: 62, transactionsPerBlock: 2 }, blocks[fork]!, newHead - fork));
  await capture.until('stopped', () => capture.view(GENERATED), ({ status }) => status === 'stopped');
}
async function resumed(): Promise<void> {
  await capture.actors.chains.tell(GENERATED, { type: 'ResumeChain', reason: 'the branch is right' });
  const { hash } = node.chain.at(node.chain.head)!;
  await capture.until('on the branch of the node', () => capture.view(GENERATED), ({ head }) => head?.hash === hash);
}

describe('a branch that leaves below the first block, where backfills hold what stands there', () => {
  it.each<[string, Ranges, number, number]>([
    ['one, of which the upper part is left', [[0, 29]], 20, 44],
    ['one, by a branch with a lower head', [[0, 29]], 20, 34],
    ['two, of which the lower one is left in part', [[15, 29], [0, 14]], 7, 44],
    ['two, of which the lower one stands', [[15, 29], [0, 14]], 14, 44],
  ])('stops the chain; once it is resumed, the complete ranges are captured again: %s', async (_what, ranges, fork, newHead) => {
    await left(ranges, fork, newHead);
    expect((await capture.events('ChainStopped')).map(({ data }) => data['code'])).toEqual(['reorg-below-first-block']);
    expect(await capture.events('ChainReorganized')).toEqual([]);
    await resumed();
    await completed(2 * ranges.length);
    await onlooker.expectGoldenRule(servedBy(node), [[HEAD, FIRST - 1]]);
    expect((await onlooker.read.explorer.backfills(GENERATED, { limit: 9, order: 'asc' })).items.map(({ state, percent }) => [state, percent])).toEqual(ranges.map(() => ['finished', 100]));
  });

  it('leaves nothing of the old one in a range that touches no other', async () => {
    await left([[20, 29], [0, 9]], 5, 44);
    await resumed();
    await completed(4);
    await request([[10, 19]], 5);
    await onlooker.expectGoldenRule(servedBy(node), [[HEAD, FIRST - 1]]);
  });

  it('is forgotten when the node comes back and the chain is resumed on it: what stands is not captured again', async () => {
    await left([[0, 29]], 20, 44);
    const asked = (await capture.events('BackfillStarted')).length;
    node.switchTo(blocks.slice(21));
    await resumed();
    await completed(2);
    await onlooker.expectGoldenRule(servedBy(node), [[HEAD, FIRST - 1]]);
    expect(await capture.events('BackfillStarted')).toHaveLength(asked);
  });

  it('may be left for another one while the ranges are captured again', async () => {
    await left([[0, 29]], 20, 44);
    const hold = node.faults.add({ method: 'eth_getBlockByNumber', when: ({ params }) => params[1] === true && Number(params[0]) < 15, does: { kind: 'null' } });
    await resumed();
    node.switchTo(await generateBranch({ seed: 63, transactionsPerBlock: 1 }, blocks[12]!, 34));
    await capture.until('on the branch of the node', () => capture.view(GENERATED), ({ head, status }) => status === 'stopped' || head?.hash === node.chain.at(46)!.hash);
    hold();
    await completed(2);
    await onlooker.expectGoldenRule(servedBy(node), [[HEAD, FIRST - 1]]);
  });
});
