import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Global, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { openMemoryEventStore, type MemoryEventStore } from '#platform/event-store';
import { createHttpAdapter, HttpModule } from '#platform/http';
import { START, streamName, systemClock, type EventToAppend, type JsonObject } from '#platform/kernel';
import type { ProjectionHost } from '#platform/projections';
import { NoSuchGeneration } from '#platform/read-store';
import { HealthParts, Lifecycle } from '#platform/runtime';
import { OperationsModule } from './operations.module.ts';

// Answers, whose shape is what is asserted.
type Body = any;

const chain = streamName('chain', '1');
const block = streamName('block', '1.0xab');

function eventOf(type: string, data: JsonObject = {}): EventToAppend {
  const now = '2024-01-01T00:00:00.000Z';
  return { id: randomUUID(), type, schemaVersion: 1, occurredAt: now, recordedAt: now, correlationId: 'c', causationId: 'c', data };
}

/** Reads an endless answer as a browser's EventSource would. */
class LiveClient {
  text = '';
  readonly #abort = new AbortController();
  readonly ended: Promise<void>;
  readonly opened: Promise<Response>;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.opened = fetch(url, { headers, signal: this.#abort.signal });
    this.ended = this.opened.then(async (answer) => {
      for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) this.text += piece;
    }).catch(() => undefined);
  }

  get numbers(): number[] {
    const whole = this.text.slice(0, this.text.lastIndexOf('\n\n') + 2);
    return [...whole.matchAll(/^data: (.*)$/gm)].map(([, json]) => (JSON.parse(json!) as { data?: { n?: number } }).data?.n).filter((n) => n !== undefined);
  }

  get lastId(): string {
    return [...this.text.matchAll(/^id: (.*)$/gm)].at(-1)![1]!;
  }

  async until(probe: () => boolean): Promise<void> {
    for (let i = 0; i < 2_000 && !probe(); i++) await new Promise((resume) => setTimeout(resume, 10));
    expect(probe()).toBe(true);
  }

  leave(): void {
    this.#abort.abort();
  }
}

