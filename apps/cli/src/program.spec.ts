import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get, Module } from '@nestjs/common';
import { acquireDataDirectory, type DataDirectory, openSqliteEventStore } from '#platform/event-store';
import { keySettings } from '#contexts/key-pool';
import { EXIT, type Deployable } from '#platform/runtime';
import { defineSettings, secret, setting } from '#platform/settings';
import { z } from 'zod';
import { run } from './program.ts';

// Answers of commands, whose shape is what is asserted.
type Line = any;
type Reply = { status?: number; json?: unknown; lines?: unknown[] };
type Route = (request: IncomingMessage, body: string) => Reply | Promise<Reply>;

let offlineOpened = 0;

@Controller('api/v1')
class OfflineRoutes {
  @Get('streams')
  streams(): object {
    offlineOpened += 1;
    return { items: [{ stream: 'chain-1', lastRevision: 4 }], next: null, asOf: 'start' };
  }
}

@Module({})
class OfflineProgram {
  static readonly settings = [
    defineSettings('capture', z.strictObject({ rpcUrls: setting(z.array(secret(z.url())).default([]), { description: 'Nodes.', env: 'RPC_URL' }) })),
    ...keySettings,
  ] as const;
  static captures: string[] = [];
  static register({ capture }: { capture: string }): { module: typeof OfflineProgram; controllers: (typeof OfflineRoutes)[] } {
    OfflineProgram.captures.push(capture);
    return { module: OfflineProgram, controllers: [OfflineRoutes] };
  }
}

