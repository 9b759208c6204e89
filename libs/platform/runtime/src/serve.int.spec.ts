import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { EXIT } from './exit-codes.ts';

const root = resolve(import.meta.dirname, '../../../..');

/** A program with one part whose manner of stopping is told by the environment, and one slow route. */
const PROGRAM = `
  import 'reflect-metadata';
  import { Controller, Get, Module, Post } from '@nestjs/common';
  import { serve } from './index.ts';

  const manner = process.env.MANNER;

  @Controller()
  class Routes {
    @Get('hello') hello() { return { hello: 'you' }; }
    @Post('work') work() { return { done: true }; }
  }

  @Module({})
  class TestProgram {
    static readonly settings = [];
    static register({ lifecycle }) {
      lifecycle.add({ name: 'log', phase: 'files', stop: () => void process.stderr.write('log closed\\n') });
      lifecycle.add({
        name: 'slow start', phase: 'node',
        start: (signal) => manner === 'slow-start' ? new Promise((done) => signal.addEventListener('abort', done)) : undefined,
        stop: () => void process.stderr.write('node stopped\\n'),
      });
      lifecycle.add({
        name: 'capture', phase: 'processes', stopWithinMs: 600,
        stop: async () => {
          process.stderr.write('capture stopping\\n');
          if (manner === 'hangs') await new Promise(() => setInterval(() => undefined, 1000));
          if (manner === 'slow-stop') await new Promise((done) => setTimeout(done, 500));
          if (manner === 'stops-badly') throw new Error('the socket is gone');
        },
      });
      if (manner === 'rejects') setTimeout(() => void Promise.reject(new Error('nobody waits for me')), 300);
      return { module: TestProgram, controllers: [Routes] };
    }
  }
  await serve(TestProgram);
`;

