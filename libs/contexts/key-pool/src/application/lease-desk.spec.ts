import fc from 'fast-check';
import { openMemoryEventStore } from '#platform/event-store';
import { FaultyEventStore, type Fault } from '#platform/testing';
import type { ExchangeAnswer, KeySighting, Lease, Tariff } from '../contracts/index.ts';
import { Holder, Owner, StandingClock, TARIFF } from './lease-desk.contract.ts';

const NOON = Date.parse('2026-11-26T12:00:00.000Z');
const BEFORE_A_RESET = Date.parse('2026-11-30T23:59:30.000Z');

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe('two desks over one log', () => {
  const faults = fc.array(fc.constantFrom<Fault>('none', 'none', 'none', 'none', 'lost-before', 'lost-after', 'late', 'unavailable', 'repeated'), { maxLength: 60 });
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('exchange' as const),
        /** At once, and not all with the same owner. */
        who: fc.array(fc.record({ holder: fc.nat(7), owner: fc.nat(1), more: fc.nat(4), giveBack: fc.constantFrom(0, 0, 0, 1, 9), heard: fc.constantFrom(true, true, true, false) }), { minLength: 1, maxLength: 4 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('spend' as const), share: fc.constantFrom(0.3, 1) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 400, 3_000, 6_000, 11_000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), holder: fc.nat(7) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), owner: fc.nat(1) }) },
  );

  it('never lease more than there is, whoever dies, whatever is lost: 1 to 8 holders', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 60, size: 'max' }), faults, async (holders, keys, steps, luck) => {
        const clock = new StandingClock(BEFORE_A_RESET);
        const log = openMemoryEventStore();
        const owner = async (bad: readonly Fault[]): Promise<Owner> => {
          const opened = new Owner(new FaultyEventStore(log, bad), clock, keys);
          await opened.desk.open('inside.', 'nobody').catch(() => undefined);
          return opened;
        };
        const owners: Owner[] = [await owner([]), await owner(luck)];
        const living = Array.from({ length: holders }, (_, at) => new Holder(`outside.${at}`, clock));
        const all = [...living];
        for (const one of steps) {
          if (one.kind === 'exchange') {
            const asking = new Map(one.who.map((ask) => [ask.holder % holders, ask]));
            await Promise.all([...asking].map(([at, ask]) => (living[at] as Holder).exchange(owners[ask.owner] as Owner, ask)));
          }
          if (one.kind === 'spend') for (const holder of living) holder.spend(one.share);
          if (one.kind === 'wait') clock.at += one.ms;
          if (one.kind === 'die') {
            living[one.holder % holders]?.die();
            const next = new Holder(`outside.${all.length}`, clock);
            living[one.holder % holders] = next;
            all.push(next);
          }
          if (one.kind === 'restart') owners[one.owner] = await owner([]);
          expectNothingTooMuch(all, keys, clock.at);
        }
        const judge = await owner([]);
        for (let at = 0; at < keys; at += 1) {
          const { totals } = await judge.key(`key-${at}`);
          const counted = sum(all.flatMap(({ spent }) => spent.filter(({ key }) => key === `key-${at}`).map(({ units }) => units)));
          expect(totals.acknowledged).toBeLessThanOrEqual(counted);
          expect(counted).toBeLessThanOrEqual(totals.booked);
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('give nothing back that was settled with one of them that did not know the lease yet', async () => {
    const clock = new StandingClock(NOON);
    const log = openMemoryEventStore();
    const [one, other] = [new Owner(log, clock, 1), new Owner(log, clock, 1)];
    await one.desk.open('inside.', 'nobody');
    await other.desk.open('inside.', 'nobody');
    const ask = { holder: 'outside', provider: 'ours', settlements: [], sightings: [], wanted: { renew: [], more: 0 } };
    const { leases } = await one.desk.exchange({ ...ask, wanted: { renew: [], more: 1 } });
    const [{ id, key }] = leases as [ExchangeAnswer['leases'][number]];
    const { booked } = (await one.key(key)).totals;
    const spent = { lease: id, key, acknowledged: { units: 100 }, unacknowledged: {}, requests: 1, errors: {}, by: [] };
    await other.desk.exchange({ ...ask, settlements: [{ ...spent, sequence: 1, over: false }] });
    await one.desk.exchange({ ...ask, settlements: [{ ...spent, sequence: 2, over: true }] });
    expect(await one.key(key)).toMatchObject({ leases: {}, totals: { acknowledged: 100, booked } });
  });

  function expectNothingTooMuch(holders: readonly Holder[], keys: number, now: number): void {
    for (let at = 0; at < keys; at += 1) {
      const key = `key-${at}`;
      expect(sum(holders.map((holder) => holder.mostOn(key, now)))).toBeLessThanOrEqual(100);
      const spent = holders.flatMap((holder) => holder.spent.filter((one) => one.key === key));
      for (const day of new Set(spent.map(({ at: when }) => new Date(when).toISOString().slice(0, 10)))) {
        expect(sum(spent.filter(({ at: when }) => new Date(when).toISOString().startsWith(day)).map(({ units }) => units))).toBeLessThanOrEqual(20_000);
      }
    }
  }
});

