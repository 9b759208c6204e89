import type { EventStore } from '#platform/event-store';
import { openMemoryEventStore } from '#platform/event-store';
import { FaultyEventStore } from '#platform/testing';
import { CaptureRig } from '../../../../../test/load/capture-rig.ts';
import { generateBranch, generateChain } from '../../../../../test/load/generated-chain.ts';
import type { RecordedBlock } from '../../../../../test/load/recorded-chain.ts';
import { RecordedChain } from '../../../../../test/load/recorded-chain.ts';
import type { ReplayOptions } from '../../../../../test/load/replay-node.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';

const CHAIN = '424242';
const LENGTH = 60;
let blocks: readonly RecordedBlock[];
const rigs: CaptureRig[] = [];
const stubs: ReplayNode[] = [];

beforeAll(async () => {
  blocks = (await generateChain({ seed: 11, blocks: LENGTH, transactionsPerBlock: 3 })).blocks();
});
afterEach(async () => {
  await Promise.all(rigs.splice(0).map((one) => one.stop()));
  await Promise.all(stubs.splice(0).map((one) => one.close()));
});

async function stub(head = LENGTH - 1, options: ReplayOptions = {}): Promise<ReplayNode> {
  const chain = new RecordedChain(BigInt(CHAIN), blocks);
  chain.head = head;
  const made = await ReplayNode.start(chain, options);
  stubs.push(made);
  return made;
}
function rig(store?: EventStore): CaptureRig {
  const made = new CaptureRig(store);
  rigs.push(made);
  return made;
}
async function numbers(capture: CaptureRig): Promise<unknown[]> {
  return (await capture.events('BlockObserved')).map(({ data }) => data['number']);
}
const upTo = (last: number): number[] => Array.from({ length: last + 1 }, (_, number) => number);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a provider that lies', () => {
  it.each([
    ['in a value', 'eth_getBlockByNumber', (block: Record<string, unknown>) => ({ ...block, transactions: (block['transactions'] as object[]).map((tx) => ({ ...tx, value: '0xdead' })) })],
    ['in the header', 'eth_getBlockByNumber', (block: Record<string, unknown>) => ({ ...block, gasLimit: '0x1' })],
    ['in a log', 'eth_getBlockReceipts', (list: unknown) => (list as { logs: object[] }[]).map((one) => ({ ...one, logs: one.logs.map((log) => ({ ...log, data: '0x00' })) }))],
    ['by leaving a receipt out', 'eth_getBlockReceipts', (list: unknown) => (list as object[]).slice(1)],
  ])('%s is left for the honest second one, and nothing of the lie is recorded', async (_how, method, edit) => {
    const [liar, honest] = [await stub(20), await stub(20)];
    const capture = rig();
    await capture.start([liar.url, honest.url]);
    await capture.untilHead(CHAIN, 20);
    liar.faults.add({ method, does: { kind: 'edit', edit } });
    liar.faults.add({ method: method === 'eth_getBlockByNumber' ? 'eth_getBlockByHash' : method, does: { kind: 'edit', edit } });
    liar.advanceTo(40);
    honest.advanceTo(40);
    const view = await capture.untilHead(CHAIN, 40);
    expect(view.head?.hash).toBe(blocks[40]!.hash);
    expect(await numbers(capture)).toEqual(upTo(40));
    expect(JSON.stringify(await capture.events())).not.toContain('0xdead');
    expect(capture.board.get(CHAIN)?.providers).toEqual([expect.objectContaining({ healthy: true }), expect.objectContaining({ healthy: false })]);
    expect(capture.lines.filter(({ message }) => /unwell|verification failed/.test(message))).toHaveLength(1);
  });

  it('alone stalls the chain and says which field differs', async () => {
    const liar = await stub(20);
    const capture = rig();
    await capture.start([liar.url]);
    await capture.untilHead(CHAIN, 20);
    liar.faults.add({ does: { kind: 'edit', edit: (block) => ({ ...block, gasLimit: '0x1' }) }, when: ({ method, params }) => method === 'eth_getBlockByHash' || (method === 'eth_getBlockByNumber' && params[1] === true) });
    liar.advanceTo(21);
    await capture.until('stalled', () => capture.board.get(CHAIN), (seen) => seen?.state === 'stalled');
    expect(capture.board.get(CHAIN)?.reason).toMatch(/header hash|recompute/);
    expect((await capture.view(CHAIN)).head?.number).toBe(20);
  });

  it.each(['eth_getBlockReceipts', 'eth_getBlockByNumber'])('in every answer to %s after a restart does not loosen what was verified before', async (method) => {
    const before = rig();
    await before.start([(await stub(20)).url]);
    await before.untilHead(CHAIN, 20);
    await before.stop();
    const liar = await stub(25);
    const edit = (result: unknown): unknown => (Array.isArray(result) ? result.map((one: object) => ({ ...one, cumulativeGasUsed: '0x1' })) : { ...(result as object), gasLimit: '0x1' });
    for (const lie of [method, 'eth_getBlockByHash']) liar.faults.add({ method: lie, when: ({ params }) => lie === 'eth_getBlockReceipts' || params[1] === true, does: { kind: 'edit', edit } });
    const capture = rig(before.store);
    await capture.start([liar.url, (await stub(25)).url]);
    await capture.untilHead(CHAIN, 25);
    const verdicts = (await capture.events('BlockObserved')).flatMap(({ data }) => Object.values(data['verification'] as object) as unknown[]);
    expect(verdicts).not.toContain('unverifiable');
    expect(capture.board.get(CHAIN)?.providers[0]).toMatchObject({ healthy: true });
  });

  it('in every answer at the very first start is found out by the honest second one', async () => {
    const [liar, honest] = [await stub(20), await stub(20)];
    const edit = (result: unknown): unknown => (result as object[]).map((one) => ({ ...one, cumulativeGasUsed: '0x1' }));
    liar.faults.add({ method: 'eth_getBlockReceipts', does: { kind: 'edit', edit } });
    const capture = rig();
    await capture.start([liar.url, honest.url]);
    await capture.untilHead(CHAIN, 20);
    expect((await capture.events('BlockObserved')).map(({ data }) => (data['verification'] as { receipts: string }).receipts)).not.toContain('unverifiable');
  });

  it('with one odd answer at the start changes no rule', async () => {
    const node = await stub(20);
    node.faults.add({ method: 'eth_getBlockByNumber', when: ({ params }) => params[1] === true, does: { kind: 'edit', edit: (block) => ({ ...block, gasLimit: '0x1' }) }, times: 1 });
    const capture = rig();
    await capture.start([node.url]);
    await capture.untilHead(CHAIN, 20);
    expect((await capture.events('BlockObserved')).every(({ data }) => (data['verification'] as { header: string }).header === 'verified')).toBe(true);
  });
});

