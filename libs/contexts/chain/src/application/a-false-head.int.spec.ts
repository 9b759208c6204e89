import { CaptureRig } from '../../../../../test/load/capture-rig.ts';
import { generateChain } from '../../../../../test/load/generated-chain.ts';
import type { RecordedBlock } from '../../../../../test/load/recorded-chain.ts';
import { RecordedChain, recordBlock } from '../../../../../test/load/recorded-chain.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';
import { expectNothingInvented } from '../../../../../test/simulation/invariants-of-the-log.ts';
import { SwiftClock } from '../../../../../test/simulation/swift-clock.ts';

const CHAIN = '424242';
const HEAD = 39;
const SPEED = 20;
/** Longer than any penalty. */
const TWO_HOURS = 7_200_000;
const NOWHERE = `0x${'ab'.repeat(32)}`;

let blocks: readonly RecordedBlock[];
const ending: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  blocks = (await generateChain({ seed: 11, blocks: HEAD + 10, transactionsPerBlock: 2 })).blocks();
});
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function stub(): Promise<ReplayNode> {
  const chain = new RecordedChain(BigInt(CHAIN), blocks);
  chain.head = HEAD;
  const node = await ReplayNode.start(chain);
  ending.push(() => node.close());
  return node;
}

async function following(urls: readonly string[], blockTimeMs: number, clock = new SwiftClock(SPEED)): Promise<CaptureRig> {
  const capture = new CaptureRig(undefined, { clock });
  ending.push(() => capture.stop());
  await capture.start(urls, { blockTimeMs, chainId: CHAIN });
  await capture.untilHead(CHAIN, HEAD);
  return capture;
}

async function expectNothingButTheChain(capture: CaptureRig, head: number): Promise<void> {
  const events = await capture.events();
  expectNothingInvented(events, new Map(blocks.map((one) => [one.hash, one])));
  expect(events.filter(({ type }) => type === 'BlockObserved').map(({ data }) => data['number'])).toEqual(Array.from({ length: head + 1 }, (_, number) => number));
  expect(events.filter(({ type }) => /Stopped|Reorganized|Backfill|Branch/.test(type))).toEqual([]);
}

/** A header that no block stands behind. */
function invented(number: number, parentHash: string | undefined): Record<string, unknown> {
  const { transactions: _, ...header } = JSON.parse(blocks[HEAD + 1]!.block.toString()) as Record<string, unknown>;
  return { ...header, hash: `0x${'cd'.repeat(32)}`, parentHash: parentHash ?? blocks[HEAD]!.hash, number: `0x${number.toString(16)}` };
}

const ofLatest = (edit: () => unknown) => ({ method: 'eth_getBlockByNumber', when: ({ params }: { params: readonly unknown[] }) => params[0] === 'latest', does: { kind: 'edit' as const, edit } });

describe('a head whose block or parents do not exist', () => {
  const heads: readonly [string, number, string | undefined][] = [
    ['a next block on no parent of ours', HEAD + 1, NOWHERE],
    ['a next block on our head', HEAD + 1, undefined],
    ['our own number', HEAD, NOWHERE],
    ['a lower number', HEAD - 10, NOWHERE],
    ['a number some way above', HEAD + 100, NOWHERE],
    ['a number so far above that the way there is left to a backfill', HEAD + 50_000, NOWHERE],
  ];

  it.each(heads)('changes nothing when it is announced (%s), and the next true one is captured', async (_which, number, parentHash) => {
    const node = await stub();
    const capture = await following([node.wsUrl], 60_000);
    await capture.until('subscribed', () => node.calls.get('eth_subscribe') ?? 0, (times) => times > 0);
    const [before, asked] = [await capture.events(), node.requests];
    node.announce(recordBlock({ ...invented(number, parentHash), transactions: [] }, []));
    await capture.until('asked about it', () => node.requests, (requests) => requests > asked);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await capture.events()).toEqual(before);
    node.advanceTo(HEAD + 1);
    await capture.untilHead(CHAIN, HEAD + 1);
    await expectNothingButTheChain(capture, HEAD + 1);
  });

  it.each(heads)('changes nothing when it is all that the first provider tells (%s), and the honest second one is followed', async (_which, number, parentHash) => {
    const [liar, honest] = [await stub(), await stub()];
    const capture = await following([liar.url, honest.url], 400);
    liar.faults.add(ofLatest(() => invented(number, parentHash)));
    for (let next = HEAD + 1; next < HEAD + 4; next += 1) {
      honest.advanceTo(next);
      await capture.untilHead(CHAIN, next);
    }
    await expectNothingButTheChain(capture, HEAD + 3);
  });
});

