import { ManualClock } from '#platform/testing';
import type { Exchange, ExchangeAnswer, Lease, LeaseDesk, Permit, SpendingAsk, SpendingOutcome, Tariff } from '../contracts/index.ts';
import { LeasedPurse } from './leased-purse.ts';

const TARIFF: Tariff = {
  provider: 'infura',
  title: 'Infura',
  unit: 'credits',
  ledgers: { units: { default: 80, methods: { eth_chainId: 5, eth_getBlockReceipts: 1_000 }, batch: 1, push: { each: 50, perByte: 0 } } },
  limits: [
    { kind: 'rolling', name: 'second', ledger: 'units', windowMs: 1_000, units: 500 },
    { kind: 'calendar', name: 'day', ledger: 'units', period: 'day', units: 3_000_000 },
  ],
  mostCallsPerRequest: 10,
  unsupported: [],
  slackMs: 40,
};
const LEASE_MS = 10_000;

/** Gives each key to who asks first, ten seconds at a time; what it does besides is set by the test. */
class FakeDesk implements LeaseDesk {
  readonly heard: Exchange[] = [];
  readonly held = new Map<string, string>();
  readonly closed = new Map<string, ExchangeAnswer['closed'][number]>();
  keys: readonly string[];
  quota = 100_000;
  keyCount = 0;
  againInMs = 2_000;
  headOnly = false;
  renews = true;
  /** What happens to the next exchanges: lost before the desk hears it, after it did, or never answered. */
  fate: 'well' | 'unheard' | 'answer lost' | 'silent' = 'well';
  #leases = 0;

  constructor(keys: readonly string[]) {
    this.keys = keys;
  }