describe('one odd answer', () => {
  const oddly = (ref: string, change: object) => ({
    method: 'eth_getBlockByNumber',
    when: ({ params }: { params: readonly unknown[] }) => params[0] === ref && params[1] !== true,
    does: { kind: 'edit' as const, edit: (header: object) => ({ ...header, ...change }) },
    times: 1,
  });

  it('of a head far ahead requests no backfill, which would stay requested for ever', async () => {
    const node = await stub(20);
    const capture = rig();
    await capture.start([node.url], { blockTimeMs: 200 });
    await capture.untilHead(CHAIN, 20);
    node.faults.add(oddly('latest', { number: '0xffffff' }));
    node.advanceTo(25);
    await capture.untilHead(CHAIN, 25);
    expect(await capture.events('BackfillRequested')).toEqual([]);
  });

  it('of a head far ahead is not where a chain begins', async () => {
    const node = await stub(20);
    node.faults.add(oddly('latest', { number: '0xffffff' }));
    const capture = rig();
    await capture.start([node.url], { startBlock: 'latest' });
    await capture.untilHead(CHAIN, 20);
    expect((await capture.events('ChainStarted'))[0]!.data).toMatchObject({ firstBlock: 20 });
  });

  it.each(['first start', 'restart'])('about the genesis neither stops the chain nor becomes its genesis, at the %s', async (when) => {
    const node = await stub(20);
    const before = rig();
    if (when === 'restart') {
      await before.start([node.url]);
      await before.untilHead(CHAIN, 20);
      await before.stop();
    }
    node.faults.add(oddly('0x0', { hash: `0x${'ab'.repeat(32)}` }));
    const capture = rig(before.store);
    await capture.start([node.url]);
    node.advanceTo(25);
    await capture.untilHead(CHAIN, 25);
    expect((await capture.events('ChainStarted')).map(({ data }) => data['genesisHash'])).toEqual([blocks[0]!.hash]);
    expect(await capture.events('ChainStopped')).toEqual([]);
  });
});

