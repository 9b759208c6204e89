import { rmSync } from 'node:fs';
import { systemClock } from '#platform/kernel';
import { describeWithFixtures } from '#platform/testing';
import { connectChainNode } from '../../libs/contexts/chain/src/adapters/connect.chain-node.ts';
import { uncounted } from '../../libs/contexts/chain/src/ports/chain-node-metrics.port.ts';
import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from '../e2e/stage/chainfold-process.ts';
import { expectGaplessStreams, expectSameAsNode, followed } from '../e2e/stage/same-as-node.ts';
import { describeWithGeth } from './geth-binary.ts';
import { GethNode } from './geth-node.ts';

const CHAIN_ID = '3503995874084926';
const DEV_CHAIN = '1337';
const protocols = [['http', (geth: GethNode) => geth.url], ['ws', (geth: GethNode) => geth.wsUrl]] as const;

let ending: (() => unknown)[] = [];
const endTogether = async (): Promise<void> => {
  for (const end of ending.reverse()) await end();
  ending = [];
};

async function following(url: string): Promise<{ readonly product: ChainfoldProcess; readonly env: Record<string, string> }> {
  const dataDir = temporaryDirectory('geth');
  const env = { DATA_DIR: dataDir, RPC_URL: url, START_BLOCK: '0' };
  const product = await ChainfoldProcess.start(env);
  ending.push(async () => {
    await product.kill();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { product, env };
}

describeWithFixtures('the limits of geth', (fixtures) => {
  describeWithGeth('as it starts without options', () => {
    let geth: GethNode;
    beforeAll(async () => {
      geth = await GethNode.ofExecutionApis(fixtures);
    });
    afterAll(() => geth?.stop());

    it('are those that the replay node plays: one error for a batch above 1,000 items, -32003 for what stands behind 25 MB', async () => {
      const long = Array.from({ length: 1_001 }, () => ['eth_chainId'] as const);
      expect(await geth.batch(long)).toEqual([{ jsonrpc: '2.0', id: 0, error: { code: -32600, message: 'batch too large' } }]);
      const answers = await geth.batch(Array.from({ length: 4 }, () => ['eth_getBlockReceipts', '0x2'] as const));
      expect(answers.map(({ id, error }) => [id, error?.code])).toEqual([[0, undefined], [1, undefined], [2, -32003], [3, -32003]]);
    });

    it.each(protocols)('cut no answer that the product asks for over %s, three times 21 MB in one batch among them', async (_protocol, url) => {
      const node = connectChainNode(url(geth), { clock: systemClock, metrics: uncounted, receipts: true });
      try {
        const whole: number[] = [];
        // What is much to hold at once comes in parts; each ask brings at least one block on.
        for (let left = [1, 2, 3, 2, 4, 2]; left.length > 0; ) {
          const came = (await node.blocks(left)).filter((fetched) => fetched !== null);
          expect(came.length).toBeGreaterThan(0);
          whole.push(...came.map(({ block, receipts }) => (receipts?.length === block.transactions.length ? Number(block.number) : NaN)));
          left = left.slice(came.length);
        }
        expect(whole).toEqual([1, 2, 3, 2, 4, 2]);
      } finally {
        await node.close();
      }
    });
  });

  describeWithGeth('set a hundred times tighter', () => {
    afterEach(endTogether);

    it.each(protocols)('are learnt over %s, and the whole chain is captured and verified', async (_protocol, url) => {
      const geth = await GethNode.ofExecutionApis(fixtures, ['--rpc.batch-request-limit', '10', '--rpc.batch-response-max-size', '250000']);
      ending.push(() => geth.stop());
      const { product, env } = await following(url(geth));
      await followed(product, geth, CHAIN_ID);
      await eventually(async () => expect(await product.api(`/chains/${CHAIN_ID}`)).toMatchObject({ blocks: 55, transactions: 249, finalized: { number: 54 } }));
      await expectSameAsNode(product, geth, 0, CHAIN_ID);
      const metrics = await (await fetch(`${product.url}/metrics`)).text();
      expect(metrics).toMatch(/^chainfold_rpc_calls_total\{.*method="eth_getBlockReceipts",result="refused"\} [1-9]/m);
      expect(await chainfold(['verify', '--json'], env)).toMatchObject({ code: 0 });
    });
  });
});

describeWithGeth('a geth in dev mode whose head is set back by debug_setHead', () => {
  afterEach(endTogether);

  describe.each(protocols)('over %s', (_protocol, url) => {
    it('is followed back, and on from there', async () => {
      const geth = await GethNode.dev();
      ending.push(() => geth.stop());
      await geth.transfer(9);
      const { product, env } = await following(url(geth));
      await followed(product, geth, DEV_CHAIN);
      const orphan = (await product.api(`/chains/${DEV_CHAIN}`)).head;
      // A slow machine makes geth's dev mode seal an empty block now and then, so the depth is that of the moment.
      await geth.rpc('debug_setHead', ['0x6']);
      await followed(product, geth, DEV_CHAIN);
      const [fall] = await product.all(`/chains/${DEV_CHAIN}/reorgs`);
      expect(fall).toMatchObject({ ancestor: { number: 6 }, depth: orphan.number - 6, adopted: [] });
      expect(await product.api(`/chains/${DEV_CHAIN}/blocks/${orphan.hash}`)).toMatchObject({ finality: 'orphaned' });
      await geth.transfer(2);
      await followed(product, geth, DEV_CHAIN);
      await expectSameAsNode(product, geth, 0, DEV_CHAIN);
      await expectGaplessStreams(product);
      expect(await chainfold(['verify', '--json'], env)).toMatchObject({ code: 0 });
    });

    it('is followed when other blocks stand there before anybody looked: fewer, as many, or more', async () => {
      const geth = await GethNode.dev();
      ending.push(() => geth.stop());
      await geth.transfer(9);
      const { product, env } = await following(url(geth));
      await followed(product, geth, DEV_CHAIN);
      for (const blocks of [1, 4, 6]) {
        const number = (await geth.head()) - 4;
        await geth.rpc('debug_setHead', [`0x${number.toString(16)}`]);
        await geth.transfer(blocks);
        await followed(product, geth, DEV_CHAIN);
        await expectSameAsNode(product, geth, 0, DEV_CHAIN);
      }
      expect((await product.api(`/chains/${DEV_CHAIN}`)).status).toBe('following');
      expect((await product.all(`/chains/${DEV_CHAIN}/reorgs`)).length).toBeGreaterThanOrEqual(3);
      await expectGaplessStreams(product);
      expect(await chainfold(['verify', '--json'], env)).toMatchObject({ code: 0 });
    });
  });
});
