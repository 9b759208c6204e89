import type { AnvilProcess } from '../load/anvil-process.ts';
import type { CaptureRig } from '../load/capture-rig.ts';
import type { Onlooker, ServedBlock } from './onlooker.ts';
import { Stage } from './stage.ts';

const CHAIN = '31337';
const HEAD = 71;

describe.each(['ws', 'http'] as const)('a real node over %s', (protocol) => {
  const stage = new Stage();
  let node: AnvilProcess;
  let capture: CaptureRig;
  let onlooker: Onlooker;
  beforeEach(async () => {
    node = await stage.anvil();
    await node.mine(HEAD - 3);
    for (const transfers of [3, 1, 2]) await node.sendTransfers(transfers);
    capture = stage.capture();
    onlooker = await stage.onlooker(capture.store, CHAIN);
    await capture.start([protocol === 'ws' ? node.wsUrl : node.url]);
    await capture.untilHead(CHAIN, HEAD);
  });
  afterEach(() => stage.clear());

  it.each([1, 3, 12, 64])('is followed through a reorganisation of depth %i, told as one event', async (depth) => {
    await node.request('anvil_reorg', depth, [[{ from: await account(node), to: await account(node), value: '0x7' }, 0]]);
    await followed(capture, node);
    const reorgs = (await capture.events('ChainReorganized')).map(({ data }) => [(data['ancestor'] as { number: number }).number, (data['dropped'] as unknown[]).length, (data['adopted'] as unknown[]).length]);
    expect(reorgs).toEqual([[HEAD - depth, depth, depth]]);
    await node.sendTransfers(2);
    await followed(capture, node);
    await onlooker.expectGoldenRule(await servedByAnvil(node));
  });

  it('is followed down when it is rolled back without a word, and up again', async () => {
    await node.request('anvil_rollback', 4);
    await followed(capture, node);
    await node.sendTransfers(1);
    await node.mine(6);
    await followed(capture, node);
    expect((await capture.events('ChainReorganized')).map(({ data }) => data)).toMatchObject([{ ancestor: { number: HEAD - 4 }, adopted: [] }]);
    await onlooker.expectGoldenRule(await servedByAnvil(node), [[HEAD, HEAD - 4]]);
  });
});

async function account(node: AnvilProcess): Promise<string> {
  return ((await node.request('eth_accounts')) as [string])[0];
}

async function followed(capture: CaptureRig, node: AnvilProcess): Promise<void> {
  const { hash } = (await node.request('eth_getBlockByNumber', 'latest', false)) as { hash: string };
  await capture.until('on the branch of the node', () => capture.view(CHAIN), ({ head }) => head?.hash === hash);
}

async function servedByAnvil(node: AnvilProcess): Promise<readonly ServedBlock[]> {
  const head = Number(await node.request('eth_blockNumber'));
  const served = Array.from({ length: head + 1 }, async (_, number) => {
    const { hash, transactions } = (await node.request('eth_getBlockByNumber', `0x${number.toString(16)}`, false)) as { hash: string; transactions: readonly string[] };
    return { number, hash, transactions };
  });
  return Promise.all(served);
}
