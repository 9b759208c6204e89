import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AnvilProcess } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';
import { expectGaplessStreams, expectSameAsNode, followed } from './stage/same-as-node.ts';
import { describeWithSmallDisk } from './stage/small-disk.ts';

const lastLine = (text: string): any => JSON.parse(text.trim().split('\n').at(-1)!);

describe('a backup', () => {
  it('of a running system under load is restored elsewhere and goes on, the same as the node', async () => {
    const dir = temporaryDirectory('backup');
    const [data, target, elsewhere] = ['data', 'backup', 'elsewhere'].map((name) => join(dir, name)) as [string, string, string];
    const node = await AnvilProcess.start();
    const env = (dataDir: string) => ({ DATA_DIR: dataDir, RPC_URL: node.url, START_BLOCK: '0' });
    let loaded = true;
    const load = (async () => {
      while (loaded) await node.mine(1, 10);
    })();
    /** Only the load mines: two at once would take the same nonce. */
    const grown = async (blocks: number): Promise<void> => {
      const until = (await node.head()) + blocks;
      await eventually(async () => expect(await node.head()).toBeGreaterThanOrEqual(until));
    };
    let product = await ChainfoldProcess.start(env(data));
    try {
      await grown(5);
      const taken = await chainfold(['backup', target, '--json'], env(data));
      expect(taken).toMatchObject({ code: 0, stderr: '' });
      const manifest = lastLine(taken.stdout);
      expect(manifest).toMatchObject({ kind: 'backup', events: expect.any(Number) });
      await grown(5);
      loaded = false;
      await load;
      await followed(product, node);
      const original = await product.all('/events');
      expect(original.length).toBeGreaterThan(manifest.events);
      expect(original[manifest.events - 1].position).toBe(manifest.head);

      expect(await chainfold(['restore', target], env(data))).toMatchObject({ code: 75, stderr: expect.stringContaining('Another process works on this data directory') });
      expect((await product.interrupt()).code).toBe(0);
      expect(await chainfold(['restore', target], env(data))).toMatchObject({ code: 74, stderr: expect.stringContaining('a restore replaces nothing') });

      const restored = await chainfold(['restore', target, '--data-dir', elsewhere, '--json'], {});
      expect(restored).toMatchObject({ code: 0, stderr: '' });
      const { events, streams, sha256, head, identity } = manifest;
      expect(lastLine(restored.stdout)).toMatchObject({ kind: 'restored', events, streams, sha256, head, identity });

      product = await ChainfoldProcess.start(env(elsewhere));
      await node.mine(3, 2);
      await followed(product, node);
      expect((await product.all('/events')).slice(0, events)).toEqual(original.slice(0, events));
      await expectGaplessStreams(product);
      await expectSameAsNode(product, node);
      expect(await chainfold(['verify', '--json'], env(elsewhere))).toMatchObject({ code: 0 });
      expect((await product.interrupt()).code).toBe(0);

      const copy = join(target, 'log.sqlite');
      const bytes = readFileSync(copy);
      bytes[Math.floor(bytes.length / 2)]! ^= 1;
      writeFileSync(copy, bytes);
      const refused = await chainfold(['restore', target, '--data-dir', join(dir, 'third')], {});
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('The backup is not what was written') });
      expect(existsSync(join(dir, 'third', 'log.sqlite'))).toBe(false);
    } finally {
      loaded = false;
      await load;
      await product.kill();
      await node.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describeWithSmallDisk('a backup on a disk without room', 1, (mount) => {
  it('is refused before its first byte, and so is a restore', async () => {
    const dir = temporaryDirectory('no-room');
    const disk = mount();
    const node = await AnvilProcess.start();
    try {
      await node.mine(2, 1);
      const env = { DATA_DIR: join(dir, 'data') };
      expect(await chainfold(['backfill', '--rpc', node.url, '--from', '0', '--to', '1'], env)).toMatchObject({ code: 0 });
      expect(await chainfold(['backup', join(dir, 'backup')], env)).toMatchObject({ code: 0 });
      mkdirSync(join(disk.directory, 'restored'));
      disk.fill();
      expect(await chainfold(['backup', join(disk.directory, 'backup')], env)).toMatchObject({ code: 74, stderr: expect.stringMatching(/no room left.*bytes, \d+ are free/s) });
      expect(existsSync(join(disk.directory, 'backup'))).toBe(false);
      const refused = await chainfold(['restore', join(dir, 'backup'), '--data-dir', join(disk.directory, 'restored')], {});
      expect(refused).toMatchObject({ code: 74, stderr: expect.stringContaining('no room left') });
    } finally {
      await node.stop();
      disk.unmount();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
