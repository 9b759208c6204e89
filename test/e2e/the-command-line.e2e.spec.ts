import { rmSync } from 'node:fs';
import { AnvilProcess } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';
import { followed } from './stage/same-as-node.ts';

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('the command line', () => {
  const dataDir = temporaryDirectory('cli');
  const env = { DATA_DIR: dataDir };
  let node: AnvilProcess;
  beforeAll(async () => {
    node = await AnvilProcess.start();
    await node.mine(60, 1);
  });
  afterAll(async () => {
    await node.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('captures a range where no process runs, and verifies it', async () => {
    const filled = await chainfold(['backfill', '--rpc', node.url, '--from', '0', '--to', '30', '--json'], env);
    expect(filled).toMatchObject({ code: 0 });
    expect(lines(filled.stdout).at(-1)).toMatchObject({ kind: 'finished', done: 31, total: 31 });
    const verified = await chainfold(['verify', '--json'], env);
    expect(verified).toMatchObject({ code: 0 });
    expect(lines(verified.stdout).at(-1)).toMatchObject({ kind: 'done', blocks: 31, transactions: 30, findings: 0 });
  });

  it('refuses what overlaps, and says what to leave out', async () => {
    const refused = await chainfold(['backfill', '--rpc', node.url, '--from', '20', '--to', '40'], env);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/0 to 30/);
  });

  it('works beside a running process, whose chain goes on from where the first command saw its head', async () => {
    const product = await ChainfoldProcess.start({ ...env, RPC_URL: node.url });
    try {
      await node.mine(3, 2);
      await followed(product, node);
      expect(await chainfold(['backfill', '--from', '31', '--to', '50', '--json'], env)).toMatchObject({ code: 0 });
      await eventually(async () => {
        const numbers = (await product.all('/chains/31337/blocks?order=asc')).map((block) => block.number);
        expect(numbers).toEqual([...Array.from({ length: 51 }, (_, number) => number), ...[60, 61, 62, 63]]);
      });
      for (const command of [['events', '--limit', '3'], ['streams'], ['projections'], ['verify']]) {
        const said = await chainfold([...command, '--json'], env);
        expect(said).toMatchObject({ code: 0, stderr: '' });
        expect(lines(said.stdout).length).toBeGreaterThan(0);
      }
      expect(await product.interrupt()).toMatchObject({ code: 0 });
    } finally {
      await product.kill();
    }
  });

  it('tells what is wrong with the surroundings', async () => {
    const healthy = await chainfold(['doctor', '--json'], { ...env, RPC_URL: node.url, PORT: '0' });
    expect(healthy).toMatchObject({ code: 0 });
    const secret = 'k3y-that-nobody-may-see';
    const ill = await chainfold(['doctor', '--json'], { ...env, RPC_URL: `http://127.0.0.1:1/v3/${secret}`, PORT: '0' });
    expect(ill.code).toBe(1);
    expect(ill.stdout + ill.stderr).not.toContain(secret);
  });
});
