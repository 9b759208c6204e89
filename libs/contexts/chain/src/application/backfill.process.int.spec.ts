import { createKeccak256 } from '../adapters/hash-wasm.keccak.ts';
import { CaptureRig } from '../../../../../test/load/capture-rig.ts';
import { generateBranch, generateChain } from '../../../../../test/load/generated-chain.ts';
import type { RecordedBlock } from '../../../../../test/load/recorded-chain.ts';
import { RecordedChain } from '../../../../../test/load/recorded-chain.ts';
import type { ReplayOptions } from '../../../../../test/load/replay-node.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';
import type { ObservedBlock } from '../domain/chain.events.ts';
import { verifyStore } from './verify-store.ts';

const CHAIN = '424242';
let blocks: readonly RecordedBlock[];
let capture: CaptureRig;
let node: ReplayNode;
beforeAll(async () => {
  blocks = (await generateChain({ seed: 11, blocks: 80, transactionsPerBlock: 0 })).blocks();
});
beforeEach(() => {
  capture = new CaptureRig();
});
afterEach(async () => {
  await capture.stop();
  await node.close();
});
async function followFrom(head: number, options: ReplayOptions = {}): Promise<void> {
  const chain = new RecordedChain(BigInt(CHAIN), blocks);
  chain.head = head;
  node = await ReplayNode.start(chain, options);
  await capture.start([node.url], { startBlock: 'latest', blockTimeMs: 200 });
  await capture.untilHead(CHAIN, head);
}
const observed = ({ number, hash, parentHash }: RecordedBlock): ObservedBlock => ({
  chainId: CHAIN, number, hash, parentHash, header: { hash, parentHash, number: `0x${number.toString(16)}`, timestamp: '0x1' },
  transactionCount: 0, kinds: { transfer: 0, call: 0, deploy: 0 }, verification: {}, receipts: true,
});
async function readBefore(from: number, to: number, last: number): Promise<void> {
  await capture.actors.chains.tell(CHAIN, { type: 'RequestBackfill', from, to });
  await capture.actors.backfills.tell(`${CHAIN}.${from}.${to}`, { type: 'StartBackfill', chainId: CHAIN, from, to });
  await capture.actors.backfills.tell(`${CHAIN}.${from}.${to}`, { type: 'ObserveBackfilled', blocks: blocks.slice(from, last + 1).map(observed) });
}
/** As after a long stop: the head goes on above `to`, before the capture has asked for anything between. */
async function leaveGap(to: number): Promise<void> {
  const left = capture.actors.chains.tell(CHAIN, { type: 'LeaveGap', block: observed(blocks[to + 1]!) });
  node.advanceTo(to + 2);
  await left;
}
async function findings(): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const step of verifyStore({ reader: capture.store, crypto: { keccak256: await createKeccak256() } })) if (step.kind === 'finding' || step.kind === 'hole') found.push(step);
  return found;
}

describe('a backfill beside the head', () => {
  it.each([['at the seam', 38, 39], ['in the middle of it', 33, 36]])('reads its newest blocks again when the chain left their branch %s', async (_where, fork, last) => {
    await followFrom(40);
    await readBefore(30, 39, last);
    const branch = await generateBranch({ seed: 99, transactionsPerBlock: 0 }, blocks[fork]!, 44 - fork);
    node.switchTo(branch);
    await capture.until('on the branch', () => capture.view(CHAIN), (view) => view.head?.hash === branch.at(-1)!.hash);
    capture.startBackfills();
    await capture.until('filled', () => capture.events('BackfillCompleted'), (events) => events.length === 1);
    expect(capture.backfills?.progress(CHAIN)).toEqual([]);
    expect(await findings()).toEqual([]);
  });

  it('waits in a gap for what is not final yet, and says so', async () => {
    await followFrom(20, { tags: (head) => ({ safe: head - 2, finalized: head - 5 }) });
    node.advanceTo(30);
    await capture.until('final', () => capture.view(CHAIN), (view) => view.finalized?.number === 25);
    await leaveGap(35);
    await capture.untilHead(CHAIN, 37);
    capture.startBackfills();
    await capture.until('waiting', () => capture.backfills?.progress(CHAIN)[0], (job) => job?.state === 'waiting' && job.reason === 'block 31 is not final yet');
    node.advanceTo(50);
    await capture.until('filled', () => capture.events('BackfillCompleted'), (events) => events.length === 1);
    expect(await findings()).toEqual([]);
  });
});
