import { costOfPush, type Limit, sharedNow } from '#contracts/key-pool';
import { systemClock } from '#platform/kernel';
import { RecordingPurse } from '../../../../../test/keys/recording-purse.ts';
import { type Scripted, ScriptedProvider, type SeenRequest } from '../../../../../test/keys/scripted-provider.ts';
import { testTariff } from '../../../../../test/keys/tariffs.ts';
import { NoBudget, ProviderDown } from '../../../key-pool/src/domain/spending.errors.ts';
import type { RpcCall, RpcReply } from './chain-node-transport.ts';
import { KeyConnections } from './key-connections.ts';
import { PooledTransport } from './pooled.chain-node-transport.ts';
import { RequestLog } from './request-log.ts';

const ALIASES = ['key-1', 'key-2', 'key-3', 'key-4'];
const LIMITS = { requestTimeoutMs: 400, connectTimeoutMs: 1_000, maxReconnectWaitMs: 100 };

let provider: ScriptedProvider;
let purse: RecordingPurse;
let transports: PooledTransport[];
let lines: unknown[];
/** Requests that arrived on a key of which no permit was out. */
let unpermitted: SeenRequest[];
let thrown: unknown[];

beforeEach(async () => {
  provider = await ScriptedProvider.start();
  purse = new RecordingPurse(ALIASES);
  [transports, lines, unpermitted, thrown] = [[], [], [], []];
  provider.arrived = (request) => void (request.calls[0]?.method !== 'eth_unsubscribe' && purse.outOn(request.alias) === 0 && unpermitted.push(request));
});

afterEach(async () => {
  await Promise.all(transports.map((one) => one.close()));
  await provider.close();
  expect(unpermitted).toEqual([]);
  expect(purse.outcomes.filter((one) => one.startsWith('settled'))).toEqual([]);
  const told = [lines, purse.granted, purse.accrued, transports.map(({ label, url }) => [label, url]), thrown.map(told1)].map((one) => JSON.stringify(one)).join('\n');
  for (const alias of ALIASES) expect(told).not.toContain(provider.secretOf(alias).slice(0, 12));
  expect(told).not.toContain('127.0.0.1');
});

function told1(error: unknown): unknown {
  return error instanceof Error ? { ...error, message: error.message, stack: error.stack, cause: error.cause === undefined ? undefined : told1(error.cause) } : error;
}

interface Making {
  readonly aliases?: readonly string[];
  readonly tariff?: Parameters<typeof testTariff>[1];
  readonly lane?: 'head' | 'backfill';
  readonly mute?: readonly string[];
  readonly address?: (alias: string) => string;
  /** Of the first key a second credential. */
  readonly second?: string;
}

function pooled({ aliases = ALIASES, tariff: more = {}, lane = 'head', mute = [], address = (alias) => provider.httpUrl(alias), second }: Making = {}): PooledTransport {
  const tariff = testTariff('metered', more);
  const keys = aliases.map((alias) => ({ alias, httpUrl: address(alias), ...(mute.includes(alias) ? {} : { wsUrl: provider.wsUrl(alias) }) }));
  if (second !== undefined) keys.push({ alias: aliases[0] as string, httpUrl: provider.httpUrl(aliases[0] as string).replace('planted', second) });
  const note = (fields: object, message: string): void => void lines.push({ fields, message });
  const connections = new KeyConnections({ title: tariff.title, keys, clock: systemClock, limits: LIMITS, pushed: (alias, bytes) => purse.accrue(alias, costOfPush(tariff, bytes), '1', 'newHeads') });
  const made = new PooledTransport({ tariff, connections, purse, lane, chainId: '1', log: new RequestLog({ debug: note, info: note }, systemClock) });
  transports.push(made);
  return made;
}

const calls = (count: number): RpcCall[] => Array.from({ length: count }, (_, at) => ({ method: 'eth_test', params: [at] }));
const results = (reply: RpcReply): unknown[] => (reply.kind === 'answers' ? reply.answers.map((answer) => (answer?.ok === true ? answer.result : answer?.refusal.text)) : [reply.refusal]);
const wanted = (count: number): string[] => calls(count).map(({ params }) => `eth_test ${String(params[0])}`);
const failing = async (work: Promise<unknown>): Promise<unknown> => {
  const error = await work.then(() => undefined, (reason: unknown) => reason);
  thrown.push(error);
  return error;
};
/** The first so many requests. */
const first = (times: number, answer: Scripted) => () => ((times -= 1) >= 0 ? answer : undefined);

