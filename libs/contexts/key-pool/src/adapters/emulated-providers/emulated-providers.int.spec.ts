import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RawData } from 'ws';
import { WebSocket } from 'ws';
import { ManualClock, describeWithFixtures } from '#platform/testing';
import { generateChain } from '../../../../../../test/load/generated-chain.ts';
import { runOldPipeline } from '../../../../../../test/load/old-pipeline.ts';
import { RecordedChain, type RecordedBlock } from '../../../../../../test/load/recorded-chain.ts';
import { ReplayNode } from '../../../../../../test/load/replay-node.ts';
import type { Costs, Tariff } from '../../contracts/index.ts';
import type { EmulatedProviders, EmulatedProvidersOptions } from './start-emulated-providers.ts';
import { startEmulatedProviders } from './start-emulated-providers.ts';

const costs = (methods: Record<string, number>, rest: Partial<Costs> = {}): Costs => ({ default: 80, methods, batch: 0, push: { each: 0, perByte: 0 }, ...rest });
const shared = { title: 'A provider', mostCallsPerRequest: 100, unsupported: ['trace_block'], slackMs: 50 };
const INFURA: Tariff = {
  ...shared,
  provider: 'infura',
  unit: 'credits',
  ledgers: { units: costs({ eth_chainId: 5, eth_subscribe: 5 }, { batch: 80, push: { each: 50, perByte: 0 } }) },
  limits: [
    { kind: 'rolling', name: 'second', ledger: 'units', windowMs: 1_000, units: 500 },
    { kind: 'calendar', name: 'day', ledger: 'units', period: 'day', units: 1_000 },
  ],
};
const ALCHEMY: Tariff = {
  ...shared,
  provider: 'alchemy',
  unit: 'CU',
  ledgers: { units: costs({ eth_chainId: 0, eth_subscribe: 10 }, { default: 20, push: { each: 0, perByte: 0.04 } }), throughput: costs({ eth_getBlockReceipts: 500 }, { default: 20 }) },
  limits: [
    { kind: 'rolling', name: 'ten-seconds', ledger: 'throughput', windowMs: 10_000, units: 1_000 },
    { kind: 'calendar', name: 'month', ledger: 'units', period: 'month', units: 200 },
  ],
};
const BLOCK = { method: 'eth_getBlockByNumber', params: ['0x1', false] };
const CHAIN_ID = { method: 'eth_chainId', params: [] };
const RECEIPTS = { method: 'eth_getBlockReceipts', params: ['0x1'] };

type Call = { readonly method: string; readonly params: readonly unknown[] };
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: any;
}

const FIRST_ID = 7;
const bodyOf = (calls: readonly Call[]): string => {
  const items = calls.map((call, at) => ({ jsonrpc: '2.0', id: FIRST_ID + at, ...call }));
  return JSON.stringify(items.length === 1 ? items[0] : items);
};
async function post(url: string, calls: readonly Call[], signal?: AbortSignal): Promise<Answer> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: bodyOf(calls), signal: signal ?? null });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text };
}

