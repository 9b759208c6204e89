import { openMemoryEventStore } from '#platform/event-store';
import type { Delivery, EventFilter } from '#platform/event-store';
import type { Position } from '#platform/kernel';
import { FaultyEventStore } from '#platform/testing';
import { CaptureRig } from '../../../../../test/load/capture-rig.ts';
import { generateBranch, generateChain } from '../../../../../test/load/generated-chain.ts';
import type { RecordedBlock } from '../../../../../test/load/recorded-chain.ts';
import { RecordedChain } from '../../../../../test/load/recorded-chain.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';
import { createKeccak256 } from '../adapters/hash-wasm.keccak.ts';
import { verifyStore } from './verify-store.ts';

const CHAIN = '424242';

/** Each subscription ends with an error after so many deliveries, as long as there are any left here. */
class BreakingStore extends FaultyEventStore {
  readonly breaksAfter: number[] = [];

  override async *subscribe(after: Position, filter: EventFilter, signal: AbortSignal): AsyncGenerator<Delivery> {
    let left = this.breaksAfter.shift() ?? Infinity;
    for await (const delivery of super.subscribe(after, filter, signal)) {
      if (left === 0) throw new Error('the connection to the log is lost');
      left -= 1;
      yield delivery;
    }
  }
}

describe('the requests for backfills', () => {
  let blocks: readonly RecordedBlock[];
  let store: BreakingStore;
  let node: ReplayNode;
  let capture: CaptureRig;
  beforeAll(async () => {
    blocks = (await generateChain({ seed: 11, blocks: 41, transactionsPerBlock: 1 })).blocks();
  });
  beforeEach(async () => {
    store = new BreakingStore(openMemoryEventStore());
    capture = new CaptureRig(store);
    node = await ReplayNode.start(new RecordedChain(BigInt(CHAIN), blocks), {});
    await capture.start([node.url], { startBlock: 30 });
    await capture.untilHead(CHAIN, 40);
  });
  afterEach(async () => {
    await capture.stop();
    await node.close();
  });
  const request = async (from: number, to: number): Promise<void> => void (await capture.actors.chains.tell(CHAIN, { type: 'RequestBackfill', from, to }));
  const cancel = async (from: number, to: number): Promise<void> => void (await capture.actors.chains.tell(CHAIN, { type: 'CancelBackfill', from, to, reason: 'no provider has it' }));
  const completed = (count: number) => capture.until(`${count} backfilled`, () => capture.events('BackfillCompleted'), (events) => events.length === count);
  const untilStalled = () => capture.until('stalled', () => capture.backfills?.progress(CHAIN)[0], (job) => job?.state === 'stalled');
  const steps = async (kind: 'finding' | 'hole'): Promise<unknown[]> => {
    const found: unknown[] = [];
    for await (const step of verifyStore({ reader: store, crypto: { keccak256: await createKeccak256() } })) if (step.kind === kind) found.push(step);
    return found;
  };

  it.each([[[0]], [[1]], [[1, 0, 0]]])('are heard again after the log could not be read (deliveries before each error: %j)', async (breaks) => {
    await request(0, 9);
    store.breaksAfter.push(...breaks);
    const backfills = capture.startBackfills();
    await capture.until('trouble told', () => backfills.trouble(), (trouble) => trouble === 'the connection to the log is lost');
    await completed(1);
    await request(10, 19);
    await completed(2);
    expect(backfills.trouble()).toBeUndefined();
    expect(capture.lines.filter(({ message }) => message === 'requests for backfills can not be read')).toHaveLength(1);
  });

  it('are dropped when they are cancelled, even while nobody answers, and the next one runs', async () => {
    const remove = node.faults.add({ does: { kind: 'error', code: -32000, message: 'missing trie node' }, when: ({ params }) => params[0] === '0x5' });
    await request(0, 9);
    capture.startBackfills();
    await untilStalled();
    await cancel(0, 9);
    await request(10, 19);
    await completed(1);
    expect(capture.backfills?.progress(CHAIN)).toEqual([]);
    remove();
    await request(0, 9);
    await completed(2);
    expect([await steps('finding'), await steps('hole')]).toEqual([[], [{ kind: 'hole', chainId: CHAIN, from: 20, to: 29 }]]);
  });

  it('leave a hole and nothing wrong where they were cancelled half way', async () => {
    node.faults.add({ does: { kind: 'error', code: -32000, message: 'missing trie node' }, when: ({ params }) => params[0] === '0x19' });
    await request(0, 29);
    await capture.actors.backfills.tell(`${CHAIN}.0.29`, { type: 'StartBackfill', chainId: CHAIN, from: 0, to: 29 });
    capture.startBackfills();
    await untilStalled();
    await cancel(0, 29);
    await capture.until('dropped', () => capture.backfills?.progress(CHAIN), (jobs) => jobs?.length === 0);
    expect(await steps('finding')).toEqual([]);
  });

  it('for a range whose blocks join nothing are taken back, and asked for anew with other ends', async () => {
    await request(10, 29);
    const branch = await generateBranch({ seed: 99, transactionsPerBlock: 0 }, blocks[9]!, 20);
    const dead = branch.map(({ number, hash, parentHash }) => {
      const header = { hash, parentHash, number: `0x${number.toString(16)}`, timestamp: '0x1' } as const;
      return { chainId: CHAIN, number, hash, parentHash, header, transactionCount: 0, kinds: { transfer: 0, call: 0, deploy: 0 }, verification: {}, receipts: true };
    });
    await capture.actors.backfills.tell(`${CHAIN}.10.29`, { type: 'StartBackfill', chainId: CHAIN, from: 10, to: 29 });
    await capture.actors.backfills.tell(`${CHAIN}.10.29`, { type: 'ObserveBackfilled', blocks: dead });
    expect(await steps('finding')).toMatchObject([{ code: 'link-broken', number: 30 }]);
    await cancel(10, 29);
    await request(10, 14);
    await request(15, 29);
    await request(0, 9);
    capture.startBackfills();
    await completed(3);
    expect([await steps('finding'), await steps('hole')]).toEqual([[], []]);
  });

  it('are not started again by a restart once they are cancelled', async () => {
    await request(0, 9);
    await cancel(0, 9);
    await request(10, 19);
    capture.startBackfills();
    await completed(1);
    expect((await capture.events('BackfillStarted')).map(({ data }) => data['from'])).toEqual([10]);
  });
});
