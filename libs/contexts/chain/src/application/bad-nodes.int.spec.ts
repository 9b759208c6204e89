import { CaptureRig } from '../../../../../test/load/capture-rig.ts';
import { generateChain } from '../../../../../test/load/generated-chain.ts';
import type { RecordedBlock } from '../../../../../test/load/recorded-chain.ts';
import { RecordedChain } from '../../../../../test/load/recorded-chain.ts';
import type { Fault } from '../../../../../test/load/replay-faults.ts';
import type { ReplayOptions } from '../../../../../test/load/replay-node.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';
import { expectNothingInvented } from '../../../../../test/simulation/invariants-of-the-log.ts';
import { SwiftClock } from '../../../../../test/simulation/swift-clock.ts';
import { captureHealth } from './capture-health.ts';

const CHAIN = '424242';
const LENGTH = 60;
const SPEED = 20;
const REQUEST_TIMEOUT_MS = 150;
/** Leaps of the clock while a node is unwell, each as long as the longest pause before it is asked again: then pauses have grown. */
const LEAPS = 15;
const LEAP_MS = 10_000;
/** So long, in real time, it is watched after that: sixteen seconds of the clock. */
const WATCHED_MS = 800;
/** Of a node that answers nothing well. Seen were 3; without pauses 16 and more. */
const MOST_REQUESTS = 8;
/** Of one that tells of its head and lacks the block, which is asked for some times in a row. Seen were 25; without pauses hundreds. */
const MOST_REQUESTS_FOR_A_HEAD = 45;
/** Seen were 14 in minutes with a socket that is cut at once, and 7 in half a minute with one that is cut for subscribing. */
const MOST_CONNECTIONS = 16;

let blocks: readonly RecordedBlock[];
const ending: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  blocks = (await generateChain({ seed: 11, blocks: LENGTH, transactionsPerBlock: 3 })).blocks();
});
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function stub(head: number, options: ReplayOptions = {}): Promise<ReplayNode> {
  const chain = new RecordedChain(BigInt(CHAIN), blocks);
  chain.head = head;
  const node = await ReplayNode.start(chain, options);
  ending.push(() => node.close());
  return node;
}

function rig(clock: SwiftClock): CaptureRig {
  const capture = new CaptureRig(undefined, { clock });
  ending.push(() => capture.stop());
  return capture;
}

async function expectWhole(capture: CaptureRig, head: number): Promise<void> {
  const events = await capture.events();
  expectNothingInvented(events, new Map(blocks.map((one) => [one.hash, one])));
  expect(events.filter(({ type }) => type === 'BlockObserved').map(({ data }) => data['number'])).toEqual(Array.from({ length: head + 1 }, (_, number) => number));
  expect(events.filter(({ type }) => type === 'TxFetched')).toHaveLength(head * 3);
}

