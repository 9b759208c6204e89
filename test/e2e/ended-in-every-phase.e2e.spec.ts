import { rmSync } from 'node:fs';
import { AnvilProcess } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, type Ended, eventually, temporaryDirectory } from './stage/chainfold-process.ts';
import { HangingNode } from './stage/hanging-node.ts';
import { expectGaplessStreams, followed } from './stage/same-as-node.ts';

const OLD_BLOCKS = 1_200;
const BLOCK_CALLS = ['eth_getBlockByNumber', 'eth_getBlockByHash', 'eth_getBlockReceipts'];

describe('SIGTERM while the node takes requests and never answers', () => {
  const dataDir = temporaryDirectory('ended');
  let anvil: AnvilProcess;
  let node: HangingNode;
  let product: ChainfoldProcess;
  let backfill: string;
  const env = () => ({ DATA_DIR: dataDir, RPC_URL: node.url, LOG_LEVEL: 'debug' });

  beforeAll(async () => {
    anvil = await AnvilProcess.start();
    await anvil.rpc('anvil_mine', [`0x${OLD_BLOCKS.toString(16)}`]);
    node = await HangingNode.start(anvil.url);
  });
  beforeEach(() => node.heal());
  afterAll(async () => {
    await product.kill();
    await node.stop();
    await anvil.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const terminated = (): Promise<Ended> => {
    product.child.kill('SIGTERM');
    return product.ended;
  };
  /** Every part came to its end by itself; one that hangs is cut, named, and makes it a 1. */
  const expectDrained = ({ code, stderr }: Ended): void => expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  /** At once, not at the next look: a drain may be over by then. */
  const says = (words: string): Promise<void> => new Promise((said) => product.child.stdout!.on('data', () => (product.stdout.includes(words) ? said() : undefined)));
  const hangs = (): Promise<void> => eventually(async () => expect(node.hung).toBeGreaterThan(0));
  const catchesUp = async (): Promise<void> => {
    product = await ChainfoldProcess.start(env());
    await followed(product, anvil);
  };

  it('ends it while it opens', async () => {
    node.hang();
    product = ChainfoldProcess.launch(env());
    await says('Starting Nest application');
    expectDrained(await terminated());
    expect(product.stdout).not.toContain('ready at');
  });

  it('ends it while it asks the node who it is', async () => {
    node.hang();
    product = await ChainfoldProcess.start(env());
    await hangs();
    expectDrained(await terminated());
  });

  it('ends it while it captures the head', async () => {
    await catchesUp();
    node.hang(...BLOCK_CALLS);
    await anvil.mine(3, 2);
    await hangs();
    expectDrained(await terminated());
  });

  it('ends it amid a backfill', async () => {
    await catchesUp();
    // Asks run ahead of what is done, so the last of them hangs from the beginning.
    node.hang(`"0x${(OLD_BLOCKS - 1).toString(16)}"`);
    const asked = await product.post('/chains/31337/backfills', { from: 0, to: OLD_BLOCKS - 1 });
    backfill = asked.headers.get('location')!;
    await eventually(async () => expect((await product.get(backfill)).done).toBeGreaterThan(50));
    await hangs();
    expect((await product.get(backfill)).state).not.toBe('finished');
    expectDrained(await terminated());
  });

  it('ends it amid a rebuild', async () => {
    await catchesUp();
    node.hang();
    expect((await product.post('/projections/chain-explorer/rebuild', {})).status).toBe(202);
    expectDrained(await terminated());
  });

  it('ends it once when it comes again while it drains', async () => {
    await catchesUp();
    node.hang();
    await anvil.mine(1, 1);
    await hangs();
    const ended = terminated();
    await says('"draining"');
    product.child.kill('SIGTERM');
    expectDrained(await ended);
  });

  it('loses nothing: the next start goes on with head, backfill and read models', async () => {
    await catchesUp();
    await eventually(async () => expect(await product.get(backfill)).toMatchObject({ state: 'finished', done: OLD_BLOCKS }), 60_000);
    await expectGaplessStreams(product);
    expect(await chainfold(['verify', '--json'], env())).toMatchObject({ code: 0 });
  });
});
