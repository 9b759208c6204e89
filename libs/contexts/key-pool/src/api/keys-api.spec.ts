import { spawnSync } from 'node:child_process';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { createHttpAdapter, HttpModule } from '#platform/http';
import { Metrics } from '#platform/observability';
import { type Projected, projected } from '#platform/testing';
import type { z } from 'zod';
import { SqliteKeyUsage } from '../adapters/sqlite.key-usage.ts';
import { KeyBoard } from '../application/key-board.ts';
import { observeKeys } from '../application/key-metrics.ts';
import type { KeyView } from '../application/key-view.ts';
import { Owner, StandingClock, TARIFF } from '../application/lease-desk.contract.ts';
import type { ExchangeAnswer, Settlement } from '../contracts/index.ts';
import { KeyExplainer, type KeyExplanation, KeyProbe, type KeyProbeResult } from '../ports/key-desk.port.ts';
import { KeyUnknown } from '../ports/key-pool.errors.ts';
import { keyUsage } from '../projections/key-usage.projection.ts';
import { KeysController } from './keys.controller.ts';
import { explanation, keyAnswer, keyList, probeAnswer, usageList } from './keys.dto.ts';

const NOON = Date.parse('2026-11-26T12:00:00.000Z');
const PRICED = { ...TARIFF, pricePerMillion: '0.45' };
const PATHS = ['/keys', '/keys/key-0', '/keys/key-0/explain', '/usage'];

class Explainer extends KeyExplainer {
  async explain(alias: string): Promise<KeyExplanation> {
    if (alias !== 'key-0') throw new KeyUnknown(alias, ['key-0']);
    return { alias, chains: [{ chainId: '1', role: ['blocks'], chosen: true, because: 'It costs least.' }], now: ['It is ready.'] };
  }
}

class Probe extends KeyProbe {
  readonly probed: string[] = [];

  async probe(alias: string): Promise<KeyProbeResult> {
    this.probed.push(alias);
    return { alias, ok: true, ms: 12, chainId: '1', head: 7, class: 'ok' };
  }
}

