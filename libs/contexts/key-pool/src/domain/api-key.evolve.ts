import { unreachable } from '#platform/kernel';
import type { ApiKeyEvent } from './api-key.events.ts';
import type { ApiKey, LiveLease, RegisteredApiKey, Units } from './api-key-state.ts';
import { calendarLimits, rollingLimits } from './api-key-state.ts';

type Data<Type extends ApiKeyEvent['type']> = Extract<ApiKeyEvent, { type: Type }>['data'];

/** A holder that comes back this late with a settlement is heard; later it is forgotten, and what it booked stays booked. */
const SETTLED_WITHIN_MS = 600_000;
/** Periods that are kept of each calendar limit: the present one, the next one around a reset, one to look back. */
const PERIODS_KEPT = 3;

export function evolve(key: ApiKey, event: ApiKeyEvent): ApiKey {
  if (event.type === 'KeyRegistered') return registered(key, event.data);
  if (key.status === 'absent') return key;
  switch (event.type) {
    case 'BudgetLeased':
      return leased(withoutFaded(key, event.data.at), event.data);
    case 'BudgetSettled':
      return settled(withoutFaded(key, event.data.at), event.data);
    case 'LeaseLost':
      return ended(key, event.data.lease, event.data.at);
    case 'KeyThrottled':
      return { ...key, closed: { state: 'throttled', ...event.data } };
    case 'KeyExhausted':
      return { ...key, closed: { state: 'exhausted', ...event.data } };
    case 'KeyRevoked':
      return { ...key, closed: { state: 'revoked', until: null, ...event.data } };
    case 'KeyRestored':
      return { ...key, closed: undefined };
    default:
      return unreachable(event);
  }
}

/** Other credentials are another key to its provider: what was said of the old ones is over. */
function registered(key: ApiKey, data: Data<'KeyRegistered'>): RegisteredApiKey {
  if (key.status === 'absent') return { status: 'registered', ...data, leases: {}, fading: [], booked: {}, closed: undefined, totals: { acknowledged: 0, unacknowledged: 0, booked: 0 } };
  const anew = JSON.stringify(key.fingerprints) !== JSON.stringify(data.fingerprints);
  return { ...key, ...data, closed: anew ? undefined : key.closed };
}

function leased(key: RegisteredApiKey, { lease: id, holder, until, rate, quota, periods, headOnly }: Data<'BudgetLeased'>): RegisteredApiKey {
  const had = key.leases[id];
  const shrunk = had === undefined ? {} : difference(had.rate, rate);
  const fading = Object.values(shrunk).some((units) => units > 0) ? [...key.fading, { rate: shrunk, until: (had as LiveLease).until }] : key.fading;
  let booked = key.booked;
  const allPeriods: Record<string, readonly string[]> = {};
  for (const { name } of calendarLimits(key)) {
    const more = quota[name] ?? 0;
    const before = had?.periods[name] ?? [];
    const now = periods[name] ?? [];
    for (const period of now) booked = book(booked, name, period, before.includes(period) ? more : more + (had?.open[name] ?? 0));
    // In a period that it leaves behind, it may have spent all of what was open.
    allPeriods[name] = now;
  }
  const open = sums(had?.open ?? {}, quota);
  const lease: LiveLease = { holder, until, rate, open, periods: allPeriods, sequence: had?.sequence ?? 0, isShort: had?.isShort ?? false, headOnly };
  const totals = { ...key.totals, booked: key.totals.booked + unitsOf(key, open) - unitsOf(key, had?.open ?? {}) };
  return { ...key, leases: { ...key.leases, [id]: lease }, fading, booked, totals };
}

function settled(key: RegisteredApiKey, { lease: id, sequence, at, acknowledged, unacknowledged, over }: Data<'BudgetSettled'>): RegisteredApiKey {
  const had = key.leases[id];
  if (had === undefined) return key;
  // Another owner may not have known the lease when it was told of one: to it, that was nothing to write.
  const isShort = had.isShort || sequence > had.sequence + 1;
  const isFreed = over && !isShort;
  const open: Record<string, number> = {};
  let booked = key.booked;
  for (const { name, ledger } of calendarLimits(key)) {
    const left = (had.open[name] ?? 0) - (acknowledged[ledger] ?? 0) - (unacknowledged[ledger] ?? 0);
    open[name] = Math.max(0, left);
    // Notifications come without being asked for, and may cost more than was leased: then more is booked. What is over is free again.
    const more = Math.max(0, -left) - (isFreed ? open[name] : 0);
    for (const period of had.periods[name] ?? []) booked = book(booked, name, period, more);
  }
  const spent = { acknowledged: acknowledged['units'] ?? 0, unacknowledged: unacknowledged['units'] ?? 0 };
  const totals = {
    acknowledged: key.totals.acknowledged + spent.acknowledged,
    unacknowledged: key.totals.unacknowledged + spent.unacknowledged,
    booked: key.totals.booked + spent.acknowledged + spent.unacknowledged + (isFreed ? 0 : unitsOf(key, open)) - unitsOf(key, had.open),
  };
  const after: RegisteredApiKey = { ...key, totals, booked, leases: { ...key.leases, [id]: { ...had, open, sequence, isShort } } };
  return over ? ended(after, id, at) : after;
}

/** Nothing is spent on it from `at` on; what was spent last fades from the provider's windows. */
function ended(key: RegisteredApiKey, id: string, at: number): RegisteredApiKey {
  const { [id]: lease, ...leases } = key.leases;
  if (lease === undefined) return key;
  return { ...key, leases, fading: [...key.fading, { rate: lease.rate, until: Math.min(lease.until, at) }] };
}

function withoutFaded(key: RegisteredApiKey, at: number): RegisteredApiKey {
  const tailMs = Math.max(0, ...rollingLimits(key).map(({ windowMs }) => windowMs)) + key.slackMs;
  const leases = Object.entries(key.leases);
  const kept = leases.filter(([, { until }]) => until + Math.max(tailMs, SETTLED_WITHIN_MS) > at);
  return { ...key, leases: kept.length === leases.length ? key.leases : Object.fromEntries(kept), fading: key.fading.filter(({ until }) => until + tailMs > at) };
}

function book(booked: RegisteredApiKey['booked'], limit: string, period: string, units: number): RegisteredApiKey['booked'] {
  const periods = { ...booked[limit], [period]: Math.max(0, (booked[limit]?.[period] ?? 0) + units) };
  const kept = Object.keys(periods).sort().slice(-PERIODS_KEPT);
  return { ...booked, [limit]: Object.fromEntries(kept.map((name) => [name, periods[name] as number])) };
}

/** Of what is open by limit: what it is in the ledger `units`, at the most. */
function unitsOf(key: RegisteredApiKey, quota: Units): number {
  const amounts = calendarLimits(key).flatMap(({ name, ledger }) => (ledger === 'units' ? [quota[name] ?? 0] : []));
  return amounts.length === 0 ? 0 : Math.max(...amounts);
}

function sums(one: Units, other: Units): Units {
  return Object.fromEntries([...new Set([...Object.keys(one), ...Object.keys(other)])].map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)]));
}

function difference(one: Units, other: Units): Units {
  return Object.fromEntries(Object.keys(one).map((name) => [name, Math.max(0, (one[name] ?? 0) - (other[name] ?? 0))]));
}