describe('equal holders', () => {
  it.each([
    [1, 6], [2, 6], [3, 6], [4, 6], [5, 6], [6, 6], [7, 6], [8, 6], [8, 2], [3, 1],
  ])('%i of %i equal keys have equal rates, and the keys are spent evenly', async (holders, keys) => {
    const clock = new StandingClock(NOON);
    const owner = new Owner(openMemoryEventStore(), clock, keys, { ...TARIFF, limits: TARIFF.limits.map((limit) => (limit.kind === 'calendar' ? { ...limit, units: 1_000_000 } : limit)) });
    await owner.desk.open('inside.', 'nobody');
    const all = Array.from({ length: holders }, (_, at) => new Holder(`inside.${at}`, clock));
    const held = new Map<string, number>();
    const used = new Map<string, number>();
    for (let round = 0; round < 60; round += 1) {
      for (const holder of all) {
        // At their full rate: four seconds of what they hold.
        const now = clock.at;
        for (const lease of holder.leases.values()) {
          const rate = holder.rights.findLast((right) => right.key === lease.key && right.until > now)?.rate ?? 0;
          const units = lease.until > now ? Math.min(lease.quota, rate * 4) : 0;
          lease.quota -= units;
          lease.unsettled += units;
          used.set(lease.key, (used.get(lease.key) ?? 0) + units);
          if (round >= 20) held.set(holder.name, (held.get(holder.name) ?? 0) + units);
        }
        for (const [id, { until }] of holder.leases) if (until <= now) holder.leases.delete(id);
        await holder.exchange(owner, { more: 10, giveBack: 0, heard: true });
      }
      clock.at += 4_000;
    }
    // Leases are whole: where they do not come out even, one more or less of all that there are is as even as it gets.
    const parts = keys * Math.max(1, Math.ceil(holders / keys));
    const [least, most] = [Math.floor(parts / holders), Math.ceil(parts / holders)];
    const amounts = all.map(({ name }) => held.get(name) ?? 0);
    expect(Math.min(...amounts) / Math.max(...amounts)).toBeGreaterThan(0.9 * (least / most));
    const units = [...used.values()];
    expect(used.size).toBe(keys);
    expect(Math.min(...units) / Math.max(...units)).toBeGreaterThan(0.9);
  });
});