describe('a request on keys', () => {
  it('takes one permit, which is settled with its times and the clock of the provider', async () => {
    const before = sharedNow();
    expect(await pooled().send(calls(3))).toMatchObject({ kind: 'answers', requests: 1 });
    const [{ ask, outcomes } = { ask: undefined, outcomes: [] }] = purse.granted;
    expect(ask).toEqual({ provider: 'metered', cost: { units: 3 }, calls: { eth_test: 3 }, chainId: '1', lane: 'head', not: [] });
    expect(outcomes).toEqual([{ kind: 'answered', class: 'ok', sentAt: expect.any(Number) as number, answeredAt: expect.any(Number) as number, providerTime: expect.any(Number) as number }]);
    const [outcome] = outcomes as unknown as [{ sentAt: number; answeredAt: number }];
    expect(before <= outcome.sentAt && outcome.sentAt <= outcome.answeredAt).toBe(true);
  });

  it('is asked anew for a permit that is over, and nothing was sent on the old one', async () => {
    const holds = [0, -5, 60_000];
    purse.validMs = () => holds.shift() as number;
    expect(results(await pooled().send(calls(1)))).toEqual(wanted(1));
    expect(purse.outcomes).toEqual(['unspent', 'unspent', 'ok']);
    expect(provider.requests).toHaveLength(1);
  });

  it('goes out on another permit where its own ended while all connections were taken', async () => {
    purse = new RecordingPurse(['key-1']);
    const answered = Promise.withResolvers<void>();
    provider.holdUntil = answered.promise;
    const transport = pooled({ aliases: ['key-1'], lane: 'head' });
    const taking = Array.from({ length: 8 }, () => transport.send(calls(1)));
    while (provider.requests.length < 8) await new Promise((resume) => setTimeout(resume, 5));
    const holds = [40, 60_000];
    purse.validMs = () => holds.shift() as number;
    const late = transport.send(calls(1));
    await new Promise((resume) => setTimeout(resume, 60));
    answered.resolve();
    expect(results(await late)).toEqual(wanted(1));
    await Promise.all(taking);
    expect(purse.outcomes).toEqual([...Array.from({ length: 8 }, () => 'ok'), 'unspent', 'ok']);
    expect(provider.requests).toHaveLength(9);
  });

  it('is not sent on a key of another chain', async () => {
    purse = new RecordingPurse(['elsewhere', ...ALIASES]);
    await pooled().send(calls(1));
    expect(purse.outcomes).toEqual(['unspent', 'ok']);
  });

  it('gives its permit back where the address of its key is none', async () => {
    purse = new RecordingPurse(['key-1']);
    await failing(pooled({ aliases: ['key-1'], address: () => 'no address' }).send(calls(1)));
    expect(purse.outcomes).toEqual(['unspent']);
  });

  it('is split as the tariff makes it cheapest, and comes back in order', async () => {
    const asked = async (making: Making): Promise<number[]> => {
      provider.requests.length = 0;
      const reply = await pooled(making).send(calls(7));
      expect(results(reply)).toEqual(wanted(7));
      expect(reply.requests).toBe(provider.requests.length);
      return provider.requests.map((one) => one.calls.length).sort();
    };
    const rate: Limit = { kind: 'rolling', name: 'rate', ledger: 'units', windowMs: 1_000, units: 30 };
    expect(await asked({})).toEqual([7]);
    expect(await asked({ tariff: { batch: 1 } })).toEqual([1, 1, 1, 1, 1, 1, 1]);
    expect(await asked({ tariff: { most: 3 } })).toEqual([1, 3, 3]);
    expect(await asked({ tariff: { limits: [rate] } })).toEqual([1, 3, 3]);
  });

  it('of a backfill waits its turn where many are under way; of the head it does not', async () => {
    purse = new RecordingPurse(['key-1']);
    let most = 0;
    provider.arrived = () => void (most = Math.max(most, purse.outOn('key-1')));
    await pooled({ aliases: ['key-1'], lane: 'backfill', tariff: { batch: 1 } }).send(calls(12));
    expect(purse.outcomes).toHaveLength(12);
    expect(most).toBeLessThanOrEqual(3);
  });
});

