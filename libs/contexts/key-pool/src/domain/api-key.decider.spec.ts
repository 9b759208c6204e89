import fc from 'fast-check';
import { given } from '#platform/testing';
import type { Limit } from './tariff.ts';
import type { ApiKeyCommand } from './api-key.commands.ts';
import { apiKeyDecider } from './api-key.decider.ts';
import type { ApiKeyEvent } from './api-key.events.ts';
import type { ApiKey, RegisteredApiKey } from './api-key-state.ts';

const SLACK_MS = 40;
const LIMITS: readonly Limit[] = [
  { kind: 'rolling', name: 'second', ledger: 'units', windowMs: 1_000, units: 500 },
  { kind: 'rolling', name: 'burst', ledger: 'units', windowMs: 10_000, units: 4_000 },
  { kind: 'calendar', name: 'day', ledger: 'units', period: 'day', units: 30_000 },
  { kind: 'calendar', name: 'month', ledger: 'units', period: 'month', units: 200_000 },
];
const NOON = Date.parse('2026-11-26T12:00:00.000Z');
const REGISTER: ApiKeyCommand = { type: 'RegisterKey', alias: 'a', provider: 'p', fingerprints: ['1'], limits: LIMITS, slackMs: SLACK_MS };
const registered: ApiKeyEvent = { type: 'KeyRegistered', data: { alias: 'a', provider: 'p', fingerprints: ['1'], limits: LIMITS, slackMs: SLACK_MS } };
const ask = (lease: string, parts = 1): ApiKeyCommand => ({ type: 'LeaseBudget', lease, holder: 'h', forMs: 10_000, parts, least: { second: 80 } });
const leased = (lease: string, change: Partial<Extract<ApiKeyEvent, { type: 'BudgetLeased' }>['data']> = {}): ApiKeyEvent => ({
  type: 'BudgetLeased',
  data: { lease, holder: 'h', at: NOON, until: NOON + 10_000, rate: { second: 500, burst: 4_000 }, quota: { day: 8_000, month: 8_000 }, periods: { day: ['2026-11-26'], month: ['2026-11'] }, headOnly: false, ...change },
});
const settled = (lease: string, sequence: number, units: number, over: boolean): ApiKeyEvent => ({
  type: 'BudgetSettled',
  data: { lease, sequence, at: NOON, acknowledged: { units }, unacknowledged: {}, requests: 1, errors: {}, by: [], over },
});
const settle = (lease: string, sequence: number, units: number, over: boolean): ApiKeyCommand => ({
  type: 'SettleBudget',
  settlement: { lease, sequence, acknowledged: { units }, unacknowledged: {}, requests: 1, errors: {}, by: [], over },
});
const at = (now: number, events: readonly ApiKeyEvent[]) => given(apiKeyDecider, events, { now });