describe('the routes of operations', () => {
  let log: MemoryEventStore;
  let app: NestFastifyApplication;
  let lifecycle: Lifecycle;
  let health: HealthParts;
  let url: string;
  const asked: string[] = [];
  const dir = mkdtempSync(join(tmpdir(), 'chainfold-page-'));
  const clients: LiveClient[] = [];

  const host = {
    status: () => [{ name: 'chain-explorer', version: 1, generation: 3, state: 'live', position: 'start', lagEvents: 0, lagSeconds: 0, parkedKeys: 0 }],
    refresh: async () => [],
    rebuild: async (name: string) => (asked.push(`rebuild ${name}`), 4),
    activate: async (name: string, generation: number) => {
      if (generation !== 2) throw new NoSuchGeneration(name, generation, 'it is not kept');
      asked.push(`activate ${name} ${generation}`);
    },
    retire: async (name: string, generation: number) => void asked.push(`retire ${name} ${generation}`),
    pause: async (name: string, reason?: string) => void asked.push(`pause ${name} because ${reason}`),
    resume: async (name: string) => void asked.push(`resume ${name}`),
    parked: async () => [{ key: 'a', generation: 3, events: [] }],
    retry: async (name: string, key: string) => (asked.push(`retry ${name} ${key}`), { applied: 1, remaining: 0 }),
    skip: async (name: string, key: string, reason: string) => (asked.push(`skip ${name} ${key} ${reason}`), { applied: 0, remaining: 0 }),
  } as unknown as ProjectionHost;

  beforeAll(async () => {
    log = openMemoryEventStore();
    lifecycle = new Lifecycle(systemClock);
    health = new HealthParts(systemClock, lifecycle);
    mkdirSync(join(dir, 'assets'));
    writeFileSync(join(dir, 'index.html'), '<!doctype html><title>chainfold</title>');
    writeFileSync(join(dir, 'assets', 'main-ABCD2345.js'), 'export {};');
    @Global()
    @Module({ providers: [{ provide: Lifecycle, useValue: lifecycle }, { provide: HealthParts, useValue: health }], exports: [Lifecycle, HealthParts] })
    class Runtime {}
    const operations = await OperationsModule.register({ log, projections: host, pageDir: dir, liveBudget: { heartbeatMs: 100, slowClientMs: 1_500 } });
    const http = HttpModule.register({ info: { title: 't', version: '1', description: '' }, accessTokens: [] });
    const module = await Test.createTestingModule({ imports: [Runtime, http, operations] }).compile();
    app = module.createNestApplication<NestFastifyApplication>(createHttpAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterEach(() => clients.splice(0).forEach((client) => client.leave()));
  afterAll(async () => {
    await lifecycle.drain();
    await app.close();
    rmSync(dir, { recursive: true, force: true });
  });

  let written = 0;
  async function write(count: number, type = 'BlockObserved', stream = chain, filler = ''): Promise<void> {
    const last = await log.lastRevision(stream);
    const events = Array.from({ length: count }, () => eventOf(type, { n: ++written, filler }));
    for (let i = 0; i < count; i += 200) await log.append({ stream, expected: last + i < 0 ? 'noStream' : last + i, events: events.slice(i, i + 200) });
  }
  async function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: Body; headers: Headers }> {
    const answer = await fetch(`${url}${path}`, { headers });
    return { status: answer.status, body: await answer.json().catch(() => undefined), headers: answer.headers };
  }
  async function post(path: string, body?: object): Promise<{ status: number; body: Body }> {
    const answer = await fetch(`${url}${path}`, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) });
    return { status: answer.status, body: await answer.json() };
  }
  function follow(path: string, headers: Record<string, string> = {}): LiveClient {
    const client = new LiveClient(`${url}/api/v1/events/live${path}`, headers);
    clients.push(client);
    return client;
  }

  it('reads a stream from its beginning, page by page, without gap or repeat', async () => {
    await write(7);
    const numbers: number[] = [];
    let after = '';
    for (;;) {
      const { body } = await get(`/api/v1/streams/chain-1?limit=3${after}`);
      numbers.push(...body.items.map((event: Body) => event.revision as number));
      if (body.next === null) break;
      after = `&after=${body.next}`;
    }
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('lists the streams, and those of one category', async () => {
    await write(1, 'TxFetched', block);
    expect((await get('/api/v1/streams')).body.items).toEqual([{ stream: 'block-1.0xab', lastRevision: 0 }, { stream: 'chain-1', lastRevision: 6 }]);
    expect((await get('/api/v1/streams?category=chain')).body.items).toHaveLength(1);
    const first = await get('/api/v1/streams?limit=1');
    expect((await get(`/api/v1/streams?limit=1&after=${first.body.next}`)).body).toMatchObject({ items: [{ stream: 'chain-1' }], next: null });
  });

  it('reads the log by type and category, and goes on where a page ended', async () => {
    const all = await get('/api/v1/events?limit=5');
    expect(all.body.items).toHaveLength(5);
    const rest = await get(`/api/v1/events?after=${all.body.next}`);
    expect(rest.body).toMatchObject({ next: null, asOf: await log.head() });
    expect(rest.body.items.map((event: Body) => event.data.n)).toEqual([6, 7, 8]);
    expect((await get('/api/v1/events?types=TxFetched')).body.items).toHaveLength(1);
    expect((await get('/api/v1/events?streams=chain&limit=500')).body.items).toHaveLength(7);
  });

  it.each([
    ['/api/v1/events?after=nonsense', 400, '/query/after'],
    ['/api/v1/events?limit=501', 400, '/query/limit'],
    ['/api/v1/events?typs=BlockObserved', 400, '/query/typs'],
    ['/api/v1/events/live?after=nonsense', 400, '/query/after'],
    ['/api/v1/streams/chain-1?after=abc', 400, '/query/after'],
  ])('refuses %s and points to what is wrong', async (path, status, pointer) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  const foreign = 'x00000000000000ff:000000000000001';
  const ahead = (): string => `${log.identity}:000000999999999`;
  it.each<[string, (position: string) => [string, Record<string, string>?]]>([
    ['a page of the log', (position) => [`/api/v1/events?after=${position}`]],
    ['a live line', (position) => [`/api/v1/events/live?after=${position}`]],
    ['a live line that goes on', (position) => ['/api/v1/events/live', { 'last-event-id': position }]],
  ])('refuses for %s a position of another log, and one that this log does not reach, instead of waiting in silence', async (_name, asking) => {
    expect(await get(...asking(foreign))).toMatchObject({ status: 409, body: { code: 'foreign-position', hint: expect.any(String), facts: { position: foreign } } });
    expect(await get(...asking(ahead()))).toMatchObject({ status: 409, body: { code: 'position-ahead', facts: { head: await log.head() } } });
  });

  it('points to the header when the Last-Event-ID is no position', async () => {
    expect(await get('/api/v1/events/live', { 'last-event-id': 'nonsense' })).toMatchObject({ status: 400, body: { errors: [{ pointer: '/header/Last-Event-ID' }] } });
  });

  it('answers 404 for a stream that does not exist and 400 for a name that can not', async () => {
    expect(await get('/api/v1/streams/chain-99')).toMatchObject({ status: 404, body: { code: 'stream-unknown' } });
    expect((await get('/api/v1/streams/Chain_1')).status).toBe(400);
  });

  it('follows the log from now on, and resumes after the last id without gap or repeat', async () => {
    const first = follow('');
    expect((await first.opened).headers.get('content-type')).toContain('text/event-stream');
    await first.until(() => first.text.includes('caught-up'));
    expect(first.numbers).toEqual([]);
    const from = written;
    await write(3);
    await first.until(() => first.numbers.length === 3);
    const { lastId } = first;
    first.leave();
    await write(700);
    const second = follow('', { 'last-event-id': lastId });
    await second.until(() => second.numbers.length === 700);
    await write(2);
    await second.until(() => second.numbers.length === 702);
    expect([...first.numbers, ...second.numbers]).toEqual(Array.from({ length: 705 }, (_, i) => from + 1 + i));
  });

  it('starts after a given position, of chosen types and categories only', async () => {
    const client = follow('?after=start&types=TxFetched,BlockObserved&categories=block');
    await client.until(() => client.numbers.length === 1);
    expect(client.numbers).toEqual([8]);
    // Nothing more matched, yet a resume must not read the whole log again.
    await client.until(() => client.text.includes('caught-up'));
    expect(client.lastId).toBe(await log.head());
  });

  it('keeps a silent line alive with comments', async () => {
    const client = follow('');
    await client.until(() => (client.text.match(/^:$/gm) ?? []).length >= 2);
  });

  it('cuts a client that does not read instead of storing events for it, and goes on serving others', async () => {
    for (let i = 0; i < 60; i++) await write(1, 'TxFetched', block, 'f'.repeat(200_000));
    const { port } = new URL(url);
    const slow: Socket = connect(Number(port), '127.0.0.1');
    slow.pause();
    slow.write('GET /api/v1/events/live?after=start HTTP/1.1\r\nHost: localhost\r\n\r\n');
    slow.on('error', () => undefined);
    const client = follow('?after=start&types=TxFetched');
    await client.until(() => client.text.length > 12_000_000);
    // What the kernel holds for it may be read; then the line ends long before the twelve megabytes.
    await new Promise((resume) => setTimeout(resume, 2_500));
    let bytes = 0;
    slow.on('data', (piece) => (bytes += piece.length));
    const closed = new Promise((done) => slow.once('close', done));
    slow.resume();
    await closed;
    expect(bytes).toBeLessThan(12_000_000);
  });

  it.each(['/api/v1/events?types=TxFetched&limit=500', '/api/v1/streams/block-1.0xab?limit=500'])('ends a page of large events at four megabytes, and the next one goes on behind it: %s', async (path) => {
    const wanted = await log.readAll(START, { types: ['TxFetched'] }, 500);
    const seen: string[] = [];
    for (let after = ''; ;) {
      const text = await (await fetch(`${url}${path}${after}`)).text();
      expect(text.length).toBeLessThan(4_000_000 + 256_000);
      const page: Body = JSON.parse(text);
      seen.push(...page.items.map((event: Body) => event.id as string));
      if (page.next === null) break;
      after = `&after=${page.next}`;
    }
    expect(seen).toEqual(wanted.events.map(({ id }) => id));
    expect(seen.length).toBeGreaterThan(60);
  });

  it('tells the state of projections and passes commands on', async () => {
    expect((await get('/api/v1/projections')).body).toMatchObject({ items: [{ name: 'chain-explorer', generation: 3, lagEvents: 0 }], asOf: await log.head() });
    expect(await post('/api/v1/projections/chain-explorer/rebuild')).toMatchObject({ status: 202, body: { generation: 4 } });
    expect(await post('/api/v1/projections/chain-explorer/pause', { reason: 'maintenance' })).toMatchObject({ status: 200 });
    expect(await post('/api/v1/projections/chain-explorer/resume')).toMatchObject({ status: 200 });
    expect((await get('/api/v1/projections/chain-explorer/parked')).body.items).toHaveLength(1);
    expect(await post('/api/v1/projections/chain-explorer/parked/retry', { key: 'a' })).toMatchObject({ status: 200, body: { applied: 1 } });
    expect(await post('/api/v1/projections/chain-explorer/parked/skip', { key: 'a' })).toMatchObject({ status: 400, body: { errors: [{ pointer: '/body/reason' }] } });
    expect(await post('/api/v1/projections/other/rebuild')).toMatchObject({ status: 404, body: { code: 'no-such-projection' } });
    expect(asked).toEqual(['rebuild chain-explorer', 'pause chain-explorer because maintenance', 'resume chain-explorer', 'retry chain-explorer a']);
  });

  it.each(['retry', 'skip'])('refuses parked/%s without its fields in words of ours', async (command) => {
    for (const body of [{}, { key: '', reason: '' }, { key: 'x'.repeat(501), reason: 'x'.repeat(501) }, { key: 7, reason: 7 }]) {
      const answer = await post(`/api/v1/projections/chain-explorer/parked/${command}`, body);
      expect(answer).toMatchObject({ status: 400, body: { errors: expect.arrayContaining([{ pointer: '/body/key', detail: expect.any(String) }]) } });
      expect(answer.body.detail).not.toMatch(/Too (small|big)|expected|Invalid input/);
    }
  });

  it('documents the lines that never end, and says where health and metrics are', async () => {
    const { paths, info } = (await get('/api/openapi.json')).body;
    expect(Object.keys(paths['/api/v1/events/live'].get.responses['200'].content)).toEqual(['text/event-stream']);
    expect(Object.keys(paths).filter((path) => !path.startsWith('/api/'))).toEqual([]);
    expect(info.description).toMatch(/\/health\/ready.*\/metrics/);
  });

  it('takes a kept generation back, or throws it away, by command', async () => {
    asked.length = 0;
    const path = '/api/v1/projections/chain-explorer';
    expect(await post(`${path}/activate`, { generation: 2 })).toMatchObject({ status: 202, body: { generation: 2 } });
    expect(await post(`${path}/retire`, { generation: 2 })).toMatchObject({ status: 202, body: { generation: 2 } });
    expect(asked).toEqual(['activate chain-explorer 2', 'retire chain-explorer 2']);
    expect(await post(`${path}/activate`, { generation: 7 })).toMatchObject({ status: 404, body: { code: 'no-such-generation' } });
    expect(await post(`${path}/activate`, { generation: 'two' })).toMatchObject({ status: 400, body: { errors: [{ pointer: '/body/generation' }] } });
    expect(await post(`${path}/activate`, {})).toMatchObject({ status: 400 });
    expect(await post('/api/v1/projections/other/retire', { generation: 2 })).toMatchObject({ status: 404, body: { code: 'no-such-projection' } });
  });

  it('is alive at once, ready only when opened, and says which part is red and why', async () => {
    expect((await get('/health/live')).status).toBe(200);
    expect(await get('/health/startup')).toMatchObject({ status: 503, body: { error: { process: { reason: 'Opening' } } } });
    expect(await get('/health/ready')).toMatchObject({ status: 503, body: { status: 'error', error: { process: { status: 'down', reason: 'Opening' } } } });
    await lifecycle.start();
    expect((await get('/health/startup')).status).toBe(200);
    expect(await get('/health/ready')).toMatchObject({ status: 200, body: { status: 'ok' } });
    let chainHealth: { status: 'up' | 'down' | 'degraded'; reason?: string } = { status: 'degraded', reason: 'Backfilling' };
    health.add('chain 1', () => chainHealth);
    expect(await get('/health/ready')).toMatchObject({ status: 200, body: { details: { 'chain 1': { status: 'degraded', reason: 'Backfilling' } } } });
    chainHealth = { status: 'down', reason: 'No provider can be reached' };
    expect(await get('/health/ready')).toMatchObject({ status: 503, body: { error: { 'chain 1': { reason: 'No provider can be reached' } } } });
    chainHealth = { status: 'up' };
    expect((await get('/health/ready')).status).toBe(200);
  });

  it('gives Prometheus its text', async () => {
    const answer = await fetch(`${url}/metrics`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/plain');
  });

  it('serves the page at / and at the addresses that the page reads itself, under a strict policy', async () => {
    for (const path of ['/', '/blocks', '/reorgs', '/backfills', '/keys', '/keys/infura-01', '/blocks/12', '/tx/0xab', '/address/0xcd', '/chains/1/blocks/5']) {
      const answer = await fetch(`${url}${path}`);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('<title>chainfold</title>');
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(answer.headers.get('content-security-policy')).not.toContain('unsafe');
      expect(answer.headers.get('cache-control')).toBe('no-cache');
    }
    const asset = await fetch(`${url}/assets/main-ABCD2345.js`);
    expect(asset.headers.get('cache-control')).toContain('immutable');
    expect((await fetch(`${url}/nothing/here`)).status).toBe(404);
    expect((await fetch(`${url}/..%2f..%2fetc/passwd`)).status).toBe(404);
  });

  it('ends live lines when the program is asked to end, and is no longer ready', async () => {
    const client = follow('');
    await client.until(() => client.text.includes('caught-up'));
    await lifecycle.drain();
    await client.ended;
    expect(await get('/health/ready')).toMatchObject({ status: 503, body: { error: { process: { reason: expect.stringContaining('Draining') } } } });
    expect((await get('/health/live')).status).toBe(200);
  });
});