describe('a refusal', () => {
  const error = (more: object): object => ({ jsonrpc: '2.0', id: 1, error: { code: -32005, message: 'project ID request rate exceeded', ...more } });
  it.each<[string, Scripted, string, object]>([
    ['429 with Retry-After', { status: 429, headers: { 'retry-after': '52' }, body: 'Too Many Requests' }, 'throttled', { waitMs: 52_000 }],
    ['429 with backoff_seconds', { status: 429, body: error({ data: { backoff_seconds: 30 } }) }, 'throttled', { waitMs: 30_000 }],
    ['429 with rate.backoff_seconds', { status: 429, body: error({ data: { rate: { backoff_seconds: 30 } } }) }, 'throttled', { waitMs: 30_000 }],
    ['429 with neither', { status: 429, body: error({}) }, 'throttled', {}],
    ['-32005 of a rate', { body: error({ message: 'rate limited, try again in 4ms' }) }, 'throttled', { waitMs: 4 }],
    ['-32005 of a day', { status: 429, body: error({ message: 'daily request count exceeded, request rate limited' }) }, 'exhausted', {}],
    ['402', { status: 402, body: { jsonrpc: '2.0', id: 1, error: { code: 402, message: 'Payment Required' } } }, 'exhausted', {}],
    ['401', { status: 401, body: { error: { code: -32600, message: 'Must be authenticated!' } } }, 'revoked', {}],
    ['503', { status: 503, body: 'overloaded' }, 'down', {}],
  ])('%s is settled once in its class, and another key is asked', async (_, answer, seen, said) => {
    provider.scripts.push(first(1, answer));
    const reply = await pooled().send(calls(1));
    expect(results(reply)).toEqual(wanted(1));
    expect(reply.requests).toBe(2);
    expect(purse.outcomes).toEqual([seen, 'ok']);
    const [refused, good] = purse.granted;
    const { sentAt: _1, answeredAt: _2, providerTime: _3, message, ...rest } = refused?.outcomes[0] as unknown as Record<string, unknown>;
    expect(rest).toEqual({ kind: 'answered', class: seen, ...said });
    expect(message).toEqual(expect.any(String));
    expect(good?.ask.not).toEqual([refused?.permit.key]);
  });

  it('of one of several credentials leaves it out, and says of the key only when all are refused', async () => {
    purse = new RecordingPurse(['key-1']);
    const unknown = new Set(['/v3/another']);
    provider.isUnknown = (url) => [...unknown].some((start) => url.startsWith(start));
    const transport = pooled({ aliases: ['key-1'], second: 'another' });
    const asked = async (): Promise<void> => void (await transport.send(calls(1)).catch(() => undefined));
    for (let turn = 0; turn < 6; turn += 1) await asked();
    expect(purse.outcomes.toSorted()).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'revoked']);
    expect(purse.granted.flatMap(({ outcomes }) => outcomes)).toContainEqual(expect.objectContaining({ class: 'revoked', hasAnother: true }));
    unknown.add('/v3/planted');
    await asked();
    expect(purse.granted.at(-1)?.outcomes).toEqual([expect.not.objectContaining({ hasAnother: true })]);
    unknown.clear();
    await asked();
    expect(purse.outcomes.at(-1)).toBe('ok');
  });

  it('-32005 of a range is not the key\'s: nobody else is asked', async () => {
    provider.scripts.push(() => ({ items: () => ({ code: -32005, message: 'query returned more than 10000 results' }) }));
    expect(results(await pooled().send(calls(1)))).toEqual(['query returned more than 10000 results']);
    expect(purse.outcomes).toEqual(['other']);
  });

  it('of some items of a batch has only those asked again, and the order is kept', async () => {
    provider.scripts.push(({ calls: asked }) => (asked.length > 3 ? { items: ({ params }) => (Number(params[0]) % 3 === 0 ? { code: 429, message: 'compute units per second' } : undefined) } : undefined));
    const reply = await pooled().send(calls(7));
    expect(results(reply)).toEqual(wanted(7));
    expect(provider.requests.map((one) => one.calls.map(({ params }) => params[0]))).toEqual([[0, 1, 2, 3, 4, 5, 6], [0, 3, 6]]);
    expect(purse.outcomes).toEqual(['throttled', 'ok']);
    expect(purse.granted[1]?.ask.cost).toEqual({ units: 3 });
  });

  it('by every key ends after three of them, with what the last one said', async () => {
    provider.scripts.push(() => ({ status: 429, body: 'Too Many Requests' }));
    expect(await pooled().send(calls(2))).toMatchObject({ answers: [{ ok: false, refusal: { status: 429 } }, { ok: false }] });
    expect(new Set(provider.requests.map(({ alias }) => alias)).size).toBe(3);
    expect(purse.outcomes).toEqual(['throttled', 'throttled', 'throttled']);
  });

  it('as unauthorized by the last key is a wait for a second look', async () => {
    provider.scripts.push(() => ({ status: 401, body: 'Unauthorized' }));
    expect(await failing(pooled().send(calls(1)))).toMatchObject({ code: 'node-refused', meaning: 'throttled', waitMs: expect.any(Number) as number });
    expect(purse.outcomes).toEqual(['revoked', 'revoked', 'revoked']);
  });
});

