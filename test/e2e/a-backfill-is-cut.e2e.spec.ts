import { rmSync } from 'node:fs';
import { AnvilProcess } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';
import { expectGaplessStreams, expectSameAsNode, followed } from './stage/same-as-node.ts';

const BLOCKS = 1_500;

describe('a backfill that is cut by kill -9 while the head is reorganised', () => {
  it('goes on where it was, and the read models are those of a fresh replay to the byte', async () => {
    const dataDir = temporaryDirectory('cut');
    const node = await AnvilProcess.start();
    const env = { DATA_DIR: dataDir, RPC_URL: node.url };
    let product: ChainfoldProcess | undefined;
    try {
      await node.rpc('anvil_mine', [`0x${BLOCKS.toString(16)}`]);
      await node.mine(5, 2);
      product = await ChainfoldProcess.start(env);
      await followed(product, node);
      const asked = await product.post('/chains/31337/backfills', { from: 0, to: BLOCKS - 1 });
      expect(asked.status).toBe(202);
      const backfill = asked.headers.get('location') as string;
      await eventually(async () => expect((await product?.get(backfill)).done).toBeGreaterThan(50));
      await product.kill();
      await node.rpc('anvil_reorg', [3, []]);
      await node.mine(1, 3);

      product = await ChainfoldProcess.start(env);
      const goesOnFrom = (await product.get(backfill)).done;
      expect(goesOnFrom).toBeGreaterThan(50);
      await followed(product, node);
      await eventually(async () => expect(await product?.get(backfill)).toMatchObject({ state: 'finished', done: BLOCKS }), 60_000);
      // The first start saw block BLOCKS + 5 as the head; what stands between was never asked for.
      expect((await product.post('/chains/31337/backfills', { from: BLOCKS, to: BLOCKS + 4 })).status).toBe(202);
      await eventually(async () => expect((await product?.api('/chains/31337')).blocks).toBe((await node.head()) + 1));
      await expectGaplessStreams(product);
      await expectSameAsNode(product, node);
      expect(await chainfold(['verify', '--json'], env)).toMatchObject({ code: 0 });
      expect(await chainfold(['rebuild', 'chain-explorer', '--json'], env)).toMatchObject({ code: 0 });
      const [explorer] = (await product.api('/projections')).items;
      const live = explorer.generations.find((generation: { state: string }) => generation.state === 'live');
      expect(live).toMatchObject({ generation: 2, verification: { verdict: 'same' } });
    } finally {
      await product?.kill();
      await node.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