describe('a first provider that stands still', () => {
  const penalties = (capture: CaptureRig): unknown[] => capture.lines.filter(({ message }) => message === 'provider is unwell').map(({ fields }) => fields['code']);

  it('is left for one that goes on, and used again when it has the block that it lacked', async () => {
    const [still, honest] = [await stub(), await stub()];
    const clock = new SwiftClock(SPEED);
    const capture = await following([still.url, honest.url], 400, clock);
    for (let next = HEAD + 1; next < HEAD + 4; next += 1) {
      honest.advanceTo(next);
      await capture.untilHead(CHAIN, next);
      clock.leap(TWO_HOURS);
    }
    expect(capture.board.get(CHAIN)?.providers).toContainEqual({ label: still.url, healthy: false, reason: `The node stands still below block ${HEAD + 1}, which another one has` });
    for (const node of [still, honest]) node.advanceTo(HEAD + 4);
    await capture.untilHead(CHAIN, HEAD + 4);
    clock.leap(TWO_HOURS);
    await capture.until('back', () => capture.lines, (lines) => lines.some(({ message }) => message === 'provider is back'));
    expect(penalties(capture)).toEqual(['node-stands-still']);
  });

  it('because a cache tells its old head, though it has the blocks, is left too', async () => {
    const [cached, honest] = [await stub(), await stub()];
    const capture = await following([cached.url, honest.url], 400);
    cached.faults.add(ofLatest(() => JSON.parse(blocks[HEAD]!.block.toString()) as unknown));
    for (const node of [cached, honest]) node.advanceTo(HEAD + 5);
    await capture.untilHead(CHAIN, HEAD + 5);
    expect(penalties(capture)).toEqual(['node-stands-still']);
    await expectNothingButTheChain(capture, HEAD + 5);
  });

  it('by the word of one that makes the next block up keeps its place, and the true one is captured of it', async () => {
    const [waiting, liar] = [await stub(), await stub()];
    const clock = new SwiftClock(SPEED);
    const capture = await following([waiting.url, liar.url], 400, clock);
    const isNext = ({ params }: { params: readonly unknown[] }): boolean => params[0] === `0x${(HEAD + 1).toString(16)}`;
    liar.faults.add({ method: 'eth_getBlockByNumber', when: isNext, does: { kind: 'edit', edit: () => invented(HEAD + 1, undefined) } });
    const asked = liar.calls.get('eth_getBlockByHash') ?? 0;
    clock.leap(60_000);
    await capture.until('asked for the whole of it', () => liar.calls.get('eth_getBlockByHash') ?? 0, (times) => times > asked);
    await liar.close();
    waiting.advanceTo(HEAD + 1);
    await capture.untilHead(CHAIN, HEAD + 1);
    expect(penalties(capture)).not.toContain('node-stands-still');
    await expectNothingButTheChain(capture, HEAD + 1);
  });

  it('is still asked, as the last, when the one that it was left for is gone', async () => {
    const [still, ahead] = [await stub(), await stub()];
    // Its penalty is longer than anybody waits here.
    const clock = new SwiftClock(1);
    const capture = await following([still.url, ahead.url], 400, clock);
    ahead.advanceTo(HEAD + 1);
    clock.leap(20_000);
    await capture.untilHead(CHAIN, HEAD + 1);
    expect(penalties(capture)).toContain('node-stands-still');
    await ahead.close();
    still.advanceTo(HEAD + 2);
    await capture.untilHead(CHAIN, HEAD + 2);
    await expectNothingButTheChain(capture, HEAD + 2);
  });

  it('because the chain makes no blocks keeps its place', async () => {
    const both = [await stub(), await stub()];
    const clock = new SwiftClock(SPEED);
    const capture = await following(both.map(({ url }) => url), 400, clock);
    const asked = both[1]!.requests;
    for (let hour = 0; hour < 10; hour += 1) {
      clock.leap(3_600_000);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect(both[1]!.requests).toBeGreaterThan(asked);
    expect(capture.board.get(CHAIN)?.providers[0]).toEqual({ label: both[0]!.url, healthy: true });
    expect(capture.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });
});
