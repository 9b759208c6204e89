import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AnvilProcess } from './stage/anvil-process.ts';
import { ChainfoldProcess, temporaryDirectory } from './stage/chainfold-process.ts';
import { expectSameAsNode, followed } from './stage/same-as-node.ts';

describe('two chains in one process', () => {
  it('are captured side by side, each from its own file', async () => {
    const dataDir = temporaryDirectory('two-chains');
    const config = join(dataDir, 'chains.yaml');
    const nodes = await Promise.all([31337, 424242].map((id) => AnvilProcess.start({ args: ['--chain-id', String(id)] })));
    let product: ChainfoldProcess | undefined;
    try {
      for (const [index, node] of nodes.entries()) await node.mine(5 + index, 2);
      const chain = (index: number) => `{ rpcUrls: [${nodes[index]?.url}], startBlock: 0 }`;
      writeFileSync(config, `chains:\n  first: ${chain(0)}\n  second: ${chain(1)}\n`);
      product = await ChainfoldProcess.start({ DATA_DIR: join(dataDir, 'data'), CONFIG_FILE: config });
      for (const [index, id] of ['31337', '424242'].entries()) {
        const node = nodes[index] as AnvilProcess;
        await node.mine(1, 1);
        await followed(product, node, id);
        await expectSameAsNode(product, node, 0, id);
      }
      expect((await product.api('/chains')).items.map((chain: { name: string }) => chain.name).sort()).toEqual(['first', 'second']);
    } finally {
      await product?.kill();
      await Promise.all(nodes.map((node) => node.stop()));
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