describe('a key', () => {
  it('is registered once, and again when its credentials or limits change', () => {
    at(NOON, []).when(REGISTER).then([registered]);
    at(NOON, [registered]).when(REGISTER).then([]);
    at(NOON, [registered, { type: 'KeyRevoked', data: { at: NOON, message: 'no' } }]).when(ask('l')).then([]);
    const other: ApiKeyEvent = { type: 'KeyRegistered', data: { ...(registered.data), fingerprints: ['2'] } };
    at(NOON, [registered, { type: 'KeyRevoked', data: { at: NOON, message: 'no' } }, other]).when(ask('l')).then([leased('l')]);
  });

  it('that is revoked is tried again when somebody says so, and one that is only closed for a while is not', () => {
    const revoked: ApiKeyEvent = { type: 'KeyRevoked', data: { at: NOON, message: 'no' } };
    const restored: ApiKeyEvent = { type: 'KeyRestored', data: { from: 'revoked', at: NOON } };
    at(NOON, [registered, revoked]).when({ type: 'ReopenKey' }).then([restored]);
    at(NOON, [registered, revoked, restored]).when(ask('l')).then([leased('l')]);
    at(NOON, [registered, { type: 'KeyExhausted', data: { at: NOON, until: NOON + 1_000, message: 'no' } }]).when({ type: 'ReopenKey' }).then([]);
    at(NOON, [registered]).when({ type: 'ReopenKey' }).then([]);
  });

  it('leases nothing before it is registered', () => {
    at(NOON, []).when(ask('l')).thenThrows('key-unregistered');
  });

  it('is leased to one, and to nobody else until the windows of its provider have forgotten that one', () => {
    at(NOON, [registered]).when(ask('one')).then([leased('one')]);
    at(NOON + 10_000 + 10_000 + SLACK_MS - 1, [registered, leased('one')]).when(ask('two')).then([]);
    const later = NOON + 10_000 + 10_000 + SLACK_MS;
    at(later, [registered, leased('one')]).when(ask('two')).then([leased('two', { at: later, until: later + 10_000 })]);
  });

  it('is cut into parts for several', () => {
    const half = leased('one', { rate: { second: 250, burst: 2_000 }, quota: { day: 4_000, month: 4_000 } });
    at(NOON, [registered]).when(ask('one', 2)).then([half]);
    at(NOON, [registered, half]).when(ask('two', 2)).then([leased('two', { rate: { second: 250, burst: 2_000 }, quota: { day: 4_000, month: 4_000 } })]);
  });

  it('is not leased in parts that hold no call', () => {
    at(NOON, [registered]).when(ask('one', 7)).then([]);
  });

  it('is renewed with what was spent on top, unless there is time and quota enough', () => {
    at(NOON + 1_000, [registered, leased('one')]).when(ask('one')).then([]);
    const when = NOON + 6_000;
    at(when, [registered, leased('one'), settled('one', 1, 3_000, false)]).when(ask('one')).then([leased('one', { at: when, until: when + 10_000, quota: { day: 3_000, month: 3_000 } })]);
  });

  it('renews a lease for its holder only', () => {
    const when = NOON + 6_000;
    const stranger: ApiKeyCommand = { type: 'LeaseBudget', lease: 'one', holder: 'another', forMs: 10_000, parts: 1, least: {} };
    at(when, [registered, leased('one'), settled('one', 1, 3_000, false)]).when(stranger).then([]);
  });

  it('counts a settlement once', () => {
    at(NOON, [registered, leased('one')]).when(settle('one', 1, 80, false)).then([settled('one', 1, 80, false)]);
    at(NOON, [registered, leased('one'), settled('one', 1, 80, false)]).when(settle('one', 1, 80, false)).then([]);
    at(NOON, [registered, leased('one'), settled('one', 1, 80, true)]).when(settle('one', 2, 80, true)).then([]);
  });

  it('books what is leased around midnight in both days', () => {
    const when = Date.parse('2026-11-26T23:59:50.000Z');
    at(when, [registered]).when(ask('one')).then([leased('one', { at: when, until: when + 10_000, periods: { day: ['2026-11-26', '2026-11-27'], month: ['2026-11'] } })]);
  });

  it('books what is open anew in the day that a renewal reaches into', () => {
    const evening = Date.parse('2026-11-26T23:59:40.000Z');
    const first = leased('one', { at: evening, until: evening + 10_000 });
    const later = evening + 9_000;
    const into = leased('one', { at: later, until: later + 10_000, quota: { day: 0, month: 0 }, periods: { day: ['2026-11-26', '2026-11-27'], month: ['2026-11'] } });
    at(later, [registered, first]).when(ask('one')).then([into]);
    const state = [registered, first, into].reduce<ApiKey>(apiKeyDecider.evolve, apiKeyDecider.initialState());
    expect(state).toMatchObject({ booked: { day: { '2026-11-26': 8_000, '2026-11-27': 8_000 } } });
    const nearlyAll = leased('two', { at: evening, until: evening, quota: { day: 24_000, month: 0 }, periods: { day: ['2026-11-27'], month: ['2026-11'] } });
    at(later, [registered, first, nearlyAll]).when(ask('one')).then([]);
  });

  it('keeps the last tenth of a quota for heads', () => {
    const most = leased('one', { quota: { day: 27_500, month: 27_500 } });
    const later = NOON + 60_000;
    at(later, [registered, most]).when(ask('two')).then([leased('two', { at: later, until: later + 10_000, quota: { day: 2_500, month: 8_000 }, headOnly: true })]);
  });

  it('remembers until when it is closed, and says so when it is back', () => {
    const exhausted: ApiKeyEvent = { type: 'KeyExhausted', data: { at: NOON, until: NOON + 5_000, message: 'daily' } };
    at(NOON, [registered]).when({ type: 'CloseKey', state: 'exhausted', until: NOON + 5_000, message: 'daily' }).then([exhausted]);
    at(NOON, [registered, exhausted]).when({ type: 'CloseKey', state: 'throttled', until: NOON + 1_000, message: 'rate' }).then([]);
    at(NOON + 4_999, [registered, exhausted]).when(ask('one')).then([]);
    at(NOON + 5_000, [registered, exhausted])
      .when(ask('one'))
      .then([
        { type: 'KeyRestored', data: { from: 'exhausted', at: NOON + 5_000 } },
        leased('one', { at: NOON + 5_000, until: NOON + 15_000 }),
      ]);
  });

  it('loses the leases of a process that is gone, and what they booked stays booked', () => {
    at(NOON + 1_000, [registered, leased('one')]).when({ type: 'LoseLeases', holders: 'h', but: 'x' }).then([{ type: 'LeaseLost', data: { lease: 'one', at: NOON + 1_000 } }]);
    at(NOON + 1_000, [registered, leased('one')]).when({ type: 'LoseLeases', holders: 'h', but: 'h' }).then([]);
    const state = [registered, leased('one'), { type: 'LeaseLost', data: { lease: 'one', at: NOON + 1_000 } } as const].reduce<ApiKey>(apiKeyDecider.evolve, apiKeyDecider.initialState());
    expect(state).toMatchObject({ leases: {}, booked: { day: { '2026-11-26': 8_000 } }, totals: { booked: 8_000 } });
  });
});

