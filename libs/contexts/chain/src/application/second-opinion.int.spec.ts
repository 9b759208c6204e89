import { CaptureRig } from '../../../../../test/load/capture-rig.ts';
import { generateChain } from '../../../../../test/load/generated-chain.ts';
import type { RecordedBlock } from '../../../../../test/load/recorded-chain.ts';
import { RecordedChain } from '../../../../../test/load/recorded-chain.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';
import { temporaryStore } from '../../../../../test/load/temporary-store.ts';

const CHAIN = '424242';
const NEW_HASH = `0x${'fa'.repeat(32)}`;
const ALARM = 'transactions of an unknown type are recorded on the word of one provider';
let blocks: readonly RecordedBlock[];
const rigs: CaptureRig[] = [];
const stubs: ReplayNode[] = [];
const disks: { remove(): Promise<void> }[] = [];

beforeAll(async () => {
  blocks = (await generateChain({ seed: 11, blocks: 70, transactionsPerBlock: 2 })).blocks();
});
afterEach(async () => {
  await Promise.all(rigs.splice(0).map((one) => one.stop()));
  await Promise.all(stubs.splice(0).map((one) => one.close()));
  await Promise.all(disks.splice(0).map((one) => one.remove()));
});

async function stub(head: number): Promise<ReplayNode> {
  const chain = new RecordedChain(BigInt(CHAIN), blocks);
  chain.head = head;
  const made = await ReplayNode.start(chain);
  stubs.push(made);
  return made;
}
async function rig({ thread = false } = {}): Promise<CaptureRig> {
  const disk = thread ? await temporaryStore() : undefined;
  if (disk !== undefined) disks.push(disk);
  const made = new CaptureRig(disk?.store, { thread });
  rigs.push(made);
  return made;
}

/** The node tells the first transaction of a block as one of a type that nobody knows, and its receipt likewise. */
function withNewType(node: ReplayNode, from: number, to = from): void {
  const isOne = (number: unknown): boolean => Number(number) >= from && Number(number) <= to;
  const asNew = (block: Record<string, unknown>): unknown => {
    if (!isOne(block['number'])) return block;
    return { ...block, transactions: (block['transactions'] as object[]).map((one, at) => (at === 0 ? { ...one, type: '0x55', value: '0xdead', hash: NEW_HASH } : one)) };
  };
  const receipts = (list: unknown): unknown => {
    const all = list as { blockNumber: string; logs: object[] }[];
    if (!isOne(all[0]?.blockNumber)) return all;
    return all.map((one, at) => (at === 0 ? { ...one, type: '0x55', transactionHash: NEW_HASH, logs: one.logs.map((log) => ({ ...log, transactionHash: NEW_HASH })) } : one));
  };
  for (const method of ['eth_getBlockByHash', 'eth_getBlockByNumber']) node.faults.add({ method, when: ({ params }) => params[1] === true, does: { kind: 'edit', edit: asNew } });
  node.faults.add({ method: 'eth_getBlockReceipts', does: { kind: 'edit', edit: receipts } });
}
async function verdictsOf(capture: CaptureRig, number: number): Promise<unknown> {
  return (await capture.events('BlockObserved')).find(({ data }) => data['number'] === number)?.data['verification'];
}

describe('a transaction of a type that nobody knows, on a chain that verified so far', () => {
  it('that one provider made up is not recorded, and the block is taken from the other', async () => {
    const [liar, honest] = [await stub(20), await stub(20)];
    const capture = await rig();
    await capture.start([liar.url, honest.url], { blockTimeMs: 200 });
    await capture.untilHead(CHAIN, 20);
    withNewType(liar, 21);
    honest.advanceTo(21);
    liar.advanceTo(21);
    await capture.untilHead(CHAIN, 21);
    expect(JSON.stringify(await capture.events('TxFetched'))).not.toContain('0xdead');
    expect(await verdictsOf(capture, 21)).toMatchObject({ transactions: 'verified', receipts: 'verified' });
    expect(capture.lines.find(({ message }) => message === 'verification failed')?.fields).toMatchObject({ field: 'transactions[0].hash' });
  });

  it.each([false, true])('that one provider made up within a long range is not recorded (read in a thread: %s)', async (thread) => {
    const [liar, honest] = [await stub(60), await stub(60)];
    withNewType(liar, 45);
    const capture = await rig({ thread });
    await capture.start([liar.url, honest.url], { blockTimeMs: 200 });
    await capture.untilHead(CHAIN, 60);
    expect(JSON.stringify(await capture.events('TxFetched'))).not.toContain('0xdead');
    expect(await verdictsOf(capture, 45)).toMatchObject({ transactions: 'verified' });
    expect((await capture.events('BlockObserved')).map(({ data }) => data['number'])).toEqual(Array.from({ length: 61 }, (_, number) => number));
  });

  it.each([false, true])('that two providers tell alike is recorded as unverifiable, without an alarm (read in a thread: %s)', async (thread) => {
    const both = [await stub(60), await stub(60)];
    for (const node of both) withNewType(node, 45, 47);
    const capture = await rig({ thread });
    await capture.start(both.map(({ url }) => url), { blockTimeMs: 200 });
    await capture.untilHead(CHAIN, 60);
    expect(await verdictsOf(capture, 46)).toMatchObject({ header: 'verified', transactions: 'unverifiable', receipts: 'unverifiable' });
    expect((await capture.events('BlockCompleted')).filter(({ data }) => data['blockNumber'] === 46)).toHaveLength(1);
    expect(capture.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('is recorded on the word of the only provider, with one alarm', async () => {
    const node = await stub(20);
    const capture = await rig();
    await capture.start([node.url], { blockTimeMs: 200 });
    await capture.untilHead(CHAIN, 20);
    withNewType(node, 21, 25);
    node.advanceTo(25);
    await capture.untilHead(CHAIN, 25);
    expect(await verdictsOf(capture, 25)).toMatchObject({ transactions: 'unverifiable' });
    expect(capture.lines.filter(({ level }) => level !== 'info').map(({ level, message }) => [level, message])).toEqual([['error', ALARM]]);
  });
});
