import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { generateChain } from '../load/generated-chain.ts';
import { ReplayNode } from '../load/replay-node.ts';
import { ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';

interface ShownKey {
  readonly alias: string;
  readonly emulated?: boolean;
  readonly state: string;
  readonly usage: { readonly '1h': { readonly requests: number; readonly errors: number } };
  readonly totals: { readonly acknowledged: number; readonly booked: number };
}

describe('the keys of the demo', () => {
  it('are 22, emulated, spent on without one refusal, and remembered after kill -9', async () => {
    const dataDir = temporaryDirectory('keys');
    const first = await ChainfoldProcess.start({ DATA_DIR: dataDir, LOG_LEVEL: 'trace' });
    const keys = async (process: ChainfoldProcess): Promise<ShownKey[]> => (await process.api<{ items: ShownKey[] }>('/keys')).items;
    await eventually(async () => {
      expect((await first.api('/chains/31337')).head.number).toBeGreaterThan(3);
      expect((await keys(first)).some(({ usage }) => usage['1h'].requests > 0)).toBe(true);
    });
    const before = await keys(first);
    expect(before).toHaveLength(22);
    expect(before.every(({ emulated, state, usage }) => emulated === true && state === 'ready' && usage['1h'].errors === 0)).toBe(true);
    expect((await first.api('/chains/31337')).plan).toMatchObject({ blocks: 'infura', receipts: 'alchemy', heads: 'infura' });
    const acknowledged = sum(before.map(({ totals }) => totals.acknowledged));
    expect(acknowledged).toBeGreaterThan(0);
    expect(sum(before.map(({ totals }) => totals.booked))).toBeGreaterThanOrEqual(acknowledged);
    await first.kill();

    const second = await ChainfoldProcess.start({ DATA_DIR: dataDir });
    const head = (await second.api('/chains/31337')).head.number;
    await eventually(async () => expect((await second.api('/chains/31337')).head.number).toBeGreaterThan(head));
    const after = await keys(second);
    expect(sum(after.map(({ totals }) => totals.acknowledged))).toBeGreaterThanOrEqual(acknowledged);
    expect(after.every(({ usage }) => usage['1h'].errors === 0)).toBe(true);
    expect((await second.interrupt()).code).toBe(0);
  }, 90_000);

  it('of a user never appear in logs, answers, metrics, command lines, or the data directory', async () => {
    const planted = ['planted-one-9f2c41d7aa', 'planted-two-c0ffee1234'];
    const node = await ReplayNode.start(await generateChain({ seed: 5, blocks: 12, transactionsPerBlock: 2 }));
    const chainId = '424242';
    const config = temporaryDirectory('keys-config');
    const provider = { title: 'Ours', source: 'this test', http: `${node.url}/{key}`, ledgers: { units: { default: 1 } }, limits: [{ kind: 'rolling', name: 'second', windowMs: 1_000, units: 50 }] };
    execFileSync('mkdir', ['-p', join(config, 'providers')]);
    writeFileSync(join(config, 'providers', 'ours.yaml'), JSON.stringify(provider));
    writeFileSync(join(config, 'keys.yaml'), JSON.stringify({ one: { provider: 'ours', secrets: ['${PLANTED_ONE}'] }, two: { provider: 'ours', secrets: ['${PLANTED_TWO}'] } }));
    const dataDir = temporaryDirectory('keys');
    const process = await ChainfoldProcess.start({ DATA_DIR: dataDir, CONFIG_DIR: config, CHAIN_ID: chainId, LOG_LEVEL: 'trace', PLANTED_ONE: planted[0]!, PLANTED_TWO: planted[1]! });
    await eventually(async () => expect((await process.api(`/chains/${chainId}`)).head.number).toBeGreaterThan(0));
    await process.post('/keys/one/probe', {});
    const answers = await Promise.all(['/api/v1/keys', '/api/v1/keys/one', '/api/v1/keys/one/explain', '/api/v1/usage', '/api/v1/events?limit=500', `/api/v1/chains/${chainId}`].map(async (path) => JSON.stringify(await process.get(path))));
    const metrics = await (await fetch(`${process.url}/metrics`)).text();
    await node.close();
    await eventually(async () => expect(JSON.stringify(await process.api(`/chains/${chainId}`))).toContain('stalled'));
    const failing = JSON.stringify(await process.api(`/chains/${chainId}`));
    const commandLine = readFileSync(`/proc/${process.child.pid}/cmdline`, 'utf8');
    const { stdout, stderr } = await process.interrupt();
    const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const everything = [...answers, metrics, failing, commandLine, stdout, stderr, ...files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))];
    for (const secret of planted) for (const text of everything) expect(text.includes(secret)).toBe(false);
    expect(stdout).toContain('"request"');
    expect(answers[0]).toContain(createHash('sha256').update(planted[0]!).digest('hex').slice(0, 8));
  }, 90_000);
});

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