  async exchange(exchange: Exchange): Promise<ExchangeAnswer> {
    if (this.fate === 'unheard') throw new Error('no way to the desk');
    this.heard.push(structuredClone(exchange));
    for (const { lease, over } of exchange.settlements) if (over) this.held.delete(lease);
    const renewed = this.renews ? exchange.wanted.renew.map((id) => this.#lease(id, this.held.get(id) as string)) : [];
    const taken = new Set(this.held.values());
    const fresh = this.keys.filter((key) => !taken.has(key) && !this.closed.has(key)).slice(0, exchange.wanted.more);
    const granted = fresh.map((key) => this.#lease(`lease-${(this.#leases += 1)}`, key));
    if (this.fate === 'answer lost') throw new Error('the way back broke');
    if (this.fate === 'silent') return new Promise(() => undefined);
    return { leases: [...renewed, ...granted], againInMs: this.againInMs, keys: this.keyCount, closed: [...this.closed.values()] };
  }

  get settlements(): readonly Exchange['settlements'][number][] {
    return this.heard.flatMap(({ settlements }) => settlements);
  }

  get sightings(): readonly Exchange['sightings'][number][] {
    return this.heard.flatMap(({ sightings }) => sightings);
  }

  #lease(id: string, key: string): Lease {
    this.held.set(id, key);
    return { id, key, provider: 'infura', validForMs: LEASE_MS, rate: { second: 500 }, quota: { day: this.quota }, headOnly: this.headOnly };
  }
}

function world(keys: readonly string[] = ['one'], tariff = TARIFF) {
  const clock = new ManualClock();
  const desk = new FakeDesk(keys);
  const lines: { readonly level: string; readonly message: string; readonly fields: object }[] = [];
  const say = (level: string) => (fields: object, message: string) => void lines.push({ level, message, fields });
  const log = { info: say('info'), warn: say('warn'), error: say('error') };
  const purse = new LeasedPurse({ holder: 'a', desk, tariffs: new Map([['infura', tariff]]), clock, log, sharedNow: () => clock.monotonic(), random: () => 0.5 });
  return { clock, desk, lines, purse };
}

const ask = (more: Partial<SpendingAsk> = {}): SpendingAsk => ({ provider: 'infura', cost: { units: 80 }, calls: { eth_getBlockByNumber: 1 }, chainId: '1', lane: 'backfill', ...more });

type World = ReturnType<typeof world>;

/** Sent at once, answered after `ms`. */
async function send({ purse, clock }: World, more: Partial<SpendingAsk> = {}, outcome: Partial<Extract<SpendingOutcome, { kind: 'answered' }>> = {}, ms = 20): Promise<Permit> {
  const permit = await purse.acquire(ask(more));
  const sentAt = clock.monotonic();
  await clock.sleep(ms);
  purse.settle(permit, { kind: 'answered', class: 'ok', sentAt, answeredAt: clock.monotonic(), ...outcome });
  return permit;
}

/** How it ended, as far as it has. */
function watch<T>(promise: Promise<T>) {
  const seen: { value?: T; error?: any } = {};
  promise.then((value) => (seen.value = value), (error: unknown) => (seen.error = error));
  return seen;
}

describe('a purse', () => {
  it('leases a key when someone asks, and spends no more than its window takes', async () => {
    const given = world();
    const sent = Array.from({ length: 12 }, () => watch(send(given)));
    await given.clock.advance(1_000);
    expect(sent.filter(({ value }) => value !== undefined)).toHaveLength(6);
    await given.clock.advance(100);
    expect(sent.filter(({ value }) => value !== undefined)).toHaveLength(12);
  });

  it('spends equal keys evenly', async () => {
    const given = world(['one', 'two', 'three']);
    const used: string[] = [];
    for (let turn = 0; turn < 90; turn += 1) void send(given).then(({ key }) => used.push(key));
    await given.clock.advance(10_000);
    expect(['one', 'two', 'three'].map((key) => used.filter((one) => one === key).length)).toEqual([30, 30, 30]);
  });

  it('keeps units of a permit that is not answered, and frees those of one that was not sent', async () => {
    const { purse, clock } = world();
    const permits = Array.from({ length: 7 }, () => watch(purse.acquire(ask())));
    await clock.advance(5_000);
    expect(permits[6]).toEqual({});
    purse.settle(permits[0]!.value!, { kind: 'unspent' });
    await clock.advance(0);
    expect(permits[6]!.value).toMatchObject({ key: 'one' });
  });

  it('leaves out keys that were tried, keeps to the key that is wished, and lets nobody but heads on what is kept for heads', async () => {
    const given = world(['one', 'two']);
    const { purse, clock, desk } = given;
    await Promise.all([send(given), send(given), ...Array.from({ length: 12 }, () => send(given)), clock.advance(3_000)]);
    expect((await purse.acquire(ask({ not: ['one'] }))).key).toBe('two');
    expect((await purse.acquire(ask({ key: 'one' }))).key).toBe('one');
    const other = world(['one']);
    other.desk.headOnly = true;
    const [backfill, head] = [watch(other.purse.acquire(ask({ patienceMs: 500 }))), watch(other.purse.acquire(ask({ lane: 'head' })))];
    await other.clock.advance(600);
    expect(head.value).toMatchObject({ key: 'one' });
    expect(backfill.error).toMatchObject({ code: 'no-budget', kind: 'throttled', facts: { provider: 'infura', why: { one: 'the rest of its budget is kept for heads' } } });
    expect(desk.heard.length).toBeGreaterThan(0);
  });

  it('tells at once what no key can ever serve', async () => {
    const { purse } = world();
    await expect(purse.acquire(ask({ cost: { units: 1_000 }, calls: { eth_getBlockReceipts: 1 } }))).rejects.toMatchObject({ code: 'no-budget', facts: { why: { second: 'one request costs 1000, the limit is 500' } } });
    await expect(purse.acquire(ask({ provider: 'none' }))).rejects.toMatchObject({ code: 'unknown-provider' });
  });

  it('waits as long as its patience, and not where the desk says there is nothing for longer than that', async () => {
    const { purse, clock, desk } = world([]);
    const patient = watch(purse.acquire(ask({ patienceMs: 5_000 })));
    const hasty = watch(purse.acquire(ask({ patienceMs: 1_000 })));
    await clock.advance(1);
    expect([hasty.error?.code, patient]).toEqual(['no-budget', {}]);
    await clock.advance(5_000);
    expect(patient.error).toMatchObject({ code: 'no-budget' });
    desk.keys = ['one'];
    await clock.advance(2_000);
    const lucky = watch(purse.acquire(ask()));
    await clock.advance(2_000);
    expect(lucky.value).toMatchObject({ key: 'one' });
  });

  it('forgets who gave up', async () => {
    const { purse, clock } = world();
    const stop = new AbortController();
    const waiting = watch(purse.acquire(ask(), stop.signal));
    stop.abort(new Error('enough'));
    await clock.advance(100);
    expect(waiting.error).toEqual(new Error('enough'));
  });
});

describe('leases of a purse', () => {
  it('are renewed while they are used, settled each time, and given back when idle', async () => {
    const given = world();
    await Promise.all([send(given), given.clock.advance(20_000)]);
    expect(given.desk.settlements).toMatchObject([{ lease: 'lease-1', sequence: 1, acknowledged: { units: 80 }, requests: 1, errors: {}, by: [{ chainId: '1', method: 'eth_getBlockByNumber', calls: 1, units: 80 }], over: false }]);
    expect(given.desk.held.size).toBe(1);
    await given.clock.advance(30_000);
    expect(given.desk.settlements.at(-1)).toMatchObject({ lease: 'lease-1', sequence: 2, requests: 0, over: true });
    expect(given.desk.held.size).toBe(0);
  });

  it('are over when their time is, on the clock of the machine and on the wall', async () => {
    const given = world();
    await Promise.all([send(given), given.clock.advance(1_000)]);
    given.desk.fate = 'unheard';
    given.clock.setWall(given.clock.now() + LEASE_MS);
    const late = watch(given.purse.acquire(ask({ patienceMs: 1_000 })));
    await given.clock.advance(1_000);
    expect(late.error).toMatchObject({ code: 'no-budget' });
    const other = world();
    await Promise.all([send(other), other.clock.advance(1_000)]);
    other.desk.fate = 'unheard';
    other.clock.setWall(other.clock.now() - 3_600_000);
    await other.clock.advance(8_900);
    const [last, tooLate] = [watch(other.purse.acquire(ask({ patienceMs: 50 }))), other.clock.advance(200).then(() => watch(other.purse.acquire(ask({ patienceMs: 1_000 }))))];
    await tooLate;
    await other.clock.advance(1_000);
    expect(last.value?.validUntil).toBe(LEASE_MS);
    expect((await tooLate).error).toMatchObject({ code: 'no-budget' });
  });

  it('count from before the desk was asked', async () => {
    const given = world();
    const { exchange } = given.desk;
    given.desk.exchange = async (asked) => {
      await given.clock.sleep(3_000);
      return exchange.call(given.desk, asked);
    };
    const permit = watch(given.purse.acquire(ask()));
    await given.clock.advance(3_100);
    expect(permit.value?.validUntil).toBe(LEASE_MS);
  });

  it('settle the same again when the answer of the desk was lost, and what came meanwhile afterwards', async () => {
    const given = world();
    await Promise.all([send(given), given.clock.advance(5_000)]);
    given.desk.fate = 'answer lost';
    await Promise.all([given.clock.advance(1_050), given.clock.sleep(1_020).then(() => send(given))]);
    given.desk.fate = 'well';
    await given.clock.advance(7_000);
    const sequences = given.desk.settlements.map(({ sequence }) => sequence);
    expect(sequences.slice(0, 2)).toEqual([1, 1]);
    expect(given.desk.settlements[0]).toEqual(given.desk.settlements[1]);
    const once = new Map(given.desk.settlements.map((one) => [one.sequence, one]));
    expect([...once.values()].map(({ acknowledged }) => acknowledged['units'])).toEqual([80, 80]);
  });

  it('are asked for less and less often while the desk is away, and nothing is spent beyond them', async () => {
    const given = world();
    let asked = 0;
    const { exchange } = given.desk;
    given.desk.exchange = (what) => ((asked += 1), exchange.call(given.desk, what));
    given.desk.fate = 'unheard';
    const waiting = watch(given.purse.acquire(ask()));
    await given.clock.advance(60_000);
    expect(waiting.error).toMatchObject({ code: 'no-budget', facts: { why: { desk: 'budgets can not be leased now' } } });
    expect(asked).toBe(3);
    expect(given.lines.map(({ message }) => message)).toEqual(['budgets can not be leased']);
    given.desk.fate = 'silent';
    const silent = watch(given.purse.acquire(ask({ patienceMs: 20_000 })));
    await given.clock.advance(4_000);
    expect(silent).toEqual({});
    await given.clock.advance(2_000);
    expect(silent.error).toMatchObject({ code: 'no-budget' });
    given.desk.fate = 'well';
    await given.clock.advance(10_000);
    const well = watch(given.purse.acquire(ask()));
    // What the desk gave while nobody heard it is lost until it ends.
    given.desk.held.clear();
    await given.clock.advance(2_100);
    expect([well.value?.key, given.lines.at(-1)?.message]).toEqual(['one', 'budgets can be leased again']);
  });

  it('that are not renewed are given back before they end, when all is answered', async () => {
    const given = world();
    await Promise.all([send(given), given.clock.advance(1_000)]);
    given.desk.renews = false;
    await given.clock.advance(8_390);
    expect(given.desk.held.size).toBe(1);
    await given.clock.advance(20);
    expect([given.desk.held.size, given.desk.settlements.at(-1)?.over]).toEqual([0, true]);
  });

  it('are all given back at the end, after what is under way was answered or given up', async () => {
    const given = world(['one', 'two']);
    const permits = [watch(send(given)), watch(send(given, {}, {}, 1_000)), watch(given.purse.acquire(ask()))];
    await given.clock.advance(100);
    const closed = given.purse.close();
    const refused = watch(given.purse.acquire(ask()));
    await given.clock.advance(3_000);
    await closed;
    expect(permits.every(({ value }) => value !== undefined)).toBe(true);
    expect(refused.error).toMatchObject({ code: 'draining' });
    expect([given.desk.held.size, given.clock.sleeping]).toEqual([0, 0]);
    const sum = (of: 'acknowledged' | 'unacknowledged') => given.desk.settlements.reduce((total, one) => total + (one[of]['units'] ?? 0), 0);
    expect([sum('acknowledged'), sum('unacknowledged')]).toEqual([160, 80]);
  });
});

describe('the talk with the desk', () => {
  it('settles every few seconds, however often leases are asked for', async () => {
    const given = world();
    for (let turn = 0; turn < 150; turn += 1) void send(given);
    await given.clock.advance(20_000);
    const [asked, told] = [given.desk.heard.length, given.desk.settlements.length];
    expect(asked).toBeGreaterThan(8);
    expect(told).toBeLessThanOrEqual(4);
  });
});

describe('refusals', () => {
  it('by rate close the key at once, are told at once, and widen its slack', async () => {
    const given = world(['one', 'two']);
    await Promise.all([send(given, {}, { class: 'throttled', waitMs: 5_000, message: 'slow down' }), given.clock.advance(30)]);
    expect(given.desk.sightings).toEqual([{ key: 'one', seen: 'throttled', waitMs: 5_000, message: 'slow down' }]);
    expect(given.purse.keys()).toMatchObject([{ alias: 'one', closed: { state: 'throttled' }, learnedSlackMs: 40 }]);
    await Promise.all([send(given), given.clock.advance(100)]);
    expect(given.purse.keys().map(({ alias }) => alias)).toEqual(['one', 'two']);
    await given.clock.advance(5_000);
    const back = send(given, { key: 'one' });
    await given.clock.advance(100);
    await back;
    expect(given.desk.sightings.at(-1)).toEqual({ key: 'one', seen: 'well' });
  });

  it('for good close the key until the desk says otherwise, and its lease goes back', async () => {
    const given = world(['one']);
    given.desk.closed.set('one', { key: 'one', state: 'exhausted', until: given.clock.now() + 3_600_000 });
    given.desk.closed.clear();
    const first = send(given, {}, { class: 'exhausted', message: 'daily request count exceeded' });
    await given.clock.advance(10);
    given.desk.closed.set('one', { key: 'one', state: 'exhausted', until: given.clock.now() + 3_600_000 });
    await Promise.all([first, given.clock.advance(100)]);
    expect(given.desk.held.size).toBe(0);
    expect(given.desk.settlements.at(-1)).toMatchObject({ unacknowledged: { units: 80 }, errors: { exhausted: 1 }, over: true });
    const next = watch(given.purse.acquire(ask({ patienceMs: 1_000 })));
    await given.clock.advance(10);
    expect(next.error).toMatchObject({ code: 'no-budget', facts: { why: { one: 'exhausted' } } });
  });

  it('of a key that is revoked are no last word: the desk is asked again after a minute, or when it is told to be tried', async () => {
    const given = world(['one']);
    given.desk.closed.set('one', { key: 'one', state: 'revoked', until: null });
    const refused = async (): Promise<string | undefined> => {
      const asked = watch(given.purse.acquire(ask({ patienceMs: 1_000 })));
      await given.clock.advance(100);
      return asked.error?.code;
    };
    expect(await refused()).toBe('no-budget');
    given.desk.closed.clear();
    expect(await refused()).toBe('no-budget');
    given.purse.reopened('one');
    expect(await refused()).toBeUndefined();
  });

  it('of a key that is revoked end where another process had it tried', async () => {
    const given = world(['one']);
    given.desk.keyCount = 1;
    given.desk.closed.set('one', { key: 'one', state: 'revoked', until: null });
    watch(given.purse.acquire(ask({ patienceMs: 1_000 })));
    await given.clock.advance(100);
    given.desk.closed.clear();
    await given.clock.advance(60_000);
    const asked = watch(given.purse.acquire(ask()));
    await given.clock.advance(100);
    expect(asked.value).toMatchObject({ key: 'one' });
  });

  it('send nobody away for a day before the desk has said so', async () => {
    const given = world(['one']);
    given.desk.keyCount = 1;
    await Promise.all([send(given), given.clock.advance(1_000)]);
    given.desk.fate = 'silent';
    const refused = send(given, {}, { class: 'revoked', message: 'no' });
    await given.clock.advance(25);
    await refused;
    const next = watch(given.purse.acquire(ask({ patienceMs: 1_000 })));
    await given.clock.advance(1_100);
    expect(next.error).toMatchObject({ code: 'no-budget' });
    expect(next.error.facts.waitMs).toBeLessThan(10_000);
  });

  it('of a desk that is full are told at once, for as long as it says', async () => {
    const given = world([]);
    given.desk.againInMs = 60_000;
    for (const waited of [100, 40_000]) {
      await given.clock.advance(waited);
      const asked = watch(given.purse.acquire(ask()));
      await given.clock.advance(100);
      expect(asked.error).toMatchObject({ code: 'no-budget' });
    }
    given.desk.keys = ['one'];
    await given.clock.advance(21_000);
    const asked = watch(given.purse.acquire(ask()));
    await given.clock.advance(100);
    expect(asked.value).toMatchObject({ key: 'one' });
  });

  it('of one credential of several leave the key as it is, with an alarm', async () => {
    const given = world(['one']);
    await Promise.all([send(given, {}, { class: 'revoked', hasAnother: true }), given.clock.advance(100)]);
    expect(given.desk.sightings).toEqual([]);
    expect(given.lines).toMatchObject([{ level: 'error', message: 'one of the secrets of a key is refused', fields: { key: 'one' } }]);
    await given.clock.advance(7_000);
    expect(given.desk.settlements.at(-1)).toMatchObject({ unacknowledged: { units: 80 }, errors: { revoked: 1 } });
    expect(given.purse.keys()[0]).not.toHaveProperty('closed');
  });

  it('of many at once are one sighting', async () => {
    const given = world(['one']);
    const sent = Array.from({ length: 5 }, () => send(given, {}, { class: 'throttled' }));
    await Promise.all([...sent, given.clock.advance(100)]);
    expect(given.desk.sightings).toEqual([{ key: 'one', seen: 'throttled' }]);
  });

  it('of a clock that is wrong are told with what is well', async () => {
    const given = world();
    await Promise.all([send(given, {}, { providerTime: given.clock.now() + 60_000 }), given.clock.advance(100)]);
    expect(given.desk.sightings).toMatchObject([{ key: 'one', seen: 'well', skewMs: 60_490 }]);
  });

  it('by silence bring the provider down, and one request tries it', async () => {
    const given = world(['one', 'two', 'three']);
    for (let turn = 0; turn < 5; turn += 1) await Promise.all([send(given, {}, { class: 'down' }), given.clock.advance(100)]);
    await expect(given.purse.acquire(ask())).rejects.toMatchObject({ code: 'provider-down', kind: 'unavailable' });
    await given.clock.advance(1_000);
    const [probe, other] = [watch(given.purse.acquire(ask())), watch(given.purse.acquire(ask()))];
    await given.clock.advance(10);
    expect([probe.value !== undefined, other.error?.code]).toEqual([true, 'provider-down']);
    given.purse.settle(probe.value!, { kind: 'answered', class: 'ok', sentAt: given.clock.monotonic(), answeredAt: given.clock.monotonic() });
    await given.clock.advance(10);
    expect(given.lines.map(({ message }) => message)).toEqual(['provider is down', 'provider answers again']);
    expect((await given.purse.acquire(ask())).key).toBeDefined();
  });

  it('lead to no storm: retries are a part of the requests', async () => {
    const given = world(['one', 'two', 'three']);
    const retries = Array.from({ length: 20 }, () => watch(given.purse.acquire(ask({ not: ['one'] }))));
    await given.clock.advance(5_000);
    expect(retries.filter(({ error }) => error?.code === 'no-budget')).toHaveLength(10);
  });
});

describe('the accounts of a purse', () => {
  it('take what a subscription brought, and make room for it afterwards', async () => {
    const given = world();
    await Promise.all([send(given), given.clock.advance(2_000)]);
    for (let push = 0; push < 12; push += 1) given.purse.accrue('one', { units: 50 }, '1', 'newHeads');
    const waiting = watch(given.purse.acquire(ask()));
    await given.clock.advance(900);
    expect(waiting).toEqual({});
    await given.clock.advance(101);
    expect(waiting.value).toBeDefined();
    await given.clock.advance(6_000);
    expect(given.desk.settlements[0]).toMatchObject({ acknowledged: { units: 680 }, requests: 1, by: [{ method: 'eth_getBlockByNumber', units: 80 }, { method: 'newHeads', calls: 12, units: 600 }] });
  });

  /** By each settlement once, whichever way it came. */
  const acknowledged = ({ desk }: World): number => [...new Map(desk.settlements.map((one) => [`${one.lease} ${one.sequence}`, one])).values()].reduce((sum, one) => sum + (one.acknowledged['units'] ?? 0), 0);

  it('take what a subscription brings once a minute: its lease stays', async () => {
    const given = world();
    await Promise.all([send(given), given.clock.advance(1_000)]);
    for (let push = 0; push < 5; push += 1) {
      given.purse.accrue('one', { units: 50 }, '1', 'newHeads');
      await given.clock.advance(60_000);
    }
    expect(acknowledged(given)).toBe(80 + 5 * 50);
    await given.clock.advance(620_000);
    expect(given.desk.held.size).toBe(0);
  });

  it('lose nothing that comes while the end of a lease is being settled', async () => {
    const given = world();
    await Promise.all([send(given), given.clock.advance(1_000)]);
    given.desk.renews = false;
    await given.clock.advance(7_500);
    given.desk.fate = 'answer lost';
    const ending = (): boolean => given.desk.settlements.some(({ over }) => over);
    for (let ms = 0; ms < 15_000 && !ending(); ms += 20) await given.clock.advance(20);
    expect(ending()).toBe(true);
    given.purse.accrue('one', { units: 50 }, '1', 'newHeads');
    given.desk.fate = 'well';
    await given.clock.advance(2_000);
    await Promise.all([send(given), given.clock.advance(20_000)]);
    expect(acknowledged(given)).toBe(80 + 50 + 80);
  });

  it('have a row for what a batch costs on top', async () => {
    const given = world();
    await Promise.all([send(given, { cost: { units: 161 }, calls: { eth_getBlockByNumber: 2 } }), given.clock.advance(7_000)]);
    expect(given.desk.settlements[0]!.by).toEqual([{ chainId: '1', method: 'eth_getBlockByNumber', calls: 2, units: 160 }, { chainId: '1', method: 'batch', calls: 0, units: 1 }]);
  });

  it('miss no permit: one that is never settled is a bug, and counts as unanswered', async () => {
    const given = world();
    void given.purse.acquire(ask());
    await given.clock.advance(75_000);
    expect(given.lines).toMatchObject([{ level: 'error', message: 'a permit was never settled', fields: { key: 'one' } }]);
    await given.clock.advance(10_000);
    expect(given.desk.settlements.at(-1)).toMatchObject({ unacknowledged: { units: 80 }, errors: { unanswered: 1 } });
    given.purse.settle({ id: 1, key: 'one', validUntil: 0 }, { kind: 'unspent' });
    expect(given.lines.at(-1)).toMatchObject({ level: 'error', message: 'a permit was settled twice, or too late' });
  });
});
