import fc from 'fast-check';
import type { ApiKeyCommand } from './api-key.commands.ts';
import { apiKeyDecider } from './api-key.decider.ts';
import type { ApiKeyEvent } from './api-key.events.ts';
import type { ApiKey, RegisteredApiKey } from './api-key-state.ts';
import { calendarLimits, quotaLeft, rateHeld, rollingLimits } from './api-key-state.ts';
import type { Limit } from './tariff.ts';

/** A day and a month that bind in turn, and a rate that leases more than a day has in a few minutes. */
const LIMITS: readonly Limit[] = [
  { kind: 'rolling', name: 'second', ledger: 'units', windowMs: 1_000, units: 60 },
  { kind: 'rolling', name: 'burst', ledger: 'units', windowMs: 10_000, units: 400 },
  { kind: 'calendar', name: 'day', ledger: 'units', period: 'day', units: 3_000 },
  { kind: 'calendar', name: 'month', ledger: 'units', period: 'month', units: 4_500 },
];
const UNMETERED: readonly Limit[] = LIMITS.slice(0, 1);
const BEFORE_A_RESET = Date.parse('2026-11-30T23:59:20.000Z');
const REGISTER = { type: 'RegisterKey', alias: 'a', provider: 'p', fingerprints: ['1'], slackMs: 40 } as const;

const which = fc.nat(7);
const command = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('lease' as const), parts: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('renew' as const), which, parts: fc.integer({ min: 1, max: 4 }) }) },
  // Above one: pushes of a subscription come without being asked for.
  { weight: 7, arbitrary: fc.record({ kind: fc.constant('settle' as const), which, share: fc.constantFrom<number>(0, 0.2, 0.7, 1, 1, 1.2), lost: fc.boolean(), over: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), state: fc.constantFrom('throttled' as const, 'exhausted' as const), forMs: fc.integer({ min: 1, max: 3_000 }) }) },
);
const history = fc.array(fc.record({ waitMs: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.constant(9_000), fc.constant(22_000)), command }), { maxLength: 90, size: 'max' });

/** One key, told at its own times, each command twice. */
class History {
  now = BEFORE_A_RESET;
  state = apiKeyDecider.initialState();
  readonly #given = new Map<string, number>();
  #leases = 0;

  tell(told: ApiKeyCommand): void {
    for (const event of apiKeyDecider.decide(told, this.state, { now: this.now })) {
      this.state = thawed(apiKeyDecider.evolve(this.state, event));
      if (event.type === 'BudgetLeased') this.#mustLeaveATenth(event.data);
    }
    expect(apiKeyDecider.decide(told, this.state, { now: this.now })).toEqual([]);
  }

  lease(parts: number): void {
    this.tell({ type: 'LeaseBudget', lease: `a.${(this.#leases += 1)}`, holder: 'h', forMs: 10_000, parts, least: {} });
  }

  renew(at: number, parts: number): void {
    const id = this.#pick(at);
    if (id !== undefined) this.tell({ type: 'LeaseBudget', lease: id, holder: 'h', forMs: 10_000, parts, least: {} });
  }

  settle(id: string | undefined, { share, lost, over }: { readonly share: number; readonly lost: boolean; readonly over: boolean }): void {
    const lease = id === undefined ? undefined : this.key.leases[id];
    if (id === undefined || lease === undefined) return;
    const units = Math.floor(Math.min(...Object.values(lease.open), 1_000_000) * share);
    const sequence = (this.#given.get(id) ?? 0) + 1;
    this.#given.set(id, sequence);
    const [acknowledged, unacknowledged] = lost ? [{}, { units }] : [{ units }, {}];
    this.tell({ type: 'SettleBudget', settlement: { lease: id, sequence, acknowledged, unacknowledged, requests: 1, errors: {}, by: [], over } });
  }

  settleOneOf(at: number, how: { readonly share: number; readonly lost: boolean; readonly over: boolean }): void {
    this.settle(this.#pick(at), how);
  }

  settleAll(): void {
    for (const id of Object.keys(this.key.leases)) this.settle(id, { share: 0.5, lost: false, over: true });
  }

  get key(): RegisteredApiKey {
    return this.state as RegisteredApiKey;
  }

  /** Only heads take from the last tenth of a quota. */
  #mustLeaveATenth({ quota, periods, headOnly }: Extract<ApiKeyEvent, { type: 'BudgetLeased' }>['data']): void {
    for (const limit of calendarLimits(this.key)) {
      if (headOnly || (quota[limit.name] ?? 0) === 0) continue;
      expect(quotaLeft(this.key, limit, periods[limit.name] ?? [])).toBeGreaterThanOrEqual(limit.units / 10);
    }
  }

  #pick(at: number): string | undefined {
    const ids = Object.keys(this.key.leases);
    return ids[at % Math.max(1, ids.length)];
  }
}

type Step = { readonly waitMs: number; readonly command: typeof command extends fc.Arbitrary<infer Told> ? Told : never };

