import type { AnvilProcess } from '../../../../../test/load/anvil-process.ts';
import { startAnvil } from '../../../../../test/load/anvil-process.ts';
import { CaptureRig } from '../../../../../test/load/capture-rig.ts';

const ANVIL = '31337';
const rigs: CaptureRig[] = [];
const nodes: AnvilProcess[] = [];

function rig(...given: ConstructorParameters<typeof CaptureRig>): CaptureRig {
  const made = new CaptureRig(...given);
  rigs.push(made);
  return made;
}
async function anvil(options?: Parameters<typeof startAnvil>[0]): Promise<AnvilProcess> {
  const made = await startAnvil(options);
  nodes.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(rigs.splice(0).map((one) => one.stop()));
  await Promise.all(nodes.splice(0).map((one) => one.stop()));
});

async function headHash(node: AnvilProcess): Promise<string> {
  return ((await node.request('eth_getBlockByNumber', 'latest', false)) as { hash: string }).hash;
}

describe.each(['ws', 'http'] as const)('capturing a real node over %s', (protocol) => {
  let node: AnvilProcess;
  let capture: CaptureRig;
  const url = (): string => (protocol === 'ws' ? node.wsUrl : node.url);

  beforeEach(async () => {
    node = await anvil();
    await node.sendTransfers(3);
    await node.mine(14);
    capture = rig();
  });

  it('starts at block 0, follows every new block, and holds every transaction with its receipt', async () => {
    await capture.start([url()]);
    await capture.untilHead(ANVIL, 15);
    await node.sendTransfers(2);
    await node.mine(2);
    const view = await capture.untilHead(ANVIL, 18);
    expect(view.head?.hash).toBe(await headHash(node));
    const observed = await capture.events('BlockObserved');
    expect(observed.map(({ data }) => data['number'])).toEqual(Array.from({ length: 19 }, (_, number) => number));
    const transactions = await capture.events('TxFetched');
    expect(transactions).toHaveLength(5);
    expect(transactions.every(({ data }) => (data['receipt'] as { transactionHash: string }).transactionHash === (data['transaction'] as { hash: string }).hash)).toBe(true);
    expect(observed[1]!.data['verification']).toMatchObject({ header: 'verified', transactions: 'verified', receipts: 'verified' });
    expect(capture.board.get(ANVIL)).toMatchObject({ state: 'following', reason: undefined, nodeHead: 18 });
  });

  it('says why it stalls when the node goes away, once, and goes on when it is back', async () => {
    await capture.start([url()]);
    await capture.untilHead(ANVIL, 15);
    const state = (await node.request('anvil_dumpState')) as string;
    await node.stop();
    await capture.until('stalled', () => capture.board.get(ANVIL)?.state, (seen) => seen === 'stalled');
    expect(capture.board.get(ANVIL)?.reason).toContain('The node does not answer');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(capture.lines.filter(({ level }) => level !== 'info').length).toBeLessThanOrEqual(3);
    node = await anvil({ port: node.port });
    await node.request('anvil_loadState', state);
    await capture.until('asking again', () => capture.board.get(ANVIL)?.reason, (seen) => !(seen ?? '').includes('does not answer'));
  });
});

describe('capturing', () => {
  it('goes on at the next block after a restart in the middle', async () => {
    const node = await anvil();
    await node.mine(300);
    const first = rig();
    await first.start([node.url]);
    await first.until('under way', () => first.view(ANVIL), (view) => (view.head?.number ?? -1) > 3);
    await first.stop();
    const second = rig(first.store);
    await second.start([node.url]);
    await second.untilHead(ANVIL, 300);
    const numbers = (await second.events('BlockObserved')).map(({ data }) => data['number']);
    expect(numbers).toEqual(Array.from({ length: 301 }, (_, number) => number));
  });

  it('captures two chains in one process', async () => {
    const [one, two] = await Promise.all([anvil({ args: ['--chain-id', '1001'] }), anvil({ args: ['--chain-id', '1002'] })]);
    await one.mine(5);
    await two.mine(7);
    const capture = rig();
    await capture.start([one.url], { chainId: '1001' });
    await capture.start([two.wsUrl], { chainId: '1002' });
    await capture.untilHead('1001', 5);
    await capture.untilHead('1002', 7);
  });

  it('does not start a chain whose node serves another one, and says so', async () => {
    const node = await anvil();
    const capture = rig();
    await capture.start([node.url], { chainId: '1' });
    await capture.until('refused', () => capture.board.get('1')?.state, (state) => state === 'stopped' || state === 'stalled');
    expect(capture.board.get('1')?.reason).toContain('serves chain 31337, configured is 1');
    expect(await capture.events()).toEqual([]);
  });

  it('stops with a reason when the genesis is another one, until somebody resumes it', async () => {
    const node = await anvil();
    await node.mine(3);
    const first = rig();
    await first.start([node.url]);
    await first.untilHead(ANVIL, 3);
    await first.stop();
    const other = await anvil({ args: ['--timestamp', '1600000000'] });
    const second = rig(first.store);
    await second.start([other.url]);
    await second.until('stopped', () => second.view(ANVIL), (view) => view.status === 'stopped');
    expect(second.board.get(ANVIL)).toMatchObject({ state: 'stopped', reason: expect.stringContaining('another genesis') });
  });

  it('starts at the latest block and fills what lies before as a backfill, linked to it', async () => {
    const node = await anvil();
    await node.sendTransfers(2);
    await node.mine(119);
    const capture = rig();
    await capture.start([node.url], { startBlock: 'latest', chainId: ANVIL });
    await capture.untilHead(ANVIL, 120);
    capture.startBackfills();
    await capture.actors.chains.tell(ANVIL, { type: 'RequestBackfill', from: 0, to: 119 });
    await capture.until('backfilled', () => capture.events('BackfillCompleted'), (events) => events.length === 1);
    const stream = (await capture.events('BlockObserved')).filter((event) => event.stream === `backfill-${ANVIL}.0.119`);
    expect(stream.map(({ data }) => data['number'])).toEqual(Array.from({ length: 120 }, (_, number) => number));
    expect(await capture.events('TxFetched')).toHaveLength(2);
  });
});
