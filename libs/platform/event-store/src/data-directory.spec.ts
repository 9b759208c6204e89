import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireDataDirectory, ownerOfDataDirectory } from './data-directory.ts';

describe('a data directory', () => {
  let path: string;
  beforeEach(async () => (path = await mkdtemp(join(tmpdir(), 'chainfold-data-'))));
  const onTestEnd: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of onTestEnd.splice(0)) end();
    await rm(path, { recursive: true });
  });

  it('is created and has one owner, whom a second one is told of', () => {
    const inside = join(path, 'new', 'data');
    const owner = acquireDataDirectory(inside);
    expect(() => acquireDataDirectory(inside)).toThrow(expect.objectContaining({ code: 'data-directory-locked', facts: { path: inside, pid: process.pid } }));
    owner.announce('http://127.0.0.1:3000');
    expect(() => acquireDataDirectory(inside)).toThrow(
      expect.objectContaining({ code: 'data-directory-locked', facts: { path: inside, pid: process.pid, url: 'http://127.0.0.1:3000' } }),
    );
    owner.release();
    acquireDataDirectory(inside).release();
  });

  it('tells commands beside it who works on it, and forgets it when released', () => {
    expect(ownerOfDataDirectory(path)).toBeUndefined();
    expect(existsSync(join(path, 'owner.lock'))).toBe(false);
    const owner = acquireDataDirectory(path);
    owner.announce('http://127.0.0.1:3000');
    expect(ownerOfDataDirectory(path)).toEqual({ pid: process.pid, url: 'http://127.0.0.1:3000' });
    owner.release();
    owner.release();
    expect(ownerOfDataDirectory(path)).toBeUndefined();
    expect(existsSync(join(path, 'address.json'))).toBe(false);
  });

  it('still names no owner when the address file says nonsense', () => {
    const owner = acquireDataDirectory(path);
    writeFileSync(join(path, 'address.json'), '{"pid": "no');
    expect(ownerOfDataDirectory(path)).toEqual({});
    owner.release();
  });

  it('stays ours when nobody remembers it any more', async () => {
    const program = `
      import { acquireDataDirectory, ownerOfDataDirectory } from ${JSON.stringify(new URL('./data-directory.ts', import.meta.url).href)};
      acquireDataDirectory(${JSON.stringify(path)});
      for (let i = 0; i < 5; i++) { gc(); await new Promise((done) => setTimeout(done, 10)); }
      process.exit(ownerOfDataDirectory(${JSON.stringify(path)})?.pid === process.pid ? 0 : 7);`;
    const child = spawn(process.execPath, ['--expose-gc', '--conditions=source', '--input-type=module', '-e', program], { stdio: 'inherit' });
    expect((await once(child, 'exit'))[0]).toBe(0);
  });

  it('is free at once when its owner was killed, whatever address it left behind', async () => {
    const program = `
      import { acquireDataDirectory } from ${JSON.stringify(new URL('./data-directory.ts', import.meta.url).href)};
      acquireDataDirectory(${JSON.stringify(path)}).announce('http://127.0.0.1:1');
      console.log('mine');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestEnd.push(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    expect(ownerOfDataDirectory(path)).toEqual({ pid: child.pid, url: 'http://127.0.0.1:1' });
    expect(() => acquireDataDirectory(path)).toThrow(expect.objectContaining({ facts: { path, pid: child.pid, url: 'http://127.0.0.1:1' } }));

    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(JSON.parse(readFileSync(join(path, 'address.json'), 'utf8'))).toEqual({ pid: child.pid, url: 'http://127.0.0.1:1' });
    expect(ownerOfDataDirectory(path)).toBeUndefined();
    acquireDataDirectory(path).release();
  });

  it('can be looked at while somebody else takes it', () => {
    const asked: unknown[] = [];
    for (let i = 0; i < 20; i++) {
      asked.push(ownerOfDataDirectory(path));
      acquireDataDirectory(path).release();
    }
    expect(asked).toEqual(Array(20).fill(undefined));
  });

  it('is refused when it can not be made', () => {
    writeFileSync(join(path, 'file'), '');
    expect(() => acquireDataDirectory(join(path, 'file', 'data'))).toThrow(expect.objectContaining({ code: 'data-read-only' }));
    expect(() => acquireDataDirectory(join(path, 'file'))).toThrow(expect.objectContaining({ code: 'data-read-only' }));
  });
});
