import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { AnvilProcess } from './stage/anvil-process.ts';
import { ChainfoldProcess, type Ended, temporaryDirectory } from './stage/chainfold-process.ts';

describe('a start that can not be', () => {
  const dir = temporaryDirectory('refusals');
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const refusal = (env: Record<string, string>): Promise<Ended> => ChainfoldProcess.launch(env).ended;

  it('names every wrong setting at once and exits 78', async () => {
    const config = join(dir, 'wrong.yaml');
    writeFileSync(config, 'prot: 3000\nlog: { level: loud }\n');
    const end = await refusal({ DATA_DIR: join(dir, 'a'), CONFIG_FILE: config, PORT: 'seventy', START_BLOCK: '-4' });
    expect(end.code).toBe(78);
    for (const word of ['prot', 'log.level', 'PORT', 'START_BLOCK']) expect(end.stderr).toContain(word);
    expect(end.stderr).not.toContain('seventy');
  });

  it('tells that the port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const { port } = server.address() as { port: number };
    const end = await refusal({ DATA_DIR: join(dir, 'b'), PORT: String(port) });
    server.close();
    expect(end.code).not.toBe(0);
    expect(end.stderr).toContain(String(port));
    expect(end.stderr).toMatch(/PORT/);
  });

  it('tells who holds the data directory', async () => {
    const env = { DATA_DIR: join(dir, 'c') };
    const first = await ChainfoldProcess.start(env);
    const end = await refusal(env);
    await first.interrupt();
    expect(end.code).not.toBe(0);
    expect(end.stderr).toContain(String(first.child.pid));
  });

  it('refuses a damaged log and leaves it as it is', async () => {
    const dataDir = join(dir, 'd');
    const first = await ChainfoldProcess.start({ DATA_DIR: dataDir });
    await first.interrupt();
    const log = join(dataDir, 'log.sqlite');
    expect(existsSync(log)).toBe(true);
    writeFileSync(log, Buffer.alloc(8192, 7));
    for (const suffix of ['-wal', '-shm']) rmSync(log + suffix, { force: true });
    const end = await refusal({ DATA_DIR: dataDir });
    expect(end.code).not.toBe(0);
    expect(end.stderr).toMatch(/damaged/);
    expect(end.stderr).toContain('log.sqlite');
  });

  it('tells that the data directory can not be written', async () => {
    const readOnly = join(dir, 'e');
    mkdirSync(readOnly);
    chmodSync(readOnly, 0o500);
    // Root writes everywhere: a file in the place of the directory is refused to everybody.
    const place = process.getuid?.() === 0 ? join(dir, 'file') : readOnly;
    if (place.endsWith('file')) writeFileSync(place, '');
    const end = await refusal({ DATA_DIR: place });
    expect(end.code).not.toBe(0);
    expect(end.stderr).toContain(place);
    expect(end.stderr).toMatch(/DATA_DIR/);
  });

  it('tells when a node has another chain id than configured, and captures nothing of it', async () => {
    const node = await AnvilProcess.start();
    const config = join(dir, 'main.yaml');
    writeFileSync(config, `chains:\n  main: { chainId: 1, rpcUrls: [${node.url}], startBlock: 0 }\n`);
    const product = await ChainfoldProcess.start({ DATA_DIR: join(dir, 'f'), CONFIG_FILE: config });
    try {
      const until = performance.now() + 20_000;
      let body = '';
      while (performance.now() < until && !/31337/.test(body)) {
        body = await (await fetch(`${product.url}/health/ready`)).text();
      }
      expect(body).toMatch(/31337/);
      expect((await product.api('/events')).items).toEqual([]);
    } finally {
      await product.kill();
      await node.stop();
    }
  });
});