/** Somebody who spends as much as its leases allow, and what the provider would count of it. */
class Spender {
  readonly counts: { readonly at: number; readonly units: number }[] = [];
  readonly #leases = new Map<string, { until: number; quota: number; sequence: number; unsettled: number }>();
  #rights: { readonly lease: string; readonly rate: Readonly<Record<string, number>>; until: number }[] = [];

  leased({ lease, until, quota, rate }: Extract<ApiKeyEvent, { type: 'BudgetLeased' }>['data']): void {
    this.#rights.push({ lease, rate, until });
    const had = this.#leases.get(lease);
    const more = Math.min(...Object.values(quota));
    this.#leases.set(lease, { until, quota: (had?.quota ?? 0) + more, sequence: had?.sequence ?? 0, unsettled: had?.unsettled ?? 0 });
  }

  spend(lease: string, share: number, now: number): void {
    const one = this.#leases.get(lease);
    if (one === undefined || now >= one.until) return;
    const units = Math.floor(one.quota * share);
    one.quota -= units;
    one.unsettled += units;
    if (units > 0) this.counts.push({ at: now, units });
  }

  /** What it may have sent in the last window, at the most: of each lease the largest rate that it had then. */
  mostIn(windowMs: number, limit: string, now: number): number {
    const most = new Map<string, number>();
    for (const { lease, rate, until } of this.#rights) if (until > now - windowMs - SLACK_MS) most.set(lease, Math.max(most.get(lease) ?? 0, rate[limit] ?? 0));
    return [...most.values()].reduce((sum, units) => sum + units, 0);
  }

  ended(lease: string | undefined, now: number): void {
    for (const right of this.#rights) if (lease === undefined || right.lease === lease) right.until = Math.min(right.until, now);
  }

  settlement(lease: string, over: boolean): ApiKeyCommand | undefined {
    const one = this.#leases.get(lease);
    if (one === undefined) return undefined;
    one.sequence += 1;
    const units = one.unsettled;
    one.unsettled = 0;
    if (over) this.#leases.delete(lease);
    return settle(lease, one.sequence, units, over);
  }

  forget(): void {
    this.#leases.clear();
  }

  get ids(): readonly string[] {
    return [...this.#leases.keys()];
  }
}

const which = fc.nat(9);
const parts = fc.integer({ min: 1, max: 3 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('lease' as const), parts }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('renew' as const), which, parts }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('spend' as const), which, share: fc.constantFrom(1, 1, 0.3) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('settle' as const), which, over: fc.constantFrom(true, true, false) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.oneof(fc.integer({ min: 1, max: 4_000 }), fc.constant(11_000)) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), forMs: fc.integer({ min: 1, max: 1_000 }) }) },
);
/** Rates bind the one, quotas the other: a single lease may take nearly all of a day, on both sides of a reset. */
const TIGHT_RATES = LIMITS;
const TIGHT_QUOTAS: readonly Limit[] = [
  { kind: 'rolling', name: 'tick', ledger: 'units', windowMs: 100, units: 30 },
  { kind: 'calendar', name: 'day', ledger: 'units', period: 'day', units: 5_000 },
  { kind: 'calendar', name: 'month', ledger: 'units', period: 'month', units: 8_000 },
];