describe('more holders than a key has room for', () => {
  const CALL = 80;
  const dear: Tariff = { ...TARIFF, ledgers: { units: { default: CALL, methods: {}, batch: 0, push: { each: 0, perByte: 0 } } }, limits: [{ kind: 'rolling', name: 'second', ledger: 'units', windowMs: 1_000, units: 500 }] };

  it.each([[1, 3, 2, 'first'], [1, 3, 2, 'last'], [1, 8, 2, 'first'], [1, 40, 2, 'last'], [3, 14, 6, 'first'], [3, 14, 6, 'last'], [1, 2, 2, 'first']])('of %i keys and %i holders, %i have a share that is of use, ours %s', async (keys, holders, room, order) => {
    const clock = new StandingClock(NOON);
    const owner = new Owner(openMemoryEventStore(), clock, keys, dear);
    await owner.desk.open('inside.', 'inside.now');
    const held = new Map<string, readonly Lease[]>();
    const again = new Map<string, number>();
    const exchange = async (holder: string): Promise<void> => {
      const renew = (held.get(holder) ?? []).map(({ id }) => id);
      const { leases, againInMs } = await owner.desk.exchange({ holder, provider: 'ours', settlements: [], sightings: [], wanted: { renew, more: 1 } });
      held.set(holder, leases);
      again.set(holder, againInMs);
    };
    const workers = Array.from({ length: holders - 1 }, (_, at) => `outside.${at}`);
    // The holder of the desk's own process comes first and has all, or last: it has its part, and the others have theirs.
    const [before, meanwhile] = order === 'first' ? [['inside.now'], ['inside.now', ...workers]] : [workers, [...workers, 'inside.now']];
    const due = new Map<string, number>();
    for (let round = 0; round < 60; round += 1) {
      for (const holder of round < 5 ? before : meanwhile) {
        if ((due.get(holder) ?? 0) > clock.at) continue;
        await exchange(holder);
        due.set(holder, clock.at + ((held.get(holder) ?? []).length > 0 ? 2_000 : (again.get(holder) ?? 0)));
      }
      clock.at += 2_000;
    }
    const having = [...held].filter(([, leases]) => leases.length > 0);
    expect(having).toHaveLength(room);
    for (const [, leases] of having) for (const { rate } of leases) expect(rate['second']).toBeGreaterThanOrEqual(3 * CALL);
    expect(held.get('inside.now')).toHaveLength(1);
    for (const worker of workers) if (held.get(worker)?.length === 0) expect(again.get(worker)).toBeGreaterThan(30_000);
    expect(owner.lines.filter((line) => line.startsWith('more processes'))).toHaveLength(holders > room ? 1 : 0);
  });
});

describe('a holder that needs one key at a time', () => {
  it('takes the one of which least is spent', async () => {
    const clock = new StandingClock(NOON);
    const owner = new Owner(openMemoryEventStore(), clock, 3);
    await owner.desk.open('inside.', 'nobody');
    const holder = new Holder('inside.0', clock);
    for (let round = 0; round < 12; round += 1) {
      await holder.exchange(owner, { more: 1, giveBack: 0, heard: true });
      holder.spend(0.5);
      await holder.exchange(owner, { more: 0, giveBack: 1, heard: true });
      clock.at += 2_000;
    }
    const booked = await Promise.all([0, 1, 2].map(async (at) => (await owner.key(`key-${at}`)).totals.booked));
    expect(new Set(booked).size).toBe(1);
  });
});

