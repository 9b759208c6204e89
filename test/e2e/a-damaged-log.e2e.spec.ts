import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AnvilProcess } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';
import { followed } from './stage/same-as-node.ts';

const DAMAGED = 'The data can not be read: the file is damaged or not ours';

describe('a log of which bytes have changed', () => {
  const dataDir = temporaryDirectory('damaged');
  const env = () => ({ DATA_DIR: dataDir, RPC_URL: node.url, START_BLOCK: '0' });
  let node: AnvilProcess;
  let product: ChainfoldProcess | undefined;

  beforeAll(async () => {
    node = await AnvilProcess.start();
    await node.mine(8, 5);
    product = await ChainfoldProcess.start(env());
    await followed(product, node);
    await product.interrupt();
    const log = new DatabaseSync(join(dataDir, 'log.sqlite'));
    const changes = log
      .prepare(
        `UPDATE append SET payload = CAST(substr(payload, 1, 20) || x'ffffffff' || substr(payload, 25) AS BLOB)
         WHERE raw IS NOT NULL AND first = (SELECT max(first) FROM append JOIN stream ON id = stream WHERE name LIKE 'block-%' AND raw IS NOT NULL)`,
      )
      .run().changes;
    log.close();
    expect(changes).toBe(1);
  });
  afterAll(async () => {
    await product?.kill();
    await node.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const expectToldBy = ({ code, stderr }: { code: number | null; stderr: string }): void => {
    expect({ code, stderr }).toMatchObject({ code: 74, stderr: expect.stringContaining(DAMAGED) });
    expect(stderr).toContain('Put a copy of the file back');
  };

  it('is told by `verify` without a process beside it, with the way out and the exit code of data that can not be used', async () => {
    expectToldBy(await chainfold(['verify'], env()));
  });

  it('is told by `verify` beside a process, and as the last line of the answer', async () => {
    product = await ChainfoldProcess.start(env());
    expectToldBy(await chainfold(['verify'], env()));
    const answer = await fetch(`${product.url}/api/v1/chains/31337/verification`);
    const last = (await answer.text()).trimEnd().split('\n').at(-1) as string;
    expect(JSON.parse(last)).toMatchObject({ kind: 'failed', code: 'data-damaged', message: DAMAGED, hint: expect.stringContaining('Put a copy') });
    await product.interrupt();
  });

  it('is named by readiness once a read model meets it', async () => {
    for (const file of readdirSync(dataDir)) if (file.startsWith('read.db')) rmSync(join(dataDir, file));
    product = await ChainfoldProcess.start(env());
    const { url } = product;
    await eventually(async () => {
      const ready = await fetch(`${url}/health/ready`);
      const { error } = (await ready.json()) as { error: { projections?: { reason: string } } };
      expect([ready.status, error.projections?.reason]).toEqual([503, expect.stringContaining(DAMAGED)]);
    });
    expect((await product.interrupt()).code).toBe(0);
  });
});