describe('the life of a process', () => {
  const dir = mkdtempSync(join(tmpdir(), 'chainfold-runtime-'));
  // Beside the packages that it imports.
  const program = join(root, 'node_modules/.cache', `runtime-${process.pid}.mjs`);
  const running: ChildProcess[] = [];

  beforeAll(() => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
    buildSync({
      stdin: { contents: PROGRAM, resolveDir: import.meta.dirname, loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['source'],
      external: Object.keys(dependencies),
      tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
      outfile: program,
    });
  });
  afterEach(() => running.splice(0).forEach((child) => child.kill('SIGKILL')));
  afterAll(() => {
    rmSync(program, { force: true });
    rmSync(dir, { recursive: true, force: true });
  });

  interface Life {
    readonly child: ChildProcess;
    readonly ended: Promise<number | null>;
    readonly ready: Promise<string>;
    text(): { stdout: string; stderr: string };
    says(words: string): Promise<void>;
  }

  function launch(env: Record<string, string> = {}): Life {
    const child = spawn(process.execPath, [program], {
      env: { PATH: process.env['PATH'], PORT: '0', DATA_DIR: mkdtempSync(join(dir, 'data-')), LOG_FORMAT: 'pretty', LOG_LEVEL: 'warn', ...env },
    });
    running.push(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    let over = false;
    const ended = new Promise<number | null>((done) => child.once('close', (code) => done(((over = true), code))));
    const until = async (probe: () => string | undefined): Promise<string> => {
      for (let i = 0; i < 1_000; i++) {
        const found = probe();
        if (found !== undefined) return found;
        if (over) break;
        await new Promise((resume) => setTimeout(resume, 10));
      }
      throw new Error(`waited in vain\n${stdout}\n${stderr}`);
    };
    const says = async (words: string): Promise<void> => void (await until(() => (`${stdout}${stderr}`.includes(words) ? words : undefined)));
    const ready = until(() => /http:\/\/127\.0\.0\.1:\d+/.exec(stdout)?.[0]);
    ready.catch(() => undefined);
    return { child, ended, ready, text: () => ({ stdout, stderr }), says };
  }

  it('prints one line with its address when it is ready, and leaves the address beside the lock', async () => {
    const dataDir = join(dir, 'fresh');
    const from = performance.now();
    const life = launch({ DATA_DIR: dataDir });
    const url = await life.ready;
    expect(performance.now() - from).toBeLessThan(15_000);
    expect(life.text().stdout.trim().split('\n')).toEqual([`chainfold is ready at ${url}`]);
    expect(await (await fetch(`${url}/hello`)).json()).toEqual({ hello: 'you' });
    expect(JSON.parse(readFileSync(join(dataDir, 'address.json'), 'utf8'))).toEqual({ url, pid: life.child.pid });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('drains at %s in order, takes its address away and exits 0', async (signal) => {
    const dataDir = join(dir, `drain-${signal}`);
    const life = launch({ DATA_DIR: dataDir });
    await life.ready;
    life.child.kill(signal);
    expect(await life.ended).toBe(EXIT.ok);
    expect(life.text().stderr).toBe('capture stopping\nnode stopped\nlog closed\n');
    expect(existsSync(join(dataDir, 'address.json'))).toBe(false);
  });

  it('takes no new commands but answers questions while it drains', async () => {
    const life = launch({ MANNER: 'slow-stop' });
    const url = await life.ready;
    life.child.kill('SIGTERM');
    await life.says('capture stopping');
    const refused = await fetch(`${url}/work`, { method: 'POST' });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({ code: 'draining', status: 503 });
    expect((await fetch(`${url}/hello`)).status).toBe(200);
    expect(await life.ended).toBe(EXIT.ok);
  });

  it('cuts a part that hangs, names it, closes the others and exits 1', async () => {
    const life = launch({ MANNER: 'hangs' });
    await life.ready;
    life.child.kill('SIGTERM');
    expect(await life.ended).toBe(EXIT.failed);
    expect(life.text().stderr).toContain('capture did not stop in time');
    expect(life.text().stderr).toContain('log closed');
  });

  it('tells which part did not stop cleanly', async () => {
    const life = launch({ MANNER: 'stops-badly' });
    await life.ready;
    life.child.kill('SIGTERM');
    expect(await life.ended).toBe(EXIT.failed);
    expect(life.text().stderr).toMatch(/capture did not stop cleanly: .*the socket is gone/);
  });

  it('takes the two interrupts that npm makes of one Ctrl-C as one, and a later one as force', async () => {
    const patient = launch({ MANNER: 'slow-stop' });
    await patient.ready;
    patient.child.kill('SIGINT');
    setTimeout(() => patient.child.kill('SIGINT'), 50);
    expect(await patient.ended).toBe(EXIT.ok);

    const hanging = launch({ MANNER: 'hangs' });
    await hanging.ready;
    hanging.child.kill('SIGINT');
    setTimeout(() => hanging.child.kill('SIGINT'), 500);
    expect(await hanging.ended).toBe(EXIT.interrupted);
  });

  it('can be ended while it opens, and undoes what was opened', async () => {
    const life = launch({ MANNER: 'slow-start', LOG_LEVEL: 'debug' });
    await life.says('part started');
    life.child.kill('SIGTERM');
    expect(await life.ended).toBe(EXIT.ok);
    expect(life.text().stderr).toBe('capture stopping\nnode stopped\nlog closed\n');
  });

  it('refuses a data directory that another process holds, naming it', async () => {
    const dataDir = join(dir, 'held');
    const first = launch({ DATA_DIR: dataDir });
    await first.ready;
    const second = launch({ DATA_DIR: dataDir });
    expect(await second.ended).toBe(EXIT.locked);
    expect(second.text().stderr).toContain(String(first.child.pid));
    expect(second.text().stderr).toContain('DATA_DIR');
    expect((await fetch(`${await first.ready}/hello`)).status).toBe(200);
  });

  it('opens a data directory whose owner was killed', async () => {
    const dataDir = join(dir, 'killed');
    const first = launch({ DATA_DIR: dataDir });
    await first.ready;
    first.child.kill('SIGKILL');
    await first.ended;
    const second = launch({ DATA_DIR: dataDir });
    expect(await second.ready).toMatch(/^http/);
  });

  it('tells that the port is in use, with the way out, and closes what it had opened', async () => {
    const server: Server = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const { port } = server.address() as AddressInfo;
    const life = launch({ PORT: String(port) });
    expect(await life.ended).toBe(EXIT.unavailable);
    server.close();
    expect(life.text().stderr).toContain(`Port ${port} is in use`);
    expect(life.text().stderr).toContain('Set PORT to another number');
    expect(life.text().stderr).toContain('log closed');
  });

  it('tells every wrong setting at once and exits 78, before it touches the data directory', async () => {
    const config = join(dir, 'wrong.yaml');
    writeFileSync(config, 'prot: 3000\nlog: { level: loud }\n');
    const dataDir = join(dir, 'untouched');
    const life = launch({ PORT: 'seventy', CONFIG_FILE: config, DATA_DIR: dataDir, LOG_LEVEL: '' });
    expect(await life.ended).toBe(EXIT.settings);
    for (const word of ['prot', 'log.level', 'http.port']) expect(life.text().stderr).toContain(word);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('ends with 70 when a rejection was left unhandled, with its reason on both outputs', async () => {
    const life = launch({ MANNER: 'rejects' });
    await life.ready;
    expect(await life.ended).toBe(EXIT.crashed);
    expect(life.text().stderr).toContain('nobody waits for me');
    expect(life.text().stdout).toContain('nobody waits for me');
  });

  it('says that it is ready in one line of JSON where the log is JSON', async () => {
    const life = launch({ LOG_FORMAT: 'json', LOG_LEVEL: 'info' });
    const url = await life.ready;
    const lines = life.text().stdout.trim().split('\n').map((line) => JSON.parse(line) as { url?: string });
    expect(lines.filter((line) => line.url === url)).toHaveLength(1);
  });
});