describe('whatever holders do', () => {
  it.each([
    ['rates', TIGHT_RATES],
    ['quotas', TIGHT_QUOTAS],
  ])('rates held never exceed a limit, quotas never what a period allows, and accounts keep their order: tight %s', (_, limits) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), fc.integer({ min: -10_000, max: 20_000 }), (steps, offset) => {
        let now = Date.parse('2026-11-30T23:59:40.000Z') + offset;
        let state = apiKeyDecider.initialState();
        const spender = new Spender();
        const tell = (command: ApiKeyCommand): void => {
          const events = apiKeyDecider.decide(command, state, { now });
          // As after a snapshot: through JSON.
          for (const event of events) state = JSON.parse(JSON.stringify(apiKeyDecider.evolve(state, event))) as ApiKey;
          for (const event of events) if (event.type === 'BudgetLeased') spender.leased(event.data);
        };
        tell({ ...REGISTER, limits });
        for (const [place, one] of steps.entries()) {
          const id = 'which' in one ? spender.ids[one.which % Math.max(1, spender.ids.length)] : undefined;
          if (one.kind === 'lease') tell(ask(`lease-${place}`, one.parts));
          if (one.kind === 'renew' && id !== undefined) tell(ask(id, one.parts));
          if (one.kind === 'spend' && id !== undefined) spender.spend(id, one.share, now);
          if (one.kind === 'settle' && id !== undefined) {
            if (one.over) spender.ended(id, now);
            tell(spender.settlement(id, one.over) as ApiKeyCommand);
          }
          if (one.kind === 'wait') now += one.ms;
          if (one.kind === 'close') tell({ type: 'CloseKey', state: 'throttled', until: now + one.forMs, message: '' });
          if (one.kind === 'lose') {
            tell({ type: 'LoseLeases', holders: 'h', but: '' });
            spender.ended(undefined, now);
            spender.forget();
          }
          expectWithinLimits(spender, limits, now);
        }
        for (const id of spender.ids) tell(spender.settlement(id, true) as ApiKeyCommand);
        const { totals } = state as RegisteredApiKey;
        const counted = spender.counts.reduce((sum, { units }) => sum + units, 0);
        expect(totals.acknowledged).toBeLessThanOrEqual(counted);
        expect(counted).toBeLessThanOrEqual(totals.booked);
      }),
      { numRuns: 250 },
    );
  });

  function expectWithinLimits(spender: Spender, limits: readonly Limit[], now: number): void {
    const { counts } = spender;
    for (const limit of limits) {
      if (limit.kind === 'rolling') {
        expect(spender.mostIn(limit.windowMs, limit.name, now)).toBeLessThanOrEqual(limit.units);
        continue;
      }
      // By a provider's clock that is 4 s ahead, or behind.
      for (const skew of [-4_000, 0, 4_000]) {
        const periods = new Map<string, number>();
        for (const { at, units } of counts) {
          const period = new Date(at + skew).toISOString().slice(0, limit.period === 'day' ? 10 : 7);
          periods.set(period, (periods.get(period) ?? 0) + units);
        }
        for (const used of periods.values()) expect(used).toBeLessThanOrEqual(limit.units);
      }
    }
  }
});