describe('a store that answers nothing for a while', () => {
  it('lets a backfill wait, and go on by itself', async () => {
    const store = new FaultyEventStore(openMemoryEventStore());
    const capture = rig(store);
    await capture.start([(await stub(20)).url], { startBlock: 15, chainId: CHAIN });
    await capture.untilHead(CHAIN, 20);
    await capture.actors.chains.tell(CHAIN, { type: 'RequestBackfill', from: 0, to: 14 });
    store.fail(...Array.from({ length: 9 }, () => 'lost-before' as const));
    capture.startBackfills();
    await capture.until('backfilled', () => capture.events('BackfillCompleted'), (events) => events.length === 1);
  });
});

describe('a provider that fails', () => {
  it('is replaced, and used again when it is back', async () => {
    const [first, second] = [await stub(10), await stub(10)];
    const capture = rig();
    await capture.start([first.url, second.url]);
    await capture.untilHead(CHAIN, 10);
    const removeFault = first.faults.add({ does: { kind: 'cut' } });
    for (const one of [first, second]) one.advanceTo(15);
    await capture.untilHead(CHAIN, 15);
    expect(capture.board.get(CHAIN)?.providers[0]?.label).toBe(second.url);
    removeFault();
    const used = (): number => first.calls.get('eth_getBlockByHash') ?? 0;
    const before = used();
    for (let number = 16; used() === before && number < LENGTH; number += 1) {
      for (const one of [first, second]) one.advanceTo(number);
      await capture.untilHead(CHAIN, number);
    }
    await capture.until('back', () => capture.board.get(CHAIN)?.providers[0]?.label, (label) => label === first.url);
  });

  it('for lack of a block is asked again, and no empty block is recorded', async () => {
    const node = await stub(10);
    const capture = rig();
    await capture.start([node.wsUrl]);
    await capture.untilHead(CHAIN, 10);
    node.faults.add({ method: 'eth_getBlockReceipts', does: { kind: 'null' }, times: 2 });
    node.faults.add({ method: 'eth_getBlockByHash', does: { kind: 'null' }, times: 2 });
    node.advanceTo(11);
    await capture.untilHead(CHAIN, 11);
    expect((await capture.events('TxFetched')).filter(({ data }) => data['blockNumber'] === 11)).toHaveLength(3);
    expect(capture.board.get(CHAIN)?.state).toBe('following');
  });

  it('by throttling is not asked before the wait is over, and writes one line', async () => {
    const node = await stub(10);
    const capture = rig();
    await capture.start([node.url]);
    await capture.untilHead(CHAIN, 10);
    node.faults.add({ does: { kind: 'status', status: 429, body: 'Too Many Requests', headers: { 'retry-after': '6' } } });
    await capture.until('stalled', () => capture.board.get(CHAIN)?.state, (state) => state === 'stalled');
    const before = node.requests;
    await pause(1_500);
    expect(node.requests).toBe(before);
    expect(capture.lines.filter(({ level }) => level === 'warn').length).toBeLessThanOrEqual(2);
  });
});

describe('a block with more than 20 MB of receipts', () => {
  it('passes like any other', async () => {
    const chain = await generateChain({ seed: 31, blocks: 2, transactionsPerBlock: 3, logsPerCall: 22_000 });
    expect(chain.at(1)!.receipts.length).toBeGreaterThan(20_000_000);
    const node = await ReplayNode.start(chain);
    stubs.push(node);
    const capture = rig();
    await capture.start([node.url], { requestTimeoutMs: 20_000 });
    await capture.untilHead(CHAIN, 1, 40_000);
    const [completed] = await capture.events('BlockCompleted');
    expect(completed!.data).toMatchObject({ blockNumber: 1, count: 3 });
    const logs = (await capture.events('TxLogsContinued')).reduce((sum, { data }) => sum + (data['logs'] as unknown[]).length, 0);
    expect(logs).toBeGreaterThan(40_000);
  });
});

