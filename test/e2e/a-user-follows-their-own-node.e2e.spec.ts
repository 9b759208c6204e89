import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AnvilProcess } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';
import { expectGaplessStreams, expectSameAsNode, followed } from './stage/same-as-node.ts';

describe('a user follows their own node', () => {
  const dataDir = temporaryDirectory('own-node');
  let node: AnvilProcess;
  let product: ChainfoldProcess;
  const env = () => ({ DATA_DIR: dataDir, RPC_URL: node.url, START_BLOCK: '0' });
  beforeAll(async () => {
    node = await AnvilProcess.start();
    await node.mine(20, 3);
  });
  afterAll(async () => {
    await product.kill();
    await node.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('captures it from the first block', async () => {
    product = await ChainfoldProcess.start(env());
    await followed(product, node);
    await expectSameAsNode(product, node);
  });

  it.each([1, 3, 12])('survives a reorg of depth %i', async (depth) => {
    await node.mine(14, 1);
    await followed(product, node);
    const orphan = (await product.api('/chains/31337')).head;
    await node.rpc('anvil_reorg', [depth, []]);
    await node.mine(1, 2);
    await followed(product, node);
    await expectSameAsNode(product, node);
    const [latest] = (await product.api('/chains/31337/reorgs')).items;
    expect(latest).toMatchObject({ depth });
    expect(await product.api(`/chains/31337/blocks/${orphan.hash}`)).toMatchObject({ hash: orphan.hash, finality: 'orphaned' });
  });

  it('follows a node that was rolled back without a word', async () => {
    await node.rpc('anvil_rollback', [2]);
    await followed(product, node);
    await node.mine(2, 1);
    await followed(product, node);
    await expectSameAsNode(product, node);
  });

  it('shows the same after the read models are thrown away', async () => {
    // The first start asks for the tags anew, so that the second one adds nothing to the log.
    await product.interrupt();
    product = await ChainfoldProcess.start(env());
    await followed(product, node);
    await eventually(async () => expect((await product.api('/chains/31337')).safe.number).toBe(Number((await node.rpc('eth_getBlockByNumber', ['safe', false])).number)));
    const before = await everythingServed(product);
    await product.interrupt();
    for (const file of readdirSync(dataDir)) if (file.startsWith('read.db')) rmSync(join(dataDir, file));
    product = await ChainfoldProcess.start(env());
    await followed(product, node);
    expect(await everythingServed(product)).toEqual(before);
    await expectGaplessStreams(product);
  });

  it('verifies the whole store from the command line, beside the running process', async () => {
    const verified = await chainfold(['verify', '--json'], env());
    expect(verified).toMatchObject({ code: 0 });
  });

  it('rebuilds a read model beside the live one', async () => {
    const before = await everythingServed(product);
    const rebuilt = await chainfold(['rebuild', 'chain-explorer', '--json'], env());
    expect(rebuilt).toMatchObject({ code: 0 });
    expect(await everythingServed(product)).toEqual(before);
  });

  it('goes on by itself when the node was away', async () => {
    const port = node.port;
    const head = await node.head();
    await node.stop();
    await eventually(async () => {
      const answer = await fetch(`${product.url}/health/ready`);
      expect(answer.status).toBe(503);
      expect(JSON.stringify(await answer.json())).toContain('The node does not answer');
    }, 60_000);
    // Another chain under the same address must stop the capture with a reason rather than mix two histories.
    node = await AnvilProcess.start({ port, args: ['--timestamp', '1'] });
    await node.mine(head + 3);
    await eventually(async () => {
      const chain = await product.api('/chains/31337');
      expect(chain.status).toBe('stopped');
      expect(chain.reason).toEqual(expect.stringMatching(/genesis|final/));
    }, 60_000);
  });
});

/** All that the API tells of the chain, but for ages and positions. */
async function everythingServed(product: ChainfoldProcess): Promise<unknown> {
  const blocks = await product.all('/chains/31337/blocks?orphaned=true');
  const details = [];
  for (const block of blocks) {
    details.push(await product.api(`/chains/31337/blocks/${block.hash}`));
    for (const { hash } of await product.all(`/chains/31337/blocks/${block.hash}/transactions`)) {
      details.push(await product.api(`/chains/31337/transactions/${hash}`));
    }
  }
  const { head, safe, finalized, blocks: count, transactions } = await product.api('/chains/31337');
  const sender = (await product.all('/chains/31337/blocks/1/transactions'))[0].from;
  return withoutMoment({
    chain: { head, safe, finalized, count, transactions },
    blocks,
    details,
    reorgs: await product.all('/chains/31337/reorgs'),
    sent: await product.all(`/chains/31337/addresses/${sender}/transactions`),
  });
}

function withoutMoment(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer, (key, value: unknown) => (key === 'asOf' ? undefined : value)));
}