/** Lets minutes pass on the clock. */
async function timePasses(clock: SwiftClock): Promise<void> {
  for (let leap = 0; leap < LEAPS; leap += 1) {
    clock.leap(LEAP_MS);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

const isFull = ({ method, params }: { method: string; params: readonly unknown[] }): boolean => method.startsWith('eth_getBlockBy') && params[1] === true;

describe('a node that can not be used', () => {
  const troubles: readonly [string, 'http' | 'ws', Fault, RegExp][] = [
    ['answers what is not JSON', 'http', { does: { kind: 'raw', body: '<html>502 Bad Gateway</html>' } }, /not JSON, or cut off/],
    ['answers what is not JSON', 'ws', { does: { kind: 'raw', body: '<html>502 Bad Gateway</html>' } }, /not JSON, or cut off/],
    ['cuts its answers off', 'http', { does: { kind: 'truncate', keep: 60 } }, /not JSON, or cut off/],
    ['answers after the time-out', 'http', { does: { kind: 'delay', ms: 2 * REQUEST_TIMEOUT_MS } }, /no answer in 150 ms/],
    ['says nothing', 'http', { does: { kind: 'mute' } }, /no answer in 150 ms/],
    ['says nothing', 'ws', { does: { kind: 'mute' } }, /no answer in 150 ms/],
    ['cuts the connection', 'http', { does: { kind: 'cut' } }, /The node does not answer/],
    ['cuts the connection', 'ws', { does: { kind: 'cut' } }, /The node does not answer.*connection closed/],
    ['answers 10 MB of something else', 'http', { does: { kind: 'raw', body: `{"jsonrpc":"2.0","id":1,"resul":"${'x'.repeat(10_000_000)}"}` } }, /no item answers what was asked|no answer in 150 ms/],
    ['takes nothing because it is too large', 'http', { does: { kind: 'status', status: 413, body: 'Request Entity Too Large' } }, /one call alone is too large/],
    ['cuts every answer for its size', 'http', { when: isFull, does: { kind: 'error', code: -32003, message: 'response too large' } }, /one call alone is too large/],
    ['has null for the block at its head', 'http', { when: isFull, does: { kind: 'null' } }, /does not have a block that was announced/],
    ['has null for the receipts at its head', 'ws', { method: 'eth_getBlockReceipts', does: { kind: 'null' } }, /does not have a block that was announced/],
    ['has pruned what is asked for', 'http', { when: isFull, does: { kind: 'error', code: 4444, message: 'pruned history unavailable' } }, /thrown away this part of the history.*pruned history unavailable/],
  ];

  it.each(troubles)('since it %s (%s) is named by readiness, is asked no more than now and then, and capture goes on when it is well again', async (_what, protocol, fault, reason) => {
    const clock = new SwiftClock(SPEED);
    const node = await stub(10);
    const capture = rig(clock);
    await capture.start([protocol === 'http' ? node.url : node.wsUrl], { blockTimeMs: 2_000, chainId: CHAIN, requestTimeoutMs: REQUEST_TIMEOUT_MS });
    await capture.untilHead(CHAIN, 10);
    const health = () => captureHealth(capture.board, capture.actors.chains, clock);
    expect(await health()).toEqual({ status: 'up' });
    const remove = node.faults.add(fault);
    node.advanceTo(15);
    const seen = await capture.until('not ready', health, ({ status }) => status === 'down');
    expect(seen).toEqual({ status: 'down', reason: expect.stringMatching(reason) as unknown });
    await timePasses(clock);
    const asked = node.requests + node.connections;
    await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
    const tellsItsHead = fault.when !== undefined || fault.method !== undefined || fault.does.kind === 'truncate';
    expect(node.requests + node.connections - asked).toBeLessThan(tellsItsHead ? MOST_REQUESTS_FOR_A_HEAD : MOST_REQUESTS);
    expect((await health()) as { reason?: string }).toMatchObject({ reason: expect.stringMatching(reason) as unknown });
    expect(await capture.events('BlockObserved')).toHaveLength(11);
    remove();
    await capture.until('back', () => (clock.leap(LEAP_MS), capture.view(CHAIN)), ({ head }) => head?.number === 15);
    await capture.until('ready', health, ({ status }) => status === 'up');
    await expectWhole(capture, 15);
    expect(capture.lines.filter(({ level }) => level !== 'info').length).toBeLessThan(10);
  });
});

describe('a node with limits', () => {
  const limits: readonly [string, ReplayOptions, number][] = [
    ['cuts answers of more than 30 kB', { maxAnswerBytes: 30_000 }, 45],
    ['refuses batches of more than 10 by an error in an array', { maxBatch: 10 }, 37],
    ['refuses batches of more than 10 by an error without an id', { maxBatch: 10, batchRefusal: 'no-id' }, 37],
    ['refuses batches of more than 10 by 413', { maxBatch: 10, batchRefusal: 'status-413' }, 37],
    ['has no eth_getBlockReceipts', { blockReceipts: false }, 22],
  ];

  it.each(limits)('that %s is captured whole without a warning, and its limit is learnt once', async (_what, options, most) => {
    const node = await stub(LENGTH - 1, options);
    const capture = rig(new SwiftClock(SPEED));
    await capture.start([node.url], { blockTimeMs: 60_000, chainId: CHAIN });
    await capture.untilHead(CHAIN, LENGTH - 1);
    await expectWhole(capture, LENGTH - 1);
    expect(node.requests).toBeLessThan(most);
    expect(capture.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('that is slow, but in time, is waited for', async () => {
    const node = await stub(LENGTH - 1);
    node.faults.add({ does: { kind: 'delay', ms: 3 } });
    const capture = rig(new SwiftClock(SPEED));
    await capture.start([node.url], { blockTimeMs: 60_000, chainId: CHAIN, requestTimeoutMs: 2_000 });
    await capture.untilHead(CHAIN, LENGTH - 1);
    await expectWhole(capture, LENGTH - 1);
    expect(capture.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('that has thrown old blocks away keeps its place for the others, while a second one gives those', async () => {
    const [pruned, full] = [await stub(LENGTH - 1), await stub(LENGTH - 1)];
    const isOld = ({ params }: { params: readonly unknown[] }): boolean => Number(params[0]) < 40;
    pruned.faults.add({ when: (call) => isFull(call) && isOld(call), does: { kind: 'error', code: 4444, message: 'pruned history unavailable' } });
    const capture = rig(new SwiftClock(SPEED));
    await capture.start([pruned.url, full.url], { blockTimeMs: 60_000, chainId: CHAIN });
    await capture.untilHead(CHAIN, LENGTH - 1);
    await expectWhole(capture, LENGTH - 1);
    expect(capture.board.get(CHAIN)?.providers[0]).toEqual({ label: pruned.url, healthy: true });
    expect(capture.lines.filter(({ level }) => level !== 'info')).toEqual([]);
    expect([...full.calls.keys()].sort()).toEqual(['eth_chainId', 'eth_getBlockByNumber', 'eth_getBlockReceipts']);
  });
});

describe('a WebSocket', () => {
  async function following(clock: SwiftClock): Promise<{ node: ReplayNode; capture: CaptureRig }> {
    const node = await stub(10);
    const capture = rig(clock);
    await capture.start([node.wsUrl], { blockTimeMs: 2_000, chainId: CHAIN, requestTimeoutMs: REQUEST_TIMEOUT_MS });
    await capture.untilHead(CHAIN, 10);
    await capture.until('subscribed', () => node.calls.get('eth_subscribe') ?? 0, (times) => times > 0);
    return { node, capture };
  }

  it('that announces nothing any more is asked for heads instead, as often as blocks are made', async () => {
    const { node, capture } = await following(new SwiftClock(SPEED));
    node.advanceTo(11, 'none');
    await capture.untilHead(CHAIN, 11);
    node.advanceTo(12, 'none');
    await capture.untilHead(CHAIN, 12);
    await expectWhole(capture, 12);
  });

  it('that is cut as soon as it is opened is tried now and then, and heads are heard again when it holds', async () => {
    const clock = new SwiftClock(SPEED);
    const { node, capture } = await following(clock);
    const before = node.connections;
    node.dropsConnections = true;
    node.cutConnections();
    node.advanceTo(15, 'none');
    await timePasses(clock);
    expect(node.connections - before).toBeLessThan(MOST_CONNECTIONS);
    node.dropsConnections = false;
    await capture.until('back', () => (clock.leap(LEAP_MS), capture.view(CHAIN)), ({ head }) => head?.number === 15);
    await expectWhole(capture, 15);
  });

  it('that is cut whenever heads are asked for is tried now and then, and heads are asked for meanwhile', async () => {
    const clock = new SwiftClock(SPEED);
    const { node, capture } = await following(clock);
    node.faults.add({ method: 'eth_subscribe', does: { kind: 'cut' } });
    const before = node.connections;
    node.cutConnections();
    node.advanceTo(15, 'none');
    await capture.until('at 15', () => capture.view(CHAIN), ({ head }) => head?.number === 15);
    for (let at = 0; at < 20; at += 1) {
      clock.leap(1_000);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    expect(node.connections - before).toBeLessThan(MOST_CONNECTIONS);
    node.faults.clear();
    clock.leap(3_600_000);
    const subscribed = node.calls.get('eth_subscribe')!;
    await capture.until('subscribed again', () => (clock.leap(LEAP_MS), node.calls.get('eth_subscribe')!), (times) => times > subscribed);
    await expectWhole(capture, 15);
  });
});
