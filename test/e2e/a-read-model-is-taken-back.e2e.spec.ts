import { rmSync } from 'node:fs';
import { AnvilProcess } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';

interface Generation {
  readonly generation: number;
  readonly state: string;
  readonly verification?: { readonly verdict: string };
}
interface Shown {
  readonly generation: number;
  readonly state: string;
  readonly generations: readonly Generation[];
}

describe('while blocks arrive, an operator', () => {
  const dir = temporaryDirectory('taken-back');
  const env = { DATA_DIR: dir };
  let node: AnvilProcess;
  let product: ChainfoldProcess;
  let mining = true;
  let mined: Promise<void>;
  const chainPath = (): string => `/chains/31337`;
  const explorer = (): Promise<Shown> => product.api<Shown>('/projections/chain-explorer');
  const head = async (): Promise<number> => (await product.api<{ head: { number: number } }>(chainPath())).head.number;

  beforeAll(async () => {
    node = await AnvilProcess.start();
    await node.mine(20, 2);
    product = await ChainfoldProcess.start({ ...env, RPC_URL: node.url, START_BLOCK: '0' });
    await eventually(async () => expect(await head()).toBeGreaterThanOrEqual(20));
    mined = (async () => {
      while (mining) {
        await node.mine(1, 2);
        await new Promise((resume) => setTimeout(resume, 50));
      }
    })();
  }, 90_000);
  afterAll(async () => {
    mining = false;
    await mined;
    await product.interrupt();
    await node.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 30_000);

  it('rebuilds the read model, which is compared and found the same, and never falls back in what it shows', async () => {
    const shown: number[] = [];
    let watching = true;
    const watched = (async () => {
      while (watching) shown.push(await head());
    })();
    expect(await chainfold(['rebuild', 'chain-explorer', '--json'], env)).toMatchObject({ code: 0 });
    watching = false;
    await watched;
    expect(shown).toEqual([...shown].sort((a, b) => a - b));
    const { generation, generations } = await explorer();
    expect(generation).toBe(2);
    expect(generations).toMatchObject([{ generation: 1, state: 'kept' }, { generation: 2, state: 'live', verification: { verdict: 'same' } }]);
  }, 60_000);

  it('takes the kept one back on the command line, with everything that arrived meanwhile', async () => {
    const before = await head();
    await eventually(async () => expect(await head()).toBeGreaterThan(before + 2));
    const seen = await head();
    expect(await chainfold(['activate', 'chain-explorer', '1', '--json'], env)).toMatchObject({ code: 0 });
    expect(await explorer()).toMatchObject({ generation: 1, state: 'live' });
    expect(await head()).toBeGreaterThanOrEqual(seen);
    const { items } = await product.api<{ items: { number: number }[] }>(`${chainPath()}/blocks?limit=500&order=asc`);
    expect(items.map(({ number }) => number)).toEqual(items.map((_, at) => at));
  }, 60_000);

  it('takes the other one by REST again, and is refused what is not kept', async () => {
    expect((await product.post('/projections/chain-explorer/activate', { generation: 2 })).status).toBe(202);
    await eventually(async () => expect(await explorer()).toMatchObject({ generation: 2, state: 'live' }));
    const refused = await product.post('/projections/chain-explorer/activate', { generation: 2 });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([404, 'no-such-generation']);
  }, 60_000);

  it('throws the kept one away, and the log goes on being shown', async () => {
    const before = await head();
    expect((await product.post('/projections/chain-explorer/retire', { generation: 1 })).status).toBe(202);
    await eventually(async () => expect((await explorer()).generations.map(({ generation }) => generation)).toEqual([2]));
    await eventually(async () => expect(await head()).toBeGreaterThan(before));
  }, 60_000);
});