describe('following', () => {
  it('fills the numbers that newHeads skipped', async () => {
    const node = await stub(10);
    const capture = rig();
    await capture.start([node.wsUrl], { blockTimeMs: 60_000 });
    await capture.untilHead(CHAIN, 10);
    await pause(300);
    node.advanceTo(31, 'last');
    await capture.untilHead(CHAIN, 31);
    expect(await numbers(capture)).toEqual(upTo(31));
  });

  it('finds what was made while the socket was cut', async () => {
    const node = await stub(10);
    const capture = rig();
    await capture.start([node.wsUrl], { blockTimeMs: 60_000 });
    await capture.untilHead(CHAIN, 10);
    node.cutConnections();
    node.advanceTo(20, 'none');
    await capture.untilHead(CHAIN, 20);
    await pause(1_000);
    node.advanceTo(21);
    await capture.untilHead(CHAIN, 21);
    expect(await numbers(capture)).toEqual(upTo(21));
  });

  it('asks two calls per announced block, and no more', async () => {
    const node = await stub(10);
    const capture = rig();
    await capture.start([node.wsUrl], { blockTimeMs: 60_000, tagsEvery: { blocks: 1_000, ms: 1_000_000 } });
    await capture.untilHead(CHAIN, 10);
    await pause(400);
    const before = node.calls.get('eth_getBlockByHash') ?? 0;
    const all = [...node.calls.values()].reduce((a, b) => a + b, 0);
    for (let number = 11; number <= 20; number += 1) {
      node.advanceTo(number);
      await capture.untilHead(CHAIN, number);
    }
    expect((node.calls.get('eth_getBlockByHash') ?? 0) - before).toBe(10);
    expect([...node.calls.values()].reduce((a, b) => a + b, 0) - all).toBe(20);
  });

  it('leaves for a branch and comes back to the first one (A, B, A)', async () => {
    const node = await stub(20);
    const capture = rig();
    await capture.start([node.wsUrl]);
    await capture.untilHead(CHAIN, 20);
    const branch = await generateBranch({ seed: 99, transactionsPerBlock: 2 }, blocks[16]!, 6);
    node.switchTo(branch);
    await capture.until('on B', () => capture.view(CHAIN), (view) => view.head?.hash === branch.at(-1)!.hash);
    node.switchTo(blocks.slice(17, 26));
    await capture.until('on A', () => capture.view(CHAIN), (view) => view.head?.hash === blocks[25]!.hash);
    expect((await capture.events('ChainReorganized')).map(({ data }) => (data['ancestor'] as { number: number }).number)).toEqual([16, 16]);
  });

  it('takes a lower head of a replica for lag, not for a rollback', async () => {
    const node = await stub(20);
    const capture = rig();
    await capture.start([node.url], { blockTimeMs: 200 });
    await capture.untilHead(CHAIN, 20);
    node.faults.add({ method: 'eth_getBlockByNumber', when: ({ params }) => params[0] === 'latest', does: { kind: 'edit', edit: () => JSON.parse(blocks[15]!.block.toString()) as unknown } });
    await pause(1_000);
    expect((await capture.view(CHAIN)).head?.number).toBe(20);
    expect(await capture.events('ChainReorganized')).toEqual([]);
  });

  it('stops when the chain leaves below what was final, and goes on when resumed', async () => {
    const node = await stub(20, { tags: (head) => ({ safe: head - 2, finalized: head - 5 }) });
    const capture = rig();
    await capture.start([node.wsUrl]);
    await capture.until('final', () => capture.view(CHAIN), (view) => view.finalized?.number === 15);
    const branch = await generateBranch({ seed: 98, transactionsPerBlock: 1 }, blocks[10]!, 15);
    node.switchTo(branch);
    await capture.until('stopped', () => capture.view(CHAIN), (view) => view.status === 'stopped');
    await capture.until('shown', () => capture.board.get(CHAIN)?.state, (state) => state === 'stopped');
    expect(capture.board.get(CHAIN)?.reason).toContain('below the block that was final');
    expect((await capture.view(CHAIN)).head?.hash).toBe(blocks[20]!.hash);
    node.switchTo(blocks.slice(11, 30));
    await capture.actors.chains.tell(CHAIN, { type: 'ResumeChain', reason: 'the node was repaired' });
    await capture.untilHead(CHAIN, 29);
  });

  it('marks what is final by depth where it is told so', async () => {
    const node = await stub(30);
    const capture = rig();
    await capture.start([node.url], { finality: { depth: 12 } });
    const view = await capture.until('final', () => capture.view(CHAIN), (seen) => seen.finalized?.number === 18);
    expect(view.finalized?.hash).toBe(blocks[18]!.hash);
    expect(node.calls.get('eth_getBlockByNumber')).toBeLessThan(80);
  });

  it('stops at once when told to, with nothing half done', async () => {
    const node = await stub(LENGTH - 1);
    node.faults.add({ does: { kind: 'delay', ms: 40 } });
    const capture = rig();
    await capture.start([node.url]);
    await pause(300);
    const before = performance.now();
    await capture.stop();
    expect(performance.now() - before).toBeLessThan(500);
    const observed = await numbers(capture);
    expect(observed).toEqual(upTo(observed.length - 1));
  });
});