function lived(limits: readonly Limit[], steps: readonly Step[], each: (history: History) => void): History {
  const one = new History();
  one.tell({ ...REGISTER, limits });
  for (const { waitMs, command: told } of steps) {
    one.now += waitMs;
    if (told.kind === 'lease') one.lease(told.parts);
    if (told.kind === 'renew') one.renew(told.which, told.parts);
    if (told.kind === 'settle') one.settleOneOf(told.which, told);
    if (told.kind === 'lose') one.tell({ type: 'LoseLeases', holders: 'h', but: '' });
    if (told.kind === 'close') one.tell({ type: 'CloseKey', state: told.state, until: one.now + told.forMs, message: 'said so' });
    each(one);
  }
  return one;
}

/** As after a snapshot. */
function thawed(state: ApiKey): ApiKey {
  const text = JSON.stringify(state);
  const again = JSON.parse(text) as ApiKey;
  expect(JSON.stringify(again)).toBe(text);
  return again;
}

const within = (steps: readonly Step[]): readonly Step[] => steps.map((step) => ({ ...step, command: step.command.kind === 'settle' ? { ...step.command, share: Math.min(1, step.command.share) } : step.command }));
const answered = (steps: readonly Step[]): readonly Step[] =>
  steps.filter(({ command: { kind } }) => kind !== 'lose').map((step) => ({ ...step, command: step.command.kind === 'settle' ? { ...step.command, lost: false } : step.command }));

describe('through any history of a key', () => {
  it('rates held never exceed a limit, and bookings never what a period allows', () => {
    fc.assert(
      fc.property(history, (steps) => {
        lived(LIMITS, within(steps), ({ key, now }) => {
          for (const limit of rollingLimits(key)) expect(rateHeld(key, limit, now)).toBeLessThanOrEqual(limit.units);
          for (const { name, units } of calendarLimits(key)) for (const booked of Object.values(key.booked[name] ?? {})) expect(booked).toBeLessThanOrEqual(units);
        });
      }),
      { numRuns: 150 },
    );
  });

  it.each([['metered', LIMITS], ['without a quota', UNMETERED]])('what is booked covers what was spent, also beyond what was leased: %s', (_, limits) => {
    fc.assert(
      fc.property(history, (steps) => {
        lived(limits, steps, ({ key: { totals, leases } }) => {
          const outstanding = Object.values(leases).reduce((sum, { open }) => sum + Math.max(0, ...Object.values(open)), 0);
          expect(totals.acknowledged + totals.unacknowledged + outstanding).toBeLessThanOrEqual(totals.booked);
        });
      }),
      { numRuns: 150 },
    );
  });

  it('all is equal once every lease was given back and no answer was lost', () => {
    fc.assert(
      fc.property(history, (steps) => {
        // Leases end before they are forgotten.
        const one = lived(LIMITS, answered(steps), (each) => {
          for (const [id, { until }] of Object.entries(each.key.leases)) if (until <= each.now) each.settle(id, { share: 0, lost: false, over: true });
        });
        one.settleAll();
        const { totals, leases } = one.key;
        expect(leases).toEqual({});
        expect(totals).toEqual({ acknowledged: totals.booked, unacknowledged: 0, booked: totals.booked });
      }),
      { numRuns: 150 },
    );
  });
});

describe('a key whose provider takes less than before', () => {
  it('is leased again by the new limit, and no lease is renewed beyond it', () => {
    const one = new History();
    one.tell({ ...REGISTER, limits: LIMITS });
    one.lease(2);
    one.lease(2);
    one.tell({ ...REGISTER, limits: LIMITS.map((limit) => (limit.kind === 'rolling' ? { ...limit, units: limit.units / 4 } : limit)) });
    one.now += 6_000;
    one.renew(0, 2);
    for (const { rate } of Object.values(one.key.leases)) for (const units of Object.values(rate)) expect(units).toBeGreaterThan(0);
    one.now += 15_000;
    one.lease(1);
    expect(one.key.leases['a.3']).toMatchObject({ rate: { second: 15, burst: 100 } });
  });
});

describe('a key whose subscription brought more than was leased', () => {
  it('has that booked too, so that it is not leased once more', () => {
    const one = new History();
    one.tell({ ...REGISTER, limits: LIMITS });
    one.now -= 3_600_000;
    one.lease(1);
    const { open } = one.key.leases['a.1'] ?? {};
    one.settle('a.1', { share: 1.2, lost: false, over: true });
    const spent = Math.floor((open?.['day'] ?? 0) * 1.2);
    expect(spent).toBeGreaterThan(0);
    expect(one.key.booked).toEqual({ day: { '2026-11-30': spent }, month: { '2026-11': spent } });
  });
});

describe('a lease of which a settlement never arrived', () => {
  it('gives nothing back: what was not told of may be spent', () => {
    const one = new History();
    one.tell({ ...REGISTER, limits: LIMITS });
    one.lease(1);
    const { booked } = one.key.totals;
    const settlement = { lease: 'a.1', unacknowledged: {}, requests: 1, errors: {}, by: [] };
    one.tell({ type: 'SettleBudget', settlement: { ...settlement, sequence: 2, acknowledged: { units: 10 }, over: false } });
    one.tell({ type: 'SettleBudget', settlement: { ...settlement, sequence: 3, acknowledged: { units: 10 }, over: true } });
    expect(one.key).toMatchObject({ leases: {}, totals: { acknowledged: 20, booked } });
  });
});