/** A WebSocket that keeps what came. */
class Listener {
  readonly heard: any[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | undefined;
  #wake = (): void => undefined;

  constructor(url: string) {
    this.socket = new WebSocket(url, { perMessageDeflate: false });
    this.socket.on('message', (data: RawData) => {
      this.heard.push(JSON.parse((data as Buffer).toString()));
      this.#wake();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    this.socket.on('error', () => undefined);
  }

  static async open(url: string): Promise<Listener> {
    const listener = new Listener(url);
    await new Promise((resolve, reject) => listener.socket.once('open', resolve).once('error', reject));
    return listener;
  }

  async until(what: () => boolean): Promise<void> {
    while (!what()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async ask(...calls: Call[]): Promise<any> {
    const before = this.heard.length;
    this.socket.send(bodyOf(calls));
    await this.until(() => this.heard.length > before || this.closed !== undefined);
    return this.heard[before];
  }
}

describe('the emulated providers', () => {
  let blocks: readonly RecordedBlock[];
  let node: ReplayNode;
  let clock: ManualClock;
  let emulated: EmulatedProviders;
  const sockets: Listener[] = [];
  beforeAll(async () => {
    blocks = (await generateChain({ seed: 3, blocks: 8, transactionsPerBlock: 3 })).blocks();
  });
  const start = async (options: Partial<EmulatedProvidersOptions> = {}): Promise<void> => {
    const chain = new RecordedChain(424242n, blocks);
    chain.head = 5;
    node = await ReplayNode.start(chain);
    clock = new ManualClock('2026-03-10T12:00:00Z');
    emulated = await startEmulatedProviders({
      upstream: { http: node.url, ws: node.wsUrl },
      tariffs: [INFURA, ALCHEMY],
      accounts: [
        { provider: 'infura', alias: 'infura-1', secrets: ['secret-i1', 'secret-i1-too'] },
        { provider: 'infura', alias: 'infura-2', secrets: ['secret-i2'] },
        { provider: 'alchemy', alias: 'alchemy-1', secrets: ['secret-a1'] },
      ],
      seed: 9,
      clock,
      latency: { leastMs: 0, mostMs: 0 },
      ...options,
    });
  };
  afterEach(async () => {
    for (const { socket } of sockets.splice(0)) socket.terminate();
    await emulated.close();
    await node.close();
  });
  const urlOf = (provider: string, key: string): string => emulated.url(provider).replace('{key}', key);
  const infura = (...calls: Call[]) => post(urlOf('infura', 'secret-i1'), calls);
  const alchemy = (...calls: Call[]) => post(urlOf('alchemy', 'secret-a1'), calls);
  const listen = async (provider: string, key: string): Promise<Listener> => {
    const listener = await Listener.open(emulated.wsUrl(provider).replace('{key}', key));
    sockets.push(listener);
    return listener;
  };
  const accountOf = (alias: string) => emulated.referee.report().accounts.find((account) => account.alias === alias);
  const skewOf = (name: string): number => emulated.referee.report().providers.find(({ provider }) => provider === name)?.skewMs ?? 0;

  describe('over HTTP', () => {
    it('stand under paths as those of the real ones, and say what the node says, byte for byte', async () => {
      await start();
      expect([emulated.url('infura'), emulated.wsUrl('infura')]).toEqual([`${emulated.base}/infura/v3/{key}`, `${emulated.base.replace('http', 'ws')}/infura/ws/v3/{key}`]);
      expect(emulated.url('alchemy')).toBe(`${emulated.base}/alchemy/v2/{key}`);
      const direct = await post(node.url, [BLOCK, RECEIPTS]);
      expect((await infura(BLOCK, RECEIPTS)).text).toBe(direct.text);
      expect((await alchemy(BLOCK)).text).toBe((await post(node.url, [BLOCK])).text);
    });

    it('meter an account, whichever of its keys is used, and charge a batch for itself', async () => {
      await start();
      await infura(BLOCK, CHAIN_ID);
      await post(urlOf('infura', 'secret-i1-too'), [CHAIN_ID]);
      expect(accountOf('infura-1')).toMatchObject({ requests: 2, calls: { eth_chainId: 2 }, units: { units: 80 + 5 + 80 + 5 } });
      expect(accountOf('infura-2')).toMatchObject({ requests: 0 });
      expect(JSON.stringify(emulated.referee.report())).not.toContain('secret');
    });

    it('show the time of their own clock', async () => {
      await start();
      const { headers } = await infura(BLOCK);
      expect(headers.get('date')).toBe(new Date(clock.now() + skewOf('infura')).toUTCString());
      emulated.faults.add({ account: 'infura-1', times: 1, does: { kind: 'wrong-date', ms: -3_600_000 } });
      expect((await infura(CHAIN_ID)).headers.get('date')).toBe(new Date(clock.now() + skewOf('infura') - 3_600_000).toUTCString());
      expect((await infura(CHAIN_ID)).headers.get('date')).toBe(new Date(clock.now() + skewOf('infura')).toUTCString());
    });

    it('refuse a batch of Infura as a whole, and of Alchemy call by call', async () => {
      await start();
      const whole = await infura(BLOCK, BLOCK, BLOCK, BLOCK, BLOCK, BLOCK);
      expect(whole).toMatchObject({ status: 429, body: { id: FIRST_ID, error: { code: 429, event: -33200 } } });
      expect(node.requests).toBe(0);
      const each = await alchemy(RECEIPTS, RECEIPTS, RECEIPTS, CHAIN_ID);
      expect(each.status).toBe(200);
      const byId = new Map(each.body.map((item: any) => [item.id, item]));
      expect([...byId.keys()].sort((one: any, other: any) => one - other)).toEqual([7, 8, 9, 10]);
      expect(byId.get(7)).toMatchObject({ result: [{}, {}, {}] });
      expect(byId.get(9)).toMatchObject({ error: { code: 429 } });
      expect(byId.get(10)).toMatchObject({ result: '0x67932' });
      expect(node.calls.get('eth_getBlockReceipts')).toBe(2);
      const none = await alchemy(RECEIPTS, RECEIPTS);
      expect(none).toMatchObject({ status: 200, body: [{ error: { code: 429 } }, { error: { code: 429 } }] });
    });

    it('tell now and then how long to wait, and it is enough', async () => {
      await start();
      await alchemy(RECEIPTS, RECEIPTS);
      await clock.advance(2_500);
      const waits = [];
      for (let count = 0; count < 20; count += 1) waits.push((await alchemy(BLOCK)).headers.get('retry-after'));
      expect(new Set(waits)).toEqual(new Set([null, '8']));
      await clock.advance(8_000);
      expect((await alchemy(BLOCK)).status).toBe(200);
    });

    it('answer the month that is gone as a whole, for a batch too', async () => {
      await start();
      for (let count = 0; count < 10; count += 1) await alchemy(BLOCK);
      expect((await alchemy(BLOCK, BLOCK)).body).toMatchObject({ error: { message: expect.stringContaining('Monthly capacity') } });
      expect((await alchemy(CHAIN_ID)).status).toBe(200);
      await clock.advance(22 * 86_400_000);
      expect((await alchemy(BLOCK)).status).toBe(200);
    });

    it('know no strange key, no method that they do not offer, and no request that is too large', async () => {
      await start({ manners: { alchemy: { mostRequestBytes: 300 } } });
      expect(await post(urlOf('infura', 'nobodys'), [BLOCK])).toMatchObject({ status: 401, text: 'invalid project id\n' });
      expect(await post(urlOf('alchemy', 'nobodys'), [BLOCK])).toMatchObject({ status: 401, body: { id: FIRST_ID, error: { code: -32600, message: 'Must be authenticated!' } } });
      expect((await infura({ method: 'trace_block', params: [] })).body).toMatchObject({ id: FIRST_ID, error: { code: -32601 } });
      expect((await alchemy(BLOCK, { method: 'trace_block', params: [] })).body).toMatchObject([{ id: 7, result: {} }, { id: 8, error: { code: -32601 } }]);
      expect((await alchemy(BLOCK, BLOCK, BLOCK, BLOCK, BLOCK)).status).toBe(413);
      expect(emulated.referee.report()).toMatchObject({ strangers: 2, overruns: 0 });
      expect(accountOf('alchemy-1')).toMatchObject({ refused: { method: 1, size: 1 }, calls: { eth_getBlockByNumber: 1 } });
    });

    it('say 503 where the node is gone, and had it metered', async () => {
      await start();
      await node.close();
      expect((await infura(BLOCK)).status).toBe(503);
      expect(accountOf('infura-1')).toMatchObject({ charged: 1 });
    });

    it('take from 50 to 400 ms, a little of it before they meter', async () => {
      await start({ latency: { leastMs: 50, mostMs: 400, wayInMs: 40 } });
      const answers = Array.from({ length: 40 }, () => infura(CHAIN_ID));
      while (clock.sleeping < 40) await new Promise((resolve) => setImmediate(resolve));
      expect(accountOf('infura-1')?.requests).toBe(0);
      await clock.advance(20);
      const early = accountOf('infura-1')?.requests ?? 0;
      expect(early).toBeGreaterThan(0);
      expect(early).toBeLessThan(40);
      await clock.advance(20);
      expect(accountOf('infura-1')?.requests).toBe(40);
      await clock.advance(360);
      for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
    });
  });

  describe('over WebSockets', () => {
    const SUBSCRIBE = { method: 'eth_subscribe', params: ['newHeads'] };

    it('meter calls, pass heads on in their order, and meter each of them', async () => {
      await start();
      const socket = await listen('alchemy', 'secret-a1');
      expect(await socket.ask(BLOCK)).toMatchObject({ id: FIRST_ID, result: { number: '0x1' } });
      const { result } = await socket.ask(SUBSCRIBE);
      node.advanceTo(7);
      await socket.until(() => socket.heard.length === 4);
      expect(socket.heard.slice(2).map(({ params }) => [params.subscription, params.result.number])).toEqual([
        [result, '0x6'],
        [result, '0x7'],
      ]);
      const bytes = socket.heard.slice(2).map((message) => Math.ceil(0.04 * JSON.stringify(message).length));
      expect(accountOf('alchemy-1')).toMatchObject({ requests: 2, pushes: 2, connections: 1, units: { units: 20 + 10 + (bytes[0] as number) + (bytes[1] as number) } });
    });

    it('refuse with an error object, of a batch item by item', async () => {
      await start();
      const one = await listen('infura', 'secret-i1');
      expect(await one.ask(BLOCK, BLOCK, BLOCK, BLOCK, BLOCK, BLOCK)).toMatchObject([7, 8, 9, 10, 11, 12].map((id) => ({ id, error: { code: 429, event: -33200 } })));
      const other = await listen('alchemy', 'secret-a1');
      await other.ask(RECEIPTS, RECEIPTS);
      expect(await other.ask(RECEIPTS)).toMatchObject({ id: FIRST_ID, error: { code: 429 } });
    });

    it('are severed when the day is gone, all of the account, and not opened again before midnight', async () => {
      await start();
      const [first, second, others] = [await listen('infura', 'secret-i1'), await listen('infura', 'secret-i1-too'), await listen('infura', 'secret-i2')];
      for (let count = 0; count < 12; count += 1) {
        await first.ask(BLOCK);
        await clock.advance(1_000);
      }
      expect(first.closed).toBeUndefined();
      expect(await first.ask(BLOCK)).toMatchObject({ id: FIRST_ID, error: { code: 402, event: -33000 } });
      await first.until(() => first.closed !== undefined);
      await second.until(() => second.closed !== undefined);
      expect([first.closed, second.closed, others.closed]).toEqual([{ code: 1008, reason: 'Payment Required' }, { code: 1008, reason: 'Payment Required' }, undefined]);
      for (let count = 0; count < 8; count += 1) await infura(CHAIN_ID);
      await expect(listen('infura', 'secret-i1')).rejects.toThrow('402');
      await clock.advance(86_400_000);
      expect(await (await listen('infura', 'secret-i1')).ask(BLOCK)).toMatchObject({ result: {} });
    });

    it('are severed by a notification that nobody has paid for, and by a quota that HTTP found gone', async () => {
      await start();
      const socket = await listen('infura', 'secret-i1');
      await socket.ask(SUBSCRIBE);
      for (let count = 0; count < 12; count += 1) {
        await infura(BLOCK);
        await clock.advance(1_000);
      }
      node.advanceTo(6);
      await socket.until(() => socket.closed !== undefined);
      expect(socket.heard).toHaveLength(1);
      const next = await listen('infura', 'secret-i1');
      await infura(BLOCK);
      await next.until(() => next.closed !== undefined);
    });

    it('are not opened for a strange key', async () => {
      await start();
      await expect(listen('infura', 'nobodys')).rejects.toThrow('401');
      await expect(listen('alchemy', 'nobodys')).rejects.toThrow('401');
    });

    it('fall mute: open, without an answer, a head or a pong', async () => {
      await start();
      const socket = await listen('infura', 'secret-i1');
      await socket.ask(SUBSCRIBE);
      emulated.faults.add({ account: 'infura-1', over: 'ws', times: 1, does: { kind: 'mute' } });
      node.advanceTo(6);
      while (accountOf('infura-1')?.pushes !== 1) await new Promise((resolve) => setImmediate(resolve));
      let ponged = false;
      socket.socket.on('pong', () => (ponged = true));
      socket.socket.ping();
      socket.socket.send(bodyOf([BLOCK]));
      const other = await listen('infura', 'secret-i1');
      await other.ask(BLOCK);
      expect([socket.heard.length, ponged, socket.closed, socket.socket.readyState]).toEqual([1, false, undefined, WebSocket.OPEN]);
    });

    it('are cut when an answer is lost, after it was metered', async () => {
      await start();
      const socket = await listen('infura', 'secret-i1');
      emulated.faults.add({ does: { kind: 'lost', where: 'way-back' }, times: 1 });
      await socket.ask(BLOCK);
      expect(socket.closed?.code).toBe(1006);
      expect(accountOf('infura-1')).toMatchObject({ charged: 1, units: { units: 80 } });
    });
  });

  describe('with faults', () => {
    it('throttle in each of the ways that are known', async () => {
      await start();
      const told = async (tells: 'retry-after' | 'backoff-seconds' | 'nested-backoff-seconds' | 'nothing', provider: 'infura' | 'alchemy') => {
        emulated.faults.add({ provider, times: 1, does: { kind: 'throttle', tells, seconds: 3 } });
        const { status, headers, body } = await (provider === 'infura' ? infura : alchemy)(CHAIN_ID);
        return { status, retryAfter: headers.get('retry-after'), code: body.error.code, wait: body.error.data?.backoff_seconds ?? body.error.data?.rate.backoff_seconds };
      };
      expect(await told('retry-after', 'alchemy')).toEqual({ status: 429, retryAfter: '3', code: 429, wait: undefined });
      expect(await told('nothing', 'alchemy')).toEqual({ status: 429, retryAfter: null, code: 429, wait: undefined });
      expect(await told('backoff-seconds', 'infura')).toEqual({ status: 429, retryAfter: null, code: -32005, wait: 3 });
      expect(await told('nested-backoff-seconds', 'infura')).toEqual({ status: 429, retryAfter: null, code: -32005, wait: 3 });
      expect((await infura(CHAIN_ID)).status).toBe(200);
      expect(accountOf('infura-1')).toMatchObject({ refused: { fault: 2 }, requests: 1 });
      expect(emulated.referee.report().overruns).toBe(0);
    });

    it('throttle every second call of a batch', async () => {
      await start();
      emulated.faults.add({ does: { kind: 'throttle', tells: 'each' } });
      expect(await alchemy(CHAIN_ID, BLOCK, CHAIN_ID)).toMatchObject({ status: 200, body: [{ id: 7, result: '0x67932' }, { id: 9, result: '0x67932' }, { id: 8, error: { code: 429 } }] });
      expect((await alchemy(CHAIN_ID)).status).toBe(429);
    });

    it('are exhausted, unauthorized or broken as long as they are told', async () => {
      await start();
      emulated.faults.add({ account: 'infura-1', forMs: 60_000, does: { kind: 'exhausted' } });
      emulated.faults.add({ account: 'infura-2', does: { kind: 'unauthorized' } });
      const down = emulated.faults.add({ provider: 'alchemy', does: { kind: 'status', status: 503, retryAfterSeconds: 2 } });
      const statuses = async () => [(await infura(CHAIN_ID)).status, (await post(urlOf('infura', 'secret-i2'), [CHAIN_ID])).status, (await alchemy(CHAIN_ID)).status];
      expect(await statuses()).toEqual([402, 401, 503]);
      await expect(listen('infura', 'secret-i1')).rejects.toThrow('402');
      await expect(listen('infura', 'secret-i2')).rejects.toThrow('401');
      await clock.advance(60_000);
      emulated.faults.remove(down);
      expect(await statuses()).toEqual([200, 401, 200]);
    });

    it('mean three things by -32005', async () => {
      await start();
      const logs = { method: 'eth_getLogs', params: [{ fromBlock: '0x64', toBlock: '0xc8' }] };
      const said = async (meaning: 'rate' | 'daily' | 'results') => {
        emulated.faults.add({ times: 1, does: { kind: 'limit-exceeded', meaning } });
        const { status, body } = await infura(logs);
        return [status, body.error.code, body.error.message];
      };
      expect(await said('rate')).toEqual([429, -32005, 'project ID request rate exceeded']);
      expect(await said('daily')).toEqual([429, -32005, 'daily request count exceeded, request rate limited']);
      expect(await said('results')).toEqual([200, -32005, 'query returned more than 10000 results. Try with this block range [0x64, 0x96].']);
      expect(accountOf('infura-1')).toMatchObject({ calls: { eth_getLogs: 1 }, refused: { fault: 2 } });
    });

    it('never answer, or lose the request on the way in or the answer on the way back', async () => {
      await start();
      const ids = [emulated.faults.add({ times: 1, does: { kind: 'lost', where: 'way-in' } }), emulated.faults.add({ times: 1, does: { kind: 'lost', where: 'way-back' } })];
      await expect(infura(BLOCK)).rejects.toThrow();
      expect([accountOf('infura-1')?.charged, node.requests]).toEqual([0, 0]);
      await expect(infura(BLOCK)).rejects.toThrow();
      expect([accountOf('infura-1')?.charged, node.requests]).toEqual([1, 1]);
      expect(emulated.faults.list().map(({ id, shown }) => [id, shown])).toEqual(ids.map((id) => [id, 1]));
      emulated.faults.clear();
      emulated.faults.add({ does: { kind: 'mute' } });
      const stop = new AbortController();
      const never = post(urlOf('infura', 'secret-i1'), [BLOCK], stop.signal);
      while (accountOf('infura-1')?.charged !== 2) await new Promise((resolve) => setImmediate(resolve));
      expect(node.requests).toBe(1);
      stop.abort();
      await expect(never).rejects.toThrow();
    });

    it('do not know blocks at the head for a while', async () => {
      await start();
      const [number, hash] = ['0x6', blocks[6]?.hash];
      const lag = emulated.faults.add({ does: { kind: 'lagging', ms: 800 } });
      expect((await alchemy({ method: BLOCK.method, params: ['0x5', false] })).body).toMatchObject({ result: { number: '0x5' } });
      node.advanceTo(6);
      const asked = () => alchemy(CHAIN_ID, { method: BLOCK.method, params: [number, false] }, { method: 'eth_getBlockByHash', params: [hash, false] });
      const results = async () => new Map((await asked()).body.map(({ id, result }: any) => [id, result]));
      const late = await results();
      expect([late.get(7), late.get(8), late.get(9)]).toEqual(['0x67932', null, null]);
      await clock.advance(800);
      expect((await results()).get(9)).toMatchObject({ number });
      node.advanceTo(7);
      emulated.faults.remove(lag);
      emulated.faults.add({ does: { kind: 'lagging', ms: 800, tells: 'not-processed' } });
      expect(await alchemy({ method: 'eth_getBlockReceipts', params: ['0x7'] })).toMatchObject({ status: 500, body: { error: { code: -32603, message: 'Block 7 not processed yet' } } });
    });

    it('show a fault as often as its chance says, the same for the same seed', async () => {
      const shown = async (): Promise<boolean[]> => {
        await start();
        emulated.faults.add({ chance: 0.3, does: { kind: 'status', status: 500 } });
        const all = [];
        for (let count = 0; count < 60; count += 1) all.push((await alchemy(CHAIN_ID)).status === 500);
        return all;
      };
      const first = await shown();
      await emulated.close();
      await node.close();
      expect(await shown()).toEqual(first);
      const share = first.filter((one) => one).length / 60;
      expect(share).toBeGreaterThan(0.1);
      expect(share).toBeLessThan(0.5);
    });

    it('are told of faults, and tell of what they counted, over HTTP too', async () => {
      await start();
      const told = await fetch(`${emulated.base}/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ times: 1, does: { kind: 'exhausted' } }) });
      expect(await told.json()).toEqual({ id: 1 });
      expect((await infura(CHAIN_ID)).status).toBe(402);
      expect(await (await fetch(`${emulated.base}/referee`)).json()).toEqual(JSON.parse(JSON.stringify(emulated.referee.report())));
      expect(await (await fetch(`${emulated.base}/faults`, { method: 'DELETE' })).json()).toEqual([]);
      const page = await fetch(`${emulated.base}/faults`, { method: 'POST', body: JSON.stringify({ does: { kind: 'exhausted' } }) });
      expect([page.status, (await infura(CHAIN_ID)).status]).toEqual([415, 200]);
    });
  });

  it('count n + 8 requests for a block of n transactions of the pipeline that was there before', async () => {
    const unlimited: Tariff = { ...INFURA, limits: [], unsupported: [] };
    await start({ tariffs: [unlimited], accounts: [{ provider: 'infura', alias: 'infura-1', secrets: ['secret-i1'] }] });
    const run = await runOldPipeline({ url: urlOf('infura', 'secret-i1'), from: 1, to: 4 });
    expect(run).toMatchObject({ blocks: 4, transactions: 12, requests: 4 * 8 + 12, refused: 0 });
    expect(accountOf('infura-1')).toMatchObject({ requests: run.requests, calls: run.calls, units: { units: 40 * 80 + 4 * 5 } });
  });

  describeWithFixtures('what they say is what was recorded', (dir) => {
    const { answers } = JSON.parse(readFileSync(join(dir, 'provider-errors/answers.json'), 'utf8')) as { answers: { id: string; http_status: number; body: unknown }[] };
    const recorded = (id: string) => answers.find((answer) => answer.id === id);
    const spendInfura = async (): Promise<Answer> => {
      for (let count = 0; count < 12; count += 1) {
        await infura(BLOCK);
        await clock.advance(1_000);
      }
      return infura(BLOCK);
    };
    const overrun = async (): Promise<Answer> => {
      for (let count = 0; count < 6; count += 1) await infura(BLOCK);
      return infura(BLOCK);
    };
    const month = async (): Promise<Answer> => {
      for (let count = 0; count < 10; count += 1) await alchemy(BLOCK);
      return alchemy(BLOCK);
    };
    const rate = async (): Promise<Answer> => {
      await alchemy(RECEIPTS, RECEIPTS);
      return alchemy(RECEIPTS);
    };
    it.each([
      ['infura-01', 'today', spendInfura],
      ['infura-02', 'today', overrun],
      ['infura-03', 'older', spendInfura],
      ['alchemy-11', 'today', rate],
      ['alchemy-13', 'older', month],
    ] as const)('%s (%s)', async (id, wording, provoke) => {
      await start({ manners: { infura: { wording }, alchemy: { wording } } });
      const { status, body } = await provoke();
      const { http_status, body: said } = recorded(id) ?? {};
      expect([status, { ...body, id: null }]).toEqual([http_status, { ...(said as object), id: null }]);
    });

    it.each([
      ['infura-04', 'older'],
      ['infura-05', 'older-nested'],
    ] as const)('%s (%s), but for the numbers', async (id, wording) => {
      await start({ manners: { infura: { wording } } });
      const { status, body } = await overrun();
      expect([status, shapeOf(body)]).toEqual([recorded(id)?.http_status, shapeOf(recorded(id)?.body)]);
    });
  });
});

function shapeOf(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body), (key, value: unknown) => (typeof value === 'number' && key !== 'code' ? 0 : value));
}