describe('the command line', () => {
  const dir = mkdtempSync(join(tmpdir(), 'chainfold-cli-'));
  const before = { ...process.env };
  let server: Server;
  let url: string;
  let routes: Record<string, Route>;
  let asked: string[];
  let held: DataDirectory | undefined;
  let answers: number;

  beforeAll(async () => {
    server = createServer((request: IncomingMessage, response: ServerResponse) => {
      let body = '';
      request.on('data', (piece: Buffer) => (body += piece.toString()));
      request.on('end', () => {
        const path = (request.url ?? '').split('?')[0]!;
        asked.push(`${request.method} ${request.url}${body === '' ? '' : ` ${body}`}`);
        const reply = routes[`${request.method} ${path}`]?.(request, body) ?? { status: 404, json: { code: 'route-unknown', detail: 'Nothing is there' } };
        void Promise.resolve(reply).then(({ status = 200, json, lines }) => {
          response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
          response.end(lines === undefined ? JSON.stringify(json) : lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
        });
      });
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    routes = {};
    asked = [];
    answers = 0;
    process.env['DATA_DIR'] = mkdtempSync(join(dir, 'data-'));
    process.env['PORT'] = '0';
    for (const name of ['RPC_URL', 'KEYS']) delete process.env[name];
  });
  afterEach(() => {
    held?.release();
    held = undefined;
  });
  afterAll(() => {
    process.env = before;
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** As if a process ran on the data directory and answered at the stub. */
  function aProcessRuns(): void {
    held = acquireDataDirectory(process.env['DATA_DIR']!);
    held.announce(url);
  }

  async function chainfold(...args: string[]): Promise<{ code: number | undefined; stdout: string; stderr: string; lines: Line[] }> {
    const said = { stdout: '', stderr: '' };
    const writers = { stdout: process.stdout.write, stderr: process.stderr.write };
    for (const name of ['stdout', 'stderr'] as const) {
      process[name].write = ((text: string) => ((said[name] += text), true));
    }
    try {
      const code = await run(args, () => Promise.resolve(OfflineProgram as unknown as Deployable));
      return { code, ...said, lines: args.includes('--json') ? said.stdout.trim().split('\n').filter((line) => line !== '').map((line) => JSON.parse(line)) : [] };
    } finally {
      process.stdout.write = writers.stdout;
      process.stderr.write = writers.stderr;
    }
  }

  it('asks the process that runs on the data directory, page by page', async () => {
    aProcessRuns();
    routes['GET /api/v1/streams'] = (request) =>
      request.url!.includes('after=c1') ? { json: { items: [{ stream: 'chain-2', lastRevision: 0 }], next: null } } : { json: { items: [{ stream: 'chain-1', lastRevision: 9 }], next: 'c1' } };
    const { code, stdout } = await chainfold('streams');
    expect(code).toBe(EXIT.ok);
    expect(stdout).toBe('chain-1  10 events\nchain-2  1 events\n');
    expect(offlineOpened).toBe(0);
  });

  it('opens the application offline where no process runs, asks it the same way and lets go of the directory', async () => {
    const { code, lines } = await chainfold('streams', '--json');
    expect(code).toBe(EXIT.ok);
    expect(lines).toEqual([{ stream: 'chain-1', lastRevision: 4 }]);
    expect(OfflineProgram.captures).toEqual(['offline']);
    acquireDataDirectory(process.env['DATA_DIR']!).release();
  });

  it('posts a backfill to the running process and waits for its end', async () => {
    aProcessRuns();
    routes['GET /api/v1/chains'] = () => ({ json: { items: [{ chainId: '1' }], next: null } });
    routes['GET /api/v1/chains/1'] = () => ({ json: { chainId: '1', status: 'following' } });
    routes['POST /api/v1/chains/1/backfills'] = () => ({ status: 202, json: { id: '5-9', position: 'x1:5' } });
    routes['GET /api/v1/chains/1/backfills/5-9'] = () => ({ json: { state: ++answers > 2 ? 'finished' : 'running', done: Math.min(answers * 2, 5), total: 5, blocksPerSecond: 8, etaSeconds: 1 } });
    const { code, lines } = await chainfold('backfill', '--from', '5', '--to', '9', '--json');
    expect(code).toBe(EXIT.ok);
    expect(asked).toContain('POST /api/v1/chains/1/backfills {"from":5,"to":9}');
    expect(asked).toContain('GET /api/v1/chains/1/backfills/5-9?atLeast=x1%3A5');
    expect(lines[0]).toEqual({ kind: 'progress', what: 'blocks', done: 2, total: 5, rate: 8, etaSeconds: 1 });
    expect(lines.at(-1)).toMatchObject({ kind: 'finished', chainId: '1', done: 5 });
  });

  it('does not wait for a backfill that somebody cancelled', async () => {
    aProcessRuns();
    routes['GET /api/v1/chains'] = () => ({ json: { items: [{ chainId: '1' }], next: null } });
    routes['POST /api/v1/chains/1/backfills'] = () => ({ status: 202, json: { id: '5-9', position: 'x1:5' } });
    routes['GET /api/v1/chains/1/backfills/5-9'] = () => ({ json: { state: 'cancelled', cancelReason: 'pruned', done: 2, total: 5, blocksPerSecond: 8, etaSeconds: null } });
    const { code, stderr } = await chainfold('backfill', '--from', '5', '--to', '9');
    expect([code, stderr]).toEqual([EXIT.failed, expect.stringContaining('Backfill 5-9 was cancelled')]);
  });

  it('tells why a backfill was refused and what to do', async () => {
    aProcessRuns();
    routes['GET /api/v1/chains'] = () => ({ json: { items: [{ chainId: '1' }], next: null } });
    routes['POST /api/v1/chains/1/backfills'] = () => ({ status: 409, json: { code: 'backfill-overlaps', detail: 'Blocks of that range are captured already', hint: 'Ask for another range.' } });
    const { code, stderr } = await chainfold('backfill', '--from', '5', '--to', '9');
    expect(code).toBe(EXIT.failed);
    expect(stderr).toContain('Blocks of that range are captured already');
    expect(stderr).toContain('Ask for another range.');
  });

  it('gives hints for the command line, not for who speaks HTTP', async () => {
    aProcessRuns();
    routes['GET /api/v1/projections'] = () => ({ status: 404, json: { code: 'no-such-projection', detail: 'There is no projection of that name', hint: 'GET /api/v1/projections lists them.' } });
    expect((await chainfold('projections')).stderr).toContain('`chainfold projections` lists them.');
    routes['GET /api/v1/projections'] = () => ({ status: 503, json: { code: 'position-not-reached', detail: 'Not yet', hint: 'Ask again, or without atLeast for what is known now. GET /projections shows the lag.' } });
    expect((await chainfold('projections')).stderr).toContain('`chainfold projections` shows the lag.');
    routes['GET /api/v1/projections'] = () => ({ status: 404, json: { code: 'stream-unknown', detail: 'There is no such stream', hint: 'GET /api/v1/streams lists them.' } });
    expect((await chainfold('projections')).stderr).toContain('`chainfold streams` lists them.');
  });

  it('asks which chain is meant when there are several', async () => {
    aProcessRuns();
    routes['GET /api/v1/chains'] = () => ({ json: { items: [{ chainId: '1' }, { chainId: '10' }], next: null } });
    const { code, stderr } = await chainfold('backfill', '--from', '5', '--to', '9');
    expect(code).toBe(EXIT.failed);
    expect(stderr).toContain('--chain');
  });

  it('verifies every chain and exits 1 with a list when anything is wrong', async () => {
    aProcessRuns();
    routes['GET /api/v1/chains'] = () => ({ json: { items: [{ chainId: '1' }], next: null } });
    routes['GET /api/v1/chains/1'] = () => ({ json: { chainId: '1', blocks: 8 } });
    const finding = { kind: 'finding', code: 'root-differs', number: 7, hash: '0xab', detail: 'The receipts root differs' };
    routes['GET /api/v1/chains/1/verification'] = () => ({ lines: [{ kind: 'progress', blocks: 4 }, finding, { kind: 'done', blocks: 8, transactions: 20, findings: 1 }] });
    const wrong = await chainfold('verify', '--from', '0', '--to', '7');
    expect(wrong.code).toBe(EXIT.failed);
    expect(wrong.stdout).toContain('block 7: The receipts root differs (root-differs)');
    expect(asked).toContain('GET /api/v1/chains/1/verification?from=0&to=7');

    routes['GET /api/v1/chains/1/verification'] = () => ({ lines: [{ kind: 'done', blocks: 8, transactions: 20, findings: 0 }] });
    const right = await chainfold('verify', '--json');
    expect(right).toMatchObject({ code: EXIT.ok, lines: [{ chainId: '1', blocks: 8, findings: 0 }] });
  });

  it('does not call a verification good that was cut short', async () => {
    aProcessRuns();
    routes['GET /api/v1/chains'] = () => ({ json: { items: [{ chainId: '1' }], next: null } });
    routes['GET /api/v1/chains/1'] = () => ({ json: { chainId: '1', blocks: 8 } });
    routes['GET /api/v1/chains/1/verification'] = () => ({ lines: [{ kind: 'progress', blocks: 4 }] });
    const { code, stderr } = await chainfold('verify');
    expect(code).toBe(EXIT.failed);
    expect(stderr).toContain('cut short');
  });

  it('tells what a verification failed of, after what it had found, and ends as the data that can not be used does', async () => {
    aProcessRuns();
    routes['GET /api/v1/chains'] = () => ({ json: { items: [{ chainId: '1' }], next: null } });
    routes['GET /api/v1/chains/1'] = () => ({ json: { chainId: '1', blocks: 8 } });
    const finding = { kind: 'finding', code: 'root-differs', number: 7, hash: '0xab', detail: 'The receipts root differs' };
    const failed = { kind: 'failed', code: 'data-damaged', message: 'The data can not be read: the file is damaged or not ours', retryable: false, hint: 'Put a copy of the file back.', facts: { path: '/data/log.sqlite' } };
    routes['GET /api/v1/chains/1/verification'] = () => ({ lines: [finding, failed] });
    const told = await chainfold('verify');
    expect(told).toMatchObject({ code: EXIT.storage, stdout: '  block 7: The receipts root differs (root-differs)\n' });
    expect(told.stderr).toBe('The data can not be read: the file is damaged or not ours\n  path: /data/log.sqlite\n  Put a copy of the file back.\n');
    expect(await chainfold('verify', '--json')).toMatchObject({ code: EXIT.storage, lines: [{ chainId: '1', ...finding }, { chainId: '1', ...failed }] });
  });

  it('swaps back to a kept generation and waits until it is live, and passes a refusal on', async () => {
    aProcessRuns();
    let answers = 0;
    routes['POST /api/v1/projections/chain-explorer/activate'] = () => ({ status: 202, json: { generation: 3 } });
    routes['GET /api/v1/projections/chain-explorer'] = () => ({ json: { name: 'chain-explorer', state: 'live', generation: ++answers > 2 ? 3 : 4, rebuild: { generation: 3, state: 'catching-up', progress: 1 } } });
    const back = await chainfold('activate', 'chain-explorer', '3', '--json');
    expect(back).toMatchObject({ code: EXIT.ok });
    expect(answers).toBe(3);
    expect(await chainfold('activate', 'chain-explorer', 'three')).toMatchObject({ code: EXIT.usage });
    routes['POST /api/v1/projections/chain-explorer/activate'] = () => ({ status: 404, json: { code: 'no-such-generation', title: 'That generation can not be taken', status: 404 } });
    expect((await chainfold('activate', 'chain-explorer', '9')).code).not.toBe(EXIT.ok);
  });

  it('waits until a rebuilt read model is live, and says when it is held back', async () => {
    aProcessRuns();
    routes['POST /api/v1/projections/chain-explorer/rebuild'] = () => ({ status: 202, json: { generation: 4 } });
    routes['GET /api/v1/projections/chain-explorer'] = () => ({ json: { name: 'chain-explorer', state: 'live', generation: ++answers > 2 ? 4 : 3, rebuild: { generation: 4, state: 'catching-up', progress: answers / 4 } } });
    expect(await chainfold('rebuild', 'chain-explorer', '--json')).toMatchObject({ code: EXIT.ok });
    answers = -100;
    routes['GET /api/v1/projections/chain-explorer'] = () => ({ json: { name: 'chain-explorer', state: 'live', generation: 3, rebuild: { generation: 4, state: 'held-back', progress: 1, reason: 'more keys are parked' } } });
    const held = await chainfold('rebuild', 'chain-explorer');
    expect(held.code).toBe(EXIT.failed);
    expect(held.stderr).toContain('more keys are parked');
  });

  describe('keys', () => {
    const key = (alias: string, more: object = {}): object => ({
      alias, provider: alias.split('-')[0], state: 'ready', until: null,
      limits: [{ name: 'second', used: 79.2, left: 420.8 }, { name: 'day', used: 1_200, left: 2_998_800 }],
      usage: { '1h': { requests: 15, errors: 0 }, '24h': { requests: 31, errors: 2 } }, lastRefusal: null, ...more,
    });
    const well = (alias: string): object => ({ alias, ok: true, ms: 12.5, chainId: '1', head: 70, class: 'ok' });
    const serve = (...keys: object[]): void => {
      aProcessRuns();
      routes['GET /api/v1/keys'] = () => ({ json: { items: keys, next: null, asOf: 'x:1' } });
    };
    const probes = (): string[] => asked.filter((one) => one.startsWith('POST'));

    it('are told with state, budgets and use, for people and for machines', async () => {
      const gone = key('alchemy-1', { state: 'exhausted', until: '2026-01-02T00:00:05.000Z', limits: [], lastRefusal: { at: '2026-01-01T10:00:00.000Z', state: 'exhausted', reason: 'gone' }, emulated: true });
      serve(key('infura-1'), gone);
      expect((await chainfold('keys')).stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
        ['alias', 'provider', 'state', 'until', 'used/left', 'requests 1 h', '24 h', 'errors', 'last refusal'],
        ['infura-1', 'infura', 'ready', '-', 'second 80/420, day 1200/2998800', '15', '31', '2', '-'],
        ['alchemy-1', 'alchemy', 'exhausted', '2026-01-02T00:00:05.000Z', '-', '15', '31', '2', 'exhausted 2026-01-01T10:00:00.000Z'],
        ['These providers are emulated: nothing is spent anywhere.'],
        [''],
      ]);
      expect((await chainfold('keys', '--json')).lines).toEqual([key('infura-1'), gone]);
    });

    it('are probed, all of them and never more than four at once', async () => {
      const aliases = Array.from({ length: 9 }, (_, place) => `infura-${place + 1}`);
      serve(...aliases.map((alias) => key(alias)));
      let [inFlight, most] = [0, 0];
      for (const alias of aliases) {
        routes[`POST /api/v1/keys/${alias}/probe`] = async () => {
          most = Math.max(most, ++inFlight);
          await new Promise((resume) => setTimeout(resume, 5));
          inFlight -= 1;
          return { json: well(alias) };
        };
      }
      const { code, lines } = await chainfold('keys', 'probe', '--json');
      expect(code).toBe(EXIT.ok);
      expect(lines).toEqual(aliases.map((alias) => ({ ...well(alias), provider: 'infura', state: 'ready' })));
      expect(most).toBe(4);
    });

    it('fail a probe when one is unwell, and are told all the same', async () => {
      serve(key('infura-1'), key('alchemy-1'), key('alchemy-2', { state: 'revoked' }));
      routes['POST /api/v1/keys/infura-1/probe'] = () => ({ json: well('infura-1') });
      routes['POST /api/v1/keys/alchemy-1/probe'] = () => ({ status: 503, json: { code: 'draining', detail: 'It ends' } });
      routes['POST /api/v1/keys/alchemy-2/probe'] = () => ({ json: { alias: 'alchemy-2', ok: false, ms: 3, chainId: null, head: null, class: 'revoked', message: 'HTTP 401' } });
      const { code, stdout } = await chainfold('keys', 'probe');
      expect(code).toBe(EXIT.failed);
      expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
        ['alias', 'provider', 'state', 'answer', 'ms', 'chain', 'head', 'message'],
        ['infura-1', 'infura', 'ready', 'ok', '12.5', '1', '70', '-'],
        ['alchemy-1', 'alchemy', 'ready', 'draining', '-', '-', '-', 'It ends'],
        ['alchemy-2', 'alchemy', 'revoked', 'revoked', '3', '-', '-', 'HTTP 401'],
        [''],
      ]);
    });

    it('are probed only where they are named, and a name that there is not costs nothing and is not repeated', async () => {
      serve(key('infura-1'), key('infura-2'));
      routes['POST /api/v1/keys/infura-2/probe'] = () => ({ json: well('infura-2') });
      expect((await chainfold('keys', 'probe', 'infura-2', 'infura-2')).code).toBe(EXIT.ok);
      expect(probes()).toEqual(['POST /api/v1/keys/infura-2/probe {}']);
      asked = [];
      const { code, stdout, stderr } = await chainfold('keys', 'probe', 'infura-2', 'averysecretkey');
      expect(code).not.toBe(EXIT.ok);
      expect(stderr).toContain('There are: infura-1, infura-2.');
      expect(stdout + stderr).not.toContain('averysecretkey');
      expect(probes()).toEqual([]);
      expect(await chainfold('keys', 'averysecretkey')).toMatchObject({ code: EXIT.usage });
    });
  });

  it('follows pages of events up to the limit', async () => {
    aProcessRuns();
    const event = (n: number): object => ({ position: `x:${n}`, stream: 'chain-1', revision: n, type: 'BlockObserved', recordedAt: 't' });
    routes['GET /api/v1/events'] = (request) => ({ json: request.url!.includes('after=x%3A2') ? { items: [event(3), event(4)], next: 'x:4' } : { items: [event(1), event(2)], next: 'x:2' } });
    const { lines } = await chainfold('events', '--limit', '3', '--json');
    expect(lines.map((line) => line.position)).toEqual(['x:1', 'x:2', 'x:3']);
  });

  it('says that a process does not answer, and exits with the code for it', async () => {
    held = acquireDataDirectory(process.env['DATA_DIR']!);
    held.announce('http://127.0.0.1:9');
    const { code, stderr } = await chainfold('projections');
    expect(code).toBe(EXIT.unavailable);
    expect(stderr).toContain('does not answer');
  });

  it('doctor sees a provider that can not be reached, and never shows its key', async () => {
    process.env['RPC_URL'] = 'http://127.0.0.1:9/v3/verysecretkey';
    const { code, stdout, stderr } = await chainfold('doctor');
    expect(code).toBe(EXIT.failed);
    expect(stdout).toMatch(/WRONG\s+provider http:\/\/127\.0\.0\.1:9/);
    expect(stdout + stderr).not.toContain('verysecretkey');
  });

  it('doctor counts keys and asks nobody on them, and tells what is wrong with them without showing any', async () => {
    const keysFound = async (): Promise<{ state: string; detail: string } | undefined> => ((await chainfold('doctor', '--json')).lines[0] as { findings: { what: string; state: string; detail: string }[] }).findings.find(({ what }) => what === 'keys');
    expect(await keysFound()).toBeUndefined();
    process.env['KEYS'] = 'infura:verysecret1,alchemy:verysecret2,infura:verysecret3';
    expect(await keysFound()).toEqual({ what: 'keys', state: 'ok', detail: '2 of infura, 1 of alchemy: `chainfold keys probe` asks each' });
    expect((await chainfold('doctor')).stdout).not.toContain('none configured');
    process.env['KEYS'] = 'infra:verysecret1,alchemy:your-key';
    const { code, stdout } = await chainfold('doctor');
    expect(code).toBe(EXIT.failed);
    expect(stdout).toMatch(/WRONG\s+keys\s+The settings have 2 problems:\s+keyPool\.keys\[0\]\.provider must be a provider that there is\s+There are: alchemy[^]*keyPool\.keys\[1\] must hold the secret itself/);
    expect(stdout).not.toContain('verysecret');
  });

  it('doctor asks the running process what it captures, whatever the environment of the command says', async () => {
    aProcessRuns();
    process.env['PORT'] = '9';
    routes['GET /health/ready'] = () => ({ json: { status: 'ok' } });
    routes['GET /api/v1/chains'] = () => ({ json: { items: [{ chainId: '1', name: 'Mainnet', status: 'following', reason: null, nodeHead: 70, head: { number: 69 } }], next: null } });
    const { code, lines, stdout } = await chainfold('doctor', '--json');
    const findings = (lines[0] as { findings: { what: string; state: string; detail: string }[] }).findings;
    expect(findings.find(({ what }) => what === 'capture')).toEqual({ what: 'capture', state: 'ok', detail: 'chain 1 (Mainnet) is following at block 69 of 70' });
    expect(findings.find(({ what }) => what === 'port')).toEqual({ what: 'port', state: 'ok', detail: `the running process listens at ${url}` });
    expect(findings.find(({ what }) => what === 'settings')?.detail).toContain('the running process has its own');
    expect(stdout).not.toContain('embedded node');
    expect(code).toBe(findings.some(({ state }) => state === 'wrong') ? EXIT.failed : EXIT.ok);
  });

  it('says that no event type of that name has been seen, beside the empty answer', async () => {
    aProcessRuns();
    const page = { items: [], next: null };
    routes['GET /api/v1/events'] = (request) => ({ json: request.url!.includes('Nope') ? page : { items: [{ position: 'x:1', stream: 'chain-1', revision: 1, type: 'ChainStarted', recordedAt: 't' }], next: null } });
    const none = await chainfold('events', '--types', 'Nope', '--json');
    expect([none.code, none.stdout, none.stderr]).toEqual([EXIT.ok, '', expect.stringMatching(/no event of the type Nope/i)]);
    expect((await chainfold('events', '--types', 'ChainStarted')).stderr).toBe('');
  });

  it('doctor tells chain, head and speed of a provider, and a clock that is behind', async () => {
    process.env['RPC_URL'] = `${url}/rpc`;
    const head = Math.floor(Date.now() / 1000) + 60;
    routes['POST /rpc'] = (_request, body) => {
      const { id, method } = JSON.parse(body) as { id: number; method: string };
      return { json: { jsonrpc: '2.0', id, result: method === 'eth_chainId' ? '0x1' : { number: '0x10', timestamp: `0x${head.toString(16)}` } } };
    };
    const { code, lines } = await chainfold('doctor', '--json');
    expect(code).toBe(EXIT.failed);
    const { findings } = lines[0] as { findings: { what: string; state: string; detail: string }[] };
    expect(findings.find(({ what }) => what.startsWith('provider'))).toMatchObject({ state: 'ok', detail: expect.stringMatching(/chain 1, head 16, answered in \d+ ms/) });
    expect(findings.find(({ what }) => what.startsWith('clock'))).toMatchObject({ state: 'wrong', detail: expect.stringContaining('in the future') });
    for (const what of ['Node', 'settings', 'disk', 'data directory', 'port']) expect(findings.map((one) => one.what)).toContain(what);
  });

  it('backs up beside a running process without asking it, restores elsewhere and tells both to machines', async () => {
    const data = process.env['DATA_DIR']!;
    await (await openSqliteEventStore({ directory: data })).close();
    aProcessRuns();
    const target = join(data, '..', 'backup-of-nothing');
    const taken = await chainfold('backup', target, '--json');
    expect(taken).toMatchObject({ code: EXIT.ok, stderr: '' });
    expect(taken.lines.at(-1)).toMatchObject({ kind: 'backup', directory: target, events: 0, sha256: expect.any(String) });
    expect(await chainfold('restore', target)).toMatchObject({ code: EXIT.locked });
    const { directory: _directory, kind: _kind, ...manifest } = taken.lines.at(-1);
    expect((await chainfold('restore', target, '--check', '--json')).lines.at(-1)).toEqual({ kind: 'checked', ...manifest });
    const elsewhere = join(data, '..', 'elsewhere');
    expect((await chainfold('restore', target, '--data-dir', elsewhere, '--json')).lines.at(-1)).toEqual({ kind: 'restored', directory: elsewhere, ...manifest });
    expect(asked).toEqual([]);
  });

  it('refuses backups and restores in a sentence, with the code of the trouble', async () => {
    const data = process.env['DATA_DIR']!;
    const nothing = await chainfold('backup', join(data, '..', 'backup-of-no-log'));
    expect(nothing).toMatchObject({ code: EXIT.storage, stderr: expect.stringContaining('There is no data yet') });
    await (await openSqliteEventStore({ directory: data })).close();
    expect(await chainfold('backup', join(data, 'inside'))).toMatchObject({ code: EXIT.failed, stderr: expect.stringContaining('inside the data directory') });
    expect(await chainfold('restore', data)).toMatchObject({ code: EXIT.failed, stderr: expect.stringContaining('no whole backup') });
    expect(await chainfold('backup')).toMatchObject({ code: EXIT.usage });
  });

  it('documents exit codes in the help of every command, and refuses what it does not know with 64', async () => {
    for (const command of ['start', 'backfill', 'verify', 'events', 'streams', 'projections', 'keys', 'rebuild', 'activate', 'backup', 'restore', 'doctor']) {
      const help = await chainfold(command, '--help');
      expect(help.code).toBe(EXIT.ok);
      expect(help.stdout).toContain('--json');
      expect(help.stdout).toMatch(/78 {2}settings are wrong/);
    }
    expect((await chainfold('nonsense')).code).toBe(EXIT.usage);
    expect((await chainfold('backfill', '--from', 'a', '--to', '3')).code).toBe(EXIT.usage);
    expect((await chainfold('backfill', '--from', '9', '--to', '3')).code).toBe(EXIT.usage);
    expect(await chainfold('verify', '--from', '10', '--to', '5')).toMatchObject({ code: EXIT.usage, stderr: 'error: --from is above --to\n' });
  });

  it.each(['uncaughtException', 'unhandledRejection'] as const)('explains what nobody caught (%s) and shows no address of it, and listens only while it works', async (event) => {
    aProcessRuns();
    const { exit } = process;
    const exits: unknown[] = [];
    process.exit = ((code: unknown) => void exits.push(code)) as typeof exit;
    routes['GET /api/v1/streams'] = () => {
      process.emit(event as 'uncaughtException', Object.assign(new TypeError('Invalid URL of https://host/v3/hunter2'), { input: 'host/v3/hunter2' }));
      return { json: { items: [], next: null } };
    };
    const { stderr } = await chainfold('streams').finally(() => (process.exit = exit));
    expect(exits).toEqual([EXIT.crashed]);
    expect(stderr).toContain('TypeError: Invalid URL of https://host/[masked]\n');
    expect(stderr).not.toContain('hunter2');
    expect(process.listenerCount(event)).toBe(0);
  });

  it('lists every wrong setting and exits 78', async () => {
    process.env['PORT'] = 'seventy';
    const { code, stderr } = await chainfold('streams');
    expect(code).toBe(EXIT.settings);
    expect(stderr).toContain('http.port');
  });
});