describe('an answer that does not come', () => {
  it.each<[string, Scripted, string, string]>([
    ['is cut', 'cut', 'unanswered', 'node-unreachable'],
    ['never comes', 'mute', 'unanswered', 'node-unreachable'],
    ['is not JSON', { body: '<html>' }, 'down', 'node-answer-invalid'],
  ])('and %s is settled once, and asked of another key; in the end it is told', async (_, answer, seen, code) => {
    const forget = first(1, answer);
    provider.scripts.push(forget);
    expect(results(await pooled().send(calls(1)))).toEqual(wanted(1));
    expect(purse.outcomes).toEqual([seen, 'ok']);
    provider.scripts.push(() => answer);
    expect(await failing(pooled().send(calls(1)))).toMatchObject({ code, facts: { node: expect.stringMatching(/^The metered \(key-\d\)$/) as string } });
    expect(purse.outcomes).toEqual([seen, 'ok', seen, seen, seen]);
  });

  it('because nobody wants it any more leaves its permit in doubt, and nobody else is asked', async () => {
    const stop = new AbortController();
    provider.scripts.push(() => 'mute');
    provider.arrived = () => stop.abort(new Error('no longer wanted'));
    expect(await failing(pooled().send(calls(1), stop.signal))).toEqual(new Error('no longer wanted'));
    expect(purse.outcomes).toEqual(['unanswered']);
  });

  it('because nobody wants it any more before it is sent spends nothing', async () => {
    const stop = new AbortController();
    purse.refuses = () => void stop.abort(new Error('no longer wanted'));
    expect(await failing(pooled().send(calls(1), stop.signal))).toEqual(new Error('no longer wanted'));
    expect(provider.requests).toEqual([]);
    expect(purse.outcomes).toEqual(['unspent']);
  });
});

