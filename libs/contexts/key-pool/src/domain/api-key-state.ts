import type { Limit } from './tariff.ts';
import type { ClosedState } from './api-key.events.ts';

export type ApiKey = { readonly status: 'absent' } | RegisteredApiKey;

export interface RegisteredApiKey {
  readonly status: 'registered';
  readonly alias: string;
  readonly provider: string;
  readonly fingerprints: readonly string[];
  readonly limits: readonly Limit[];
  readonly slackMs: number;
  readonly leases: Readonly<Record<string, LiveLease>>;
  /** Rates that nobody may spend any more but that the provider's windows may still hold. */
  readonly fading: readonly { readonly rate: Units; readonly until: number }[];
  /** By name of a calendar limit and period (`2026-11-26`, `2026-11`): what was handed out and did not come back. */
  readonly booked: Readonly<Record<string, Units>>;
  readonly closed: { readonly state: ClosedState; readonly until: number | null; readonly message: string; readonly at: number } | undefined;
  /** Of all times; units of the ledger `units`. */
  readonly totals: { readonly acknowledged: number; readonly unacknowledged: number; readonly booked: number };
}

export interface LiveLease {
  readonly holder: string;
  /** The holder spends nothing on it later. */
  readonly until: number;
  readonly rate: Units;
  /** By name of a calendar limit: handed out and not settled. */
  readonly open: Units;
  /** By name of a calendar limit: where that is booked. */
  readonly periods: Readonly<Record<string, readonly string[]>>;
  readonly sequence: number;
  /** A settlement did not arrive: nobody can say what was spent, so what is open never comes back. */
  readonly isShort: boolean;
  readonly headOnly: boolean;
}

export type Units = Readonly<Record<string, number>>;
export type RollingLimit = Extract<Limit, { kind: 'rolling' }>;
export type CalendarLimit = Extract<Limit, { kind: 'calendar' }>;

export function rollingLimits({ limits }: { readonly limits: readonly Limit[] }): readonly RollingLimit[] {
  return limits.filter((limit) => limit.kind === 'rolling');
}

export function calendarLimits({ limits }: { readonly limits: readonly Limit[] }): readonly CalendarLimit[] {
  return limits.filter((limit) => limit.kind === 'calendar');
}

/** What the provider's window of this limit may hold at `now` at the most: of leases that live, and of what fades. */
export function rateHeld(key: RegisteredApiKey, { name, windowMs }: RollingLimit, now: number): number {
  const tailMs = windowMs + key.slackMs;
  const holdings = [...Object.values(key.leases), ...key.fading];
  return holdings.reduce((sum, { rate, until }) => (until + tailMs > now ? sum + (rate[name] ?? 0) : sum), 0);
}

/** What is still to be handed out in all of these periods. */
export function quotaLeft(key: RegisteredApiKey, { name, units }: CalendarLimit, periods: readonly string[]): number {
  return Math.min(...periods.map((period) => units - (key.booked[name]?.[period] ?? 0)));
}

/** Our clock and the provider's may differ by so much around a reset; what is spent then counts in both periods. */
export const RESET_GUARD_MS = 5_000;

/** The periods that a stretch of time may fall into by the provider's clock. */
export function periodsOf({ period }: CalendarLimit, from: number, until: number): readonly string[] {
  const first = periodAt(period, from - RESET_GUARD_MS);
  const last = periodAt(period, until + RESET_GUARD_MS);
  return first === last ? [first] : [first, last];
}

/** When the period that `now` lies in has surely ended by the provider's clock. */
export function resetAfter(period: 'day' | 'month', now: number): number {
  const date = new Date(now);
  const next = period === 'day' ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1) : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  return next + RESET_GUARD_MS;
}

export function periodAt(period: 'day' | 'month', at: number): string {
  return new Date(at).toISOString().slice(0, period === 'day' ? 10 : 7);
}