describe('the desk', () => {
  let clock: StandingClock;
  let store: FaultyEventStore;
  let owner: Owner;

  beforeEach(async () => {
    clock = new StandingClock(NOON);
    store = new FaultyEventStore(openMemoryEventStore());
    owner = new Owner(store, clock, 2);
    await owner.desk.open('inside.', 'inside.now');
  });

  const exchange = (change: Partial<Parameters<Owner['desk']['exchange']>[0]> = {}): Promise<ExchangeAnswer> =>
    owner.desk.exchange({ holder: 'inside.now', provider: 'ours', settlements: [], sightings: [], wanted: { renew: [], more: 0 }, ...change });
  const see = (seen: KeySighting['seen'], more: Partial<KeySighting> = {}): Promise<ExchangeAnswer> => exchange({ sightings: [{ key: 'key-0', seen, ...more }] });
  const closing = async (): Promise<unknown> => {
    const { closed } = await owner.key('key-0');
    return closed === undefined ? undefined : [closed.state, closed.until === null ? null : new Date(closed.until).toISOString()];
  };

  it('registers its keys, once for the same ones', async () => {
    expect(await owner.key('key-1')).toMatchObject({ alias: 'key-1', provider: 'ours', fingerprints: ['1'], limits: TARIFF.limits });
    const written = store.appends.length;
    await owner.desk.open('inside.', 'inside.now');
    expect(store.appends).toHaveLength(written);
  });

  it('ends what processes before held inside, and what others hold outside lives on', async () => {
    await exchange({ holder: 'inside.before', wanted: { renew: [], more: 1 } });
    await exchange({ holder: 'outside', wanted: { renew: [], more: 1 } });
    const again = new Owner(store, clock, 2);
    await again.desk.open('inside.', 'inside.now');
    const [one, other] = [await again.key('key-0'), await again.key('key-1')];
    expect([...Object.values(one.leases), ...Object.values(other.leases)].map(({ holder }) => holder)).toEqual(['outside']);
    expect((await again.desk.exchange({ holder: 'inside.now', provider: 'ours', settlements: [], sightings: [], wanted: { renew: [], more: 2 } })).leases).toEqual([]);
    clock.at += 1_000 + 40;
    expect((await again.desk.exchange({ holder: 'inside.now', provider: 'ours', settlements: [], sightings: [], wanted: { renew: [], more: 2 } })).leases).toHaveLength(1);
  });

  it('writes what is settled and renewed of a key in one append', async () => {
    const { leases } = await exchange({ wanted: { renew: [], more: 1 } });
    const [{ id, key }] = leases as [ExchangeAnswer['leases'][number]];
    clock.at += 6_000;
    const before = store.appends.length;
    await exchange({ settlements: [{ lease: id, key, sequence: 1, acknowledged: { units: 300 }, unacknowledged: {}, requests: 3, errors: {}, by: [], over: false }], wanted: { renew: [id], more: 0 } });
    expect(store.appends.slice(before).map(({ stream, events }) => [stream, events.map(({ type }) => type)])).toEqual([[`apikey-${key}`, ['BudgetSettled', 'BudgetLeased']]]);
  });

  it('leases nothing that the log does not take, and leaves no failure without somebody who hears of it', async () => {
    const { leases } = await exchange({ wanted: { renew: [], more: 1 } });
    const [{ id, key }] = leases as [ExchangeAnswer['leases'][number]];
    clock.at += 6_000;
    const unheard: unknown[] = [];
    const hear = (error: unknown): void => void unheard.push(error);
    process.on('unhandledRejection', hear);
    try {
      store.fail(...Array.from({ length: 20 }, (): Fault => 'unavailable'));
      const settlement = { lease: id, key, sequence: 1, acknowledged: { units: 300 }, unacknowledged: {}, requests: 3, errors: {}, by: [], over: false };
      await expect(exchange({ settlements: [settlement], wanted: { renew: [id], more: 1 } })).rejects.toThrow();
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      process.off('unhandledRejection', hear);
    }
    expect(unheard).toEqual([]);
    expect((await owner.key(key)).leases[id]).toMatchObject({ sequence: 0, until: NOON + 10_000 });
  });

  it('hands out what stands in the log, also when the next key can not be leased', async () => {
    owner = new Owner(store, clock, 4);
    await owner.desk.open('inside.', 'inside.now');
    const { leases: held } = await exchange({ wanted: { renew: [], more: 1 } });
    const { leases: two } = await exchange({ wanted: { renew: held.map(({ id }) => id), more: 1 } });
    store.fail('none', ...Array.from({ length: 20 }, (): Fault => 'unavailable'));
    const { leases } = await exchange({ wanted: { renew: two.map(({ id }) => id), more: 2 } });
    expect(leases).toHaveLength(3);
    expect(owner.lines).toEqual([expect.stringContaining('a key could not be leased')]);
  });

  it('gives a few at once and more soon, so that each of several that begin together has something', async () => {
    owner = new Owner(store, clock, 4);
    await owner.desk.open('inside.', 'inside.now');
    const first = await exchange({ wanted: { renew: [], more: 4 } });
    const other = await exchange({ holder: 'outside', wanted: { renew: [], more: 4 } });
    expect([first.leases.length, other.leases.length]).toEqual([1, 1]);
    expect(first.againInMs).toBeLessThan(1_000);
    const next = await exchange({ wanted: { renew: first.leases.map(({ id }) => id), more: 3 } });
    expect(next.leases).toHaveLength(2);
    expect(next.againInMs).toBe(1_000);
  });

  it.each<[string, KeySighting['seen'], Partial<KeySighting>, string]>([
    ['throttled: the refill of its window', 'throttled', {}, '2026-11-26T12:00:01.040Z'],
    ['throttled: what it asks for, where that is more', 'throttled', { waitMs: 30_000 }, '2026-11-26T12:00:30.000Z'],
    ['exhausted: the next day', 'exhausted', { message: 'daily request count exceeded' }, '2026-11-27T00:00:05.000Z'],
    ['exhausted: the next month', 'exhausted', { message: 'Monthly capacity limit exceeded' }, '2026-12-01T00:00:05.000Z'],
    ['exhausted: the next day by its clock, which is behind', 'exhausted', { message: 'daily', skewMs: -90_000 }, '2026-11-27T00:01:35.000Z'],
  ])('closes a key that is %s', async (_, seen, more, until) => {
    const { closed } = await see(seen, more);
    expect(await closing()).toEqual([seen, until]);
    expect(closed).toEqual([{ key: 'key-0', state: seen, until: Date.parse(until) }]);
    expect((await exchange({ wanted: { renew: [], more: 2 } })).leases.map(({ key }) => key)).toEqual(['key-1']);
  });

  it('leaves a key alone for longer each time that it is throttled in a row, and a good answer ends the row', async () => {
    const pauses: number[] = [];
    const throttled = async (): Promise<void> => {
      await see('throttled');
      const until = (await owner.key('key-0')).closed?.until ?? 0;
      pauses.push(until - clock.at);
      clock.at = until;
    };
    for (let time = 0; time < 8; time += 1) await throttled();
    expect(pauses).toEqual([1_040, 2_080, 4_160, 8_320, 16_640, 33_280, 60_000, 60_000]);
    await see('well');
    await throttled();
    expect(pauses.at(-1)).toBe(1_040);
  });

  it('tells of a closing once, and of the way back', async () => {
    await see('throttled', { waitMs: 5_000 });
    await see('throttled', { waitMs: 5_000 });
    clock.at += 5_000;
    expect(await closing()).toEqual(['throttled', '2026-11-26T12:00:05.000Z']);
    await exchange({ wanted: { renew: [], more: 2 } });
    expect(await closing()).toBeUndefined();
    expect(owner.lines.map((line) => line.slice(0, line.indexOf(' {')))).toEqual(['key throttled', 'key restored']);
  });

  it('revokes a key that is refused twice, a moment apart, with an alarm', async () => {
    expect((await see('revoked', { message: 'Must be authenticated!' })).closed).toEqual([{ key: 'key-0', state: 'throttled', until: NOON + 1_000 }]);
    await see('revoked');
    expect(await closing()).toBeUndefined();
    clock.at += 1_000;
    expect((await see('revoked', { message: 'Must be authenticated!' })).closed).toEqual([{ key: 'key-0', state: 'revoked', until: null }]);
    expect(owner.lines).toEqual([expect.stringMatching(/^key revoked .*Must be authenticated!.*hint/)]);
    clock.at += 86_400_000;
    await see('well');
    expect(await closing()).toEqual(['revoked', null]);
  });

  it('tries a revoked key again when it is told to, and tells of it', async () => {
    await see('revoked');
    clock.at += 1_000;
    await see('revoked');
    expect((await exchange({ wanted: { renew: [], more: 2 } })).leases.map(({ key }) => key)).toEqual(['key-1']);
    await owner.desk.reopen('key-0');
    await owner.desk.reopen('key-9');
    expect((await exchange({ wanted: { renew: [], more: 2 } })).leases.map(({ key }) => key)).toEqual(['key-0']);
    expect(owner.lines.at(-1)).toMatch(/^key restored .*"from":"revoked"/);
    await see('revoked');
    expect(await closing()).toEqual(['revoked', null]);
  });

  it('takes one odd refusal for none when the key answers well in between', async () => {
    await see('revoked');
    clock.at += 1_000;
    await see('well');
    await see('revoked');
    expect(await closing()).toBeUndefined();
    expect(owner.lines).toEqual([]);
  });

  it('hears nothing about keys of others', async () => {
    await exchange({ sightings: [{ key: 'key-9', seen: 'exhausted' }], settlements: [{ lease: 'key-9.1', key: 'key-9', sequence: 1, acknowledged: {}, unacknowledged: {}, requests: 0, errors: {}, by: [], over: true }], wanted: { renew: ['key-9.1'], more: 0 } });
    expect(await owner.actors.peek('key-9')).toMatchObject({ revision: -1 });
  });
});