describe('a purse that gives nothing', () => {
  it.each(['a request', 'a subscription'])('holds up nobody: %s that waits for it ends when the transport is closed', async (what) => {
    purse.isEmpty = true;
    const transport = pooled();
    const waiting = failing(what === 'a request' ? transport.send(calls(2)) : transport.heads(new AbortController().signal)[Symbol.asyncIterator]().next());
    await transport.close();
    expect(await waiting).toMatchObject({ code: 'node-unreachable' });
    expect(await failing(transport.send(calls(1)))).toMatchObject({ code: 'node-unreachable' });
    expect(provider.requests).toEqual([]);
  });

  it.each<[string, () => Error, object]>([
    ['now', () => new NoBudget('metered', 1_234, { 'key-1': 'has no room soon enough' }), { code: 'node-refused', meaning: 'throttled', waitMs: 1_234 }],
    ['until a reset', () => new NoBudget('metered', 9_000_000, { 'key-1': 'exhausted', 'key-2': 'exhausted' }), { code: 'node-refused', meaning: 'exhausted', waitMs: 9_000_000 }],
    ['while the provider is down', () => new ProviderDown('metered', 2_345), { code: 'node-refused', meaning: 'down', waitMs: 2_345 }],
  ])('%s has the plan left alone for so long', async (_, error, told) => {
    purse.refuses = error;
    expect(await failing(pooled().send(calls(2)))).toMatchObject(told);
    expect(provider.requests).toEqual([]);
  });

  it('for one part leaves what was paid for, and says of the rest when to come again', async () => {
    const making = { tariff: { batch: 1 } };
    purse.refuses = () => (purse.granted.length < 3 ? undefined : new NoBudget('metered', 900, {}));
    const reply = await pooled(making).send(calls(5));
    expect(results(reply).slice(0, 3)).toEqual(wanted(3));
    expect(reply).toMatchObject({ requests: 3, answers: [{}, {}, {}, { ok: false, refusal: { meaning: 'throttled', waitMs: 900 } }, { ok: false }] });
  });

  it('for a second try leaves what came on the first', async () => {
    provider.scripts.push(() => ({ items: (_, at) => (at === 1 ? { code: 429, message: 'slow down' } : undefined) }));
    purse.refuses = ({ not }) => (not?.length === 0 ? undefined : new NoBudget('metered', 1_000, { retries: 'too many' }));
    const reply = await pooled().send(calls(3));
    expect(reply).toMatchObject({ answers: [{ ok: true }, { ok: false, refusal: { meaning: 'throttled', waitMs: 1_000 } }, { ok: true }] });
  });
});

describe('heads', () => {
  const listen = (transport: PooledTransport): { readonly heard: unknown[]; readonly ended: Promise<unknown>; readonly stop: () => void } => {
    const stop = new AbortController();
    const heard: unknown[] = [];
    const ended = failing(
      (async () => {
        for await (const head of transport.heads(stop.signal)) heard.push((head as { number: string }).number);
      })(),
    );
    return { heard, ended, stop: () => stop.abort() };
  };
  const until = async (what: () => boolean): Promise<void> => {
    for (const end = performance.now() + 5_000; !what(); ) {
      if (performance.now() > end) throw new Error('it did not happen');
      await new Promise((resume) => setTimeout(resume, 10));
    }
  };
  const subscribed = (): boolean => purse.outcomes.at(-1) === 'ok';

  it('are subscribed to with a permit, and each is paid for by the bytes of its message', async () => {
    const { heard, ended, stop } = listen(pooled({ tariff: { perByte: 2 } }));
    await until(subscribed);
    const bytes = [7, 8, 9].map((number) => provider.announce(number));
    await until(() => heard.length === 3);
    stop();
    await ended;
    expect(heard).toEqual(['0x7', '0x8', '0x9']);
    expect(purse.accrued.filter(({ uncertain }) => !uncertain).map(({ cost }) => cost['units'])).toEqual(bytes.map((one) => 2 * one));
    // What crossed with the end, and taking it back.
    expect(purse.accrued.filter(({ uncertain }) => uncertain).map(({ what }) => what).sort()).toEqual(['eth_unsubscribe', 'newHeads']);
    expect(purse.granted.map(({ ask }) => ask.calls)).toEqual([{ eth_subscribe: 1 }]);
  });

  it('that nobody takes are paid for too', async () => {
    const transport = pooled();
    const heads = transport.heads(new AbortController().signal)[Symbol.asyncIterator]();
    const next = heads.next();
    await until(subscribed);
    for (let number = 1; number <= 100; number += 1) provider.announce(number);
    await next;
    await until(() => purse.accrued.length === 100);
    await heads.return?.();
  });

  it('come on a key that has a WebSocket', async () => {
    const mute = ['key-1', 'key-2', 'key-3'];
    const { ended, stop } = listen(pooled({ mute }));
    await until(subscribed);
    stop();
    await ended;
    expect(provider.requests[0]?.alias).toBe('key-4');
    expect(pooled({ mute: ALIASES }).pushes).toBe(false);
  });

  it.each<[string, Scripted, string]>([
    ['throttled', { body: { jsonrpc: '2.0', id: 1, error: { code: 429, message: 'Too Many Requests' } } }, 'throttled'],
    ['cut', 'cut', 'unanswered'],
    ['closed for its quota', { closes: 1008, reason: 'Payment Required' }, 'exhausted'],
    ['mute', 'mute', 'unanswered'],
  ])('refused on one key (%s) are subscribed to on another', async (_, answer, seen) => {
    provider.scripts.push(first(1, answer));
    const { heard, ended, stop } = listen(pooled());
    await until(subscribed);
    provider.announce(5);
    await until(() => heard.length === 1);
    stop();
    await ended;
    expect(purse.outcomes).toEqual([seen, 'ok']);
    const [refused, good] = purse.granted;
    expect(good?.ask.not).toEqual([refused?.permit.key]);
  });

  it('refused at the door tell what that means for the key', async () => {
    provider.door = (alias) => (alias === 'key-1' ? { status: 401, body: JSON.stringify({ error: { code: -32600, message: `Must be authenticated! ${provider.secretOf(alias)}` } }) } : undefined);
    const { ended, stop } = listen(pooled());
    await until(subscribed);
    stop();
    await ended;
    expect(purse.outcomes).toEqual(['revoked', 'ok']);
  });

  it('are asked for with another permit of the same key where connecting took longer than the first one holds', async () => {
    provider.doorMs = 150;
    purse.validMs = () => (purse.granted.length === 0 ? 50 : 60_000);
    const { ended, stop } = listen(pooled());
    await until(subscribed);
    stop();
    await ended;
    expect(purse.outcomes).toEqual(['unspent', 'ok']);
    expect(purse.granted[1]?.ask.key).toBe(purse.granted[0]?.permit.key);
  });

  it('end when their key is severed, and another one takes over', async () => {
    const transport = pooled();
    const before = listen(transport);
    await until(subscribed);
    const key = purse.granted[0]?.permit.key as string;
    provider.sever(key);
    expect(await before.ended).toMatchObject({ code: 'node-refused', meaning: 'exhausted' });
    const after = listen(transport);
    await until(() => purse.outcomes.length === 2 && subscribed());
    provider.announce(3);
    await until(() => after.heard.length === 1);
    after.stop();
    await after.ended;
    expect(purse.granted[1]?.permit.key).not.toBe(key);
  });
});

