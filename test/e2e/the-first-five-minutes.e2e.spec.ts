import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';
import { expectGaplessStreams } from './stage/same-as-node.ts';

describe('the first five minutes of a stranger', () => {
  const dataDir = temporaryDirectory('first');
  let product: ChainfoldProcess;
  afterAll(async () => {
    await product.kill();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('sees a real chain arrive, with every kind of transaction, verified', async () => {
    product = await ChainfoldProcess.start({ DATA_DIR: dataDir });
    await eventually(async () => {
      const [chain] = (await product.api('/chains')).items;
      expect(chain).toMatchObject({ chainId: '31337', status: 'following', startBlock: 0 });
      expect(chain.blocks).toBeGreaterThan(5);
      const kinds = new Set<string>();
      for (const block of await product.all('/chains/31337/blocks')) {
        const details = await product.api(`/chains/31337/blocks/${block.hash}`);
        expect(details).toMatchObject({ verified: true, hash: block.hash });
        for (const transaction of await product.all(`/chains/31337/blocks/${block.hash}/transactions`)) kinds.add(transaction.kind);
      }
      expect([...kinds].sort()).toEqual(['call', 'deploy', 'transfer']);
    }, 60_000);
    expect(await product.get('/health/ready')).toMatchObject({ status: 'ok' });
  });

  it('is measured under names that Prometheus accepts, every stage of it', async () => {
    const page = await (await fetch(`${product.url}/metrics`)).text();
    for (const stage of ['chain_head_age_seconds', 'chain_capture_lag_seconds', 'rpc_calls_total', 'rpc_batch_calls', 'log_append_duration_seconds', 'actors_mailbox_commands', 'projections_lag_events', 'chain_reorgs_total', 'chain_verification_failures_total']) {
      expect(page).toContain(`# TYPE chainfold_${stage}`);
    }
    expect(page).toMatch(/chainfold_rpc_calls_total\{[^}]*method="eth_getBlockReceipts",result="ok"\} [1-9]/);
    if (spawnSync('promtool', ['--version']).error !== undefined) return;
    expect(spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  it('goes on where it was after Ctrl-C, the embedded chain too', async () => {
    const before = await product.api('/chains/31337');
    expect(await product.interrupt()).toMatchObject({ code: 0 });
    product = await ChainfoldProcess.start({ DATA_DIR: dataDir });
    const known = await product.api(`/chains/31337/blocks/${before.head.number}`);
    expect(known.hash).toBe(before.head.hash);
    await eventually(async () => {
      expect((await product.api('/chains/31337')).head.number).toBeGreaterThan(before.head.number);
    });
    expect((await product.api('/chains/31337/blocks/0')).number).toBe(0);
    await expectGaplessStreams(product);
  });
});