describe('the REST API of keys', () => {
  let clock: StandingClock;
  let read: Projected;
  let owner: Owner;
  let board: KeyBoard;
  let views: readonly KeyView[];
  let probe: Probe;
  let app: NestFastifyApplication;

  beforeEach(async () => {
    clock = new StandingClock(NOON);
    read = await projected(keyUsage, []);
    owner = new Owner(read.log, clock, 2, PRICED);
    await owner.desk.open('inside.', 'nobody');
    await read.caughtUp();
    views = [];
    const keys = [0, 1].map((at) => ({ alias: `key-${at}`, provider: 'ours', fingerprints: [`${at}`] }));
    board = new KeyBoard({ keys, tariffs: new Map([['ours', PRICED]]), actors: owner.actors, usage: new SqliteKeyUsage(read.store, clock), views: () => views, clock, emulated: false });
    probe = new Probe();
    const module = await Test.createTestingModule({
      imports: [HttpModule.register({ info: { title: 'test', version: '1', description: '' }, accessTokens: [] })],
      controllers: [KeysController],
      providers: [
        { provide: KeyBoard, useValue: board },
        { provide: KeyExplainer, useValue: new Explainer() },
        { provide: KeyProbe, useValue: probe },
      ],
    }).compile();
    app = module.createNestApplication<NestFastifyApplication>(createHttpAdapter(), { logger: false });
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  });
  afterEach(async () => {
    await app.close();
    await read.close();
  });

  const get = (path: string, headers: Record<string, string> = {}) => app.inject({ method: 'GET', url: `/api/v1${path}`, headers });
  const shown = async <T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> => {
    const response = await get(path);
    expect([response.statusCode, path]).toEqual([200, path]);
    const answer = schema.safeParse(response.json());
    expect(answer.error?.issues ?? []).toEqual([]);
    return answer.data as z.output<T>;
  };

  /** One lease on the key of which least is spent, and this much spent on it. */
  const spend = async (units: number, change: Partial<Settlement> = {}): Promise<ExchangeAnswer['leases'][number]> => {
    const ask = { holder: 'inside.0', provider: 'ours', settlements: [], sightings: [], wanted: { renew: [], more: 0 } };
    const { leases } = await owner.desk.exchange({ ...ask, wanted: { renew: [], more: 1 } });
    const [lease] = leases as [ExchangeAnswer['leases'][number]];
    const by = [{ chainId: '1', method: 'eth_getBlockByNumber', calls: 2, units }];
    await owner.desk.exchange({ ...ask, settlements: [{ lease: lease.id, key: lease.key, sequence: 1, acknowledged: { units }, unacknowledged: {}, requests: 2, errors: { throttled: 1 }, by, over: false, ...change }] });
    await read.caughtUp();
    return lease;
  };

  it('shows a key: its limits, who holds it, what it did', async () => {
    const { id } = await spend(300);
    expect(id).toMatch(/^key-0\./);
    const key = await shown('/keys/key-0', keyAnswer);
    expect(key).toMatchObject({ alias: 'key-0', provider: 'ours', unit: 'credits', state: 'ready', until: null, credentials: 1, fingerprints: ['0'] });
    expect(key.limits).toEqual([
      { name: 'second', kind: 'rolling', ledger: 'units', units: 100, windowMs: 1_000, used: 100, left: 0 },
      { name: 'day', kind: 'calendar', ledger: 'units', units: 20_000, period: 'day', used: 1_100, left: 18_900, resetsAt: '2026-11-27T00:00:05.000Z' },
      { name: 'month', kind: 'calendar', ledger: 'units', units: 90_000, period: 'month', used: 1_100, left: 88_900, resetsAt: '2026-12-01T00:00:05.000Z' },
    ]);
    expect(key.usage['1h']).toEqual({ requests: 2, errors: 1, units: 300 });
    expect(key.totals).toEqual({ acknowledged: 300, unacknowledged: 0, booked: 1_100 });
    expect(key.leases).toEqual([{ holder: 'inside.0', until: '2026-11-26T12:00:10.000Z', rate: { second: 100 }, quota: { day: 800, month: 800 }, headOnly: false }]);
    expect(key.lastRequestAt).toBe('2026-11-26T12:00:00.000Z');
  });

  it('lists all keys, with the position that they were read at', async () => {
    await spend(300);
    const { items, next, asOf } = await shown('/keys', keyList);
    expect([items.map(({ alias }) => alias), next, asOf.startsWith('xtest')]).toEqual([['key-0', 'key-1'], null, true]);
  });

  it('tells what is durable before what this process thinks, and a circuit where nothing else is the matter', async () => {
    const view = (change: Partial<KeyView>): KeyView => ({ alias: 'key-0', provider: 'ours', windows: [], circuit: 'up', closed: undefined, ...change }) as unknown as KeyView;
    views = [view({ circuit: 'down' })];
    expect(await shown('/keys/key-0', keyAnswer)).toMatchObject({ state: 'down', until: null, reason: expect.any(String) });
    await owner.desk.exchange({ holder: 'inside.0', provider: 'ours', settlements: [], sightings: [{ key: 'key-0', seen: 'exhausted', message: 'daily request count exceeded' }], wanted: { renew: [], more: 0 } });
    await read.caughtUp();
    expect(await shown('/keys/key-0', keyAnswer)).toMatchObject({ state: 'exhausted', until: '2026-11-27T00:00:05.000Z', reason: 'daily request count exceeded', lastRefusal: { state: 'exhausted' } });
    clock.at = Date.parse('2026-11-27T00:00:05.000Z');
    views = [];
    expect(await shown('/keys/key-0', keyAnswer)).toMatchObject({ state: 'ready', until: null });
  });

  it('sums units and money by day, chain and method', async () => {
    await spend(300);
    clock.at += 86_400_000;
    await spend(250);
    const { items } = await shown('/usage?days=2', usageList);
    expect(items).toEqual([
      { day: '2026-11-27', alias: 'key-1', provider: 'ours', chainId: '1', method: 'eth_getBlockByNumber', calls: 2, units: 250, unit: 'credits', money: '0.000112' },
      { day: '2026-11-26', alias: 'key-0', provider: 'ours', chainId: '1', method: 'eth_getBlockByNumber', calls: 2, units: 300, unit: 'credits', money: '0.000135' },
    ]);
    expect((await shown('/usage?days=1', usageList)).items).toHaveLength(1);
  });

  it('forwards what is explained and probed', async () => {
    expect((await shown('/keys/key-0/explain', explanation)).chains).toHaveLength(1);
    const probed = await app.inject({ method: 'POST', url: '/api/v1/keys/key-0/probe', payload: {} });
    expect([probed.statusCode, probeAnswer.safeParse(probed.json()).success, probe.probed]).toEqual([200, true, ['key-0']]);
  });

  it('spends nothing for a form that another page has a browser send', async () => {
    for (const headers of [{}, { 'content-type': 'text/plain' }, { 'content-type': 'application/x-www-form-urlencoded' }]) {
      const refused = await app.inject({ method: 'POST', url: '/api/v1/keys/key-0/probe', headers });
      expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([415, 'media-type-unsupported']);
    }
    expect(probe.probed).toEqual([]);
  });

  it.each(PATHS)('gives %s a version, and 304 to who has it, also when a moment has passed', async (path) => {
    await spend(300);
    const first = await get(path);
    const etag = String(first.headers.etag);
    clock.at += 1_500;
    expect((await get(path, { 'if-none-match': etag })).statusCode).toBe(304);
  });

  it.each(['/keys', '/keys/key-1', '/usage'])('gives %s another version when more was spent', async (path) => {
    await spend(300);
    const { etag } = (await get(path)).headers;
    clock.at += 60_000;
    expect((await spend(250)).key).toBe('key-1');
    expect((await get(path, { 'if-none-match': String(etag) })).statusCode).toBe(200);
  });

  it.each([['/keys/nobody', 404, 'key-unknown'], ['/keys/nobody/explain', 404, 'key-unknown'], ['/keys/No%20Alias', 400, 'request-invalid'], ['/keys?limt=3', 400, 'request-invalid'], ['/usage?days=0', 400, 'request-invalid'], ['/usage?days=93', 400, 'request-invalid'], ['/usage?days=1.5', 400, 'request-invalid']])('refuses %s with %i', async (path, status, code) => {
    const response = await get(path);
    expect([response.statusCode, response.json().code]).toEqual([status, code]);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    if (status === 404) expect(response.json()).toMatchObject({ facts: { alias: 'nobody' }, hint: expect.any(String) });
  });

  it('has metrics of all of it, by names that promtool accepts', async () => {
    await spend(300);
    const metrics = new Metrics();
    observeKeys(metrics, board);
    const text = await metrics.text();
    for (const line of [
      'chainfold_keys_state{key="key-0",provider="ours",state="ready"} 1',
      'chainfold_keys_left_units{key="key-0",provider="ours",limit="day"} 18900',
      'chainfold_keys_leased_ratio{key="key-0",provider="ours",limit="second"} 1',
      'chainfold_keys_leased_ratio{key="key-0",provider="ours",limit="day"} 0.04',
      'chainfold_keys_leased_ratio{key="key-1",provider="ours",limit="second"} 0',
      'chainfold_keys_today_units{key="key-0",provider="ours",chain="1",method="eth_getBlockByNumber"} 300',
      'chainfold_keys_today_refusals{key="key-0",provider="ours",class="throttled"} 1',
    ]) expect(text).toContain(line);
    const check = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    if (check.error === undefined) expect([check.status, check.stdout + check.stderr]).toEqual([0, '']);
  });
});