describe('a secret that a provider repeats', () => {
  it.each<[string, (secret: string) => Scripted]>([
    ['in a refusal', (secret) => ({ status: 429, body: { error: { code: 429, message: `key ${secret} asked too much` } } })],
    ['in words that are cut', (secret) => ({ status: 429, body: `${'Too Many Requests '.repeat(54)}${secret} ${secret}` })],
    ['in no JSON', (secret) => ({ body: `${'x '.repeat(30)}${secret}${secret}` })],
    ['in an item', (secret) => ({ items: () => ({ code: -32000, message: `no such thing at http://elsewhere.example/v3/${secret}` }) })],
  ])('%s is told nowhere', async (_, answer) => {
    provider.scripts.push(({ alias }) => answer(provider.secretOf(alias)));
    const outcome = await pooled().send(calls(2)).catch((error: unknown) => error);
    thrown.push(outcome);
    expect(provider.requests.length).toBeGreaterThan(0);
  });
});

describe('the log of requests', () => {
  it('has a line for each, and what they came to', async () => {
    const transport = pooled({ tariff: { batch: 1 } });
    provider.scripts.push(first(1, { status: 429, body: '' }));
    await transport.send(calls(3));
    await transport.close();
    const each = lines.filter((line) => (line as { message: string }).message === 'request');
    expect(each).toHaveLength(4);
    expect(each[0]).toEqual({ message: 'request', fields: { provider: 'metered', key: expect.stringMatching(/^key-\d$/) as string, chainId: '1', lane: 'head', methods: { eth_test: 1 }, units: 1, class: expect.any(String) as string, ms: expect.any(Number) as number } });
    expect(lines.at(-1)).toMatchObject({ message: 'requests', fields: { provider: 'metered', requests: 4, units: 4, answers: { ok: 3, throttled: 1 } } });
  });
});
