import type { Decider } from '#platform/kernel';
import { unreachable } from '#platform/kernel';
import type { ApiKeyCommand } from './api-key.commands.ts';
import { KeyUnregistered } from './api-key.errors.ts';
import { evolve } from './api-key.evolve.ts';
import type { ApiKeyEvent } from './api-key.events.ts';
import type { ApiKey, LiveLease, RegisteredApiKey } from './api-key-state.ts';
import { calendarLimits, periodsOf, quotaLeft, rateHeld, rollingLimits } from './api-key-state.ts';

/** Of a rate or a quota: with less left than this share of it a lease is of no use. */
const LEAST_SHARE = 0.5;
/** Below this share of a quota what is left is kept for heads. */
const FOR_HEADS = 0.1;
/** A closing that moves by less is the same one. */
const SAME_CLOSING_MS = 1_000;

/**
 * One key (or account), as its provider meters it. Books before anybody spends: whatever holders do with what they leased,
 * and however many there are, the sums stay below what the provider allows in any window and any period.
 */
export const apiKeyDecider: Decider<ApiKey, ApiKeyCommand, ApiKeyEvent> = {
  initialState: () => ({ status: 'absent' }),
  evolve,
  decide(command, key, { now }) {
    switch (command.type) {
      case 'RegisterKey':
        return register(command, key);
      case 'LeaseBudget':
        return lease(command, registered(key), now);
      case 'SettleBudget':
        return settle(command.settlement, registered(key), now);
      case 'LoseLeases':
        return lose(command, registered(key), now);
      case 'CloseKey':
        return close(command, registered(key), now);
    case 'ReopenKey':
      return registered(key).closed?.state === 'revoked' ? [{ type: 'KeyRestored', data: { from: 'revoked', at: now } }] : [];
      default:
        return unreachable(command);
    }
  },
};

type LeaseBudget = Extract<ApiKeyCommand, { type: 'LeaseBudget' }>;

function registered(key: ApiKey): RegisteredApiKey {
  if (key.status === 'absent') throw new KeyUnregistered();
  return key;
}

function register({ type: _, ...data }: Extract<ApiKeyCommand, { type: 'RegisterKey' }>, key: ApiKey): readonly ApiKeyEvent[] {
  const { alias, provider, fingerprints, limits, slackMs } = data;
  const same = key.status === 'registered' && JSON.stringify([key.provider, key.fingerprints, key.limits, key.slackMs]) === JSON.stringify([provider, fingerprints, limits, slackMs]);
  return same ? [] : [{ type: 'KeyRegistered', data: { alias, provider, fingerprints, limits, slackMs } }];
}

function lease({ lease: id, holder, forMs, parts, least }: LeaseBudget, key: RegisteredApiKey, now: number): readonly ApiKeyEvent[] {
  const { closed } = key;
  if (closed !== undefined && (closed.until === null || closed.until > now)) return [];
  const had = key.leases[id];
  if (had !== undefined && (had.until <= now || had.holder !== holder)) return [];
  const until = now + forMs;
  const rate = rates(key, had, { parts, least }, now);
  if (rate === undefined) return [];
  const periods = Object.fromEntries(calendarLimits(key).map((limit) => [limit.name, periodsOf(limit, now, until)]));
  const { quota, headOnly, enough } = quotas(key, had, rate, { periods, forMs });
  if (!enough || (had !== undefined && isFine(had, rate, { now, forMs, quota, headOnly }))) return [];
  const leased: ApiKeyEvent = { type: 'BudgetLeased', data: { lease: id, holder, at: now, until, rate, quota, periods, headOnly } };
  return closed === undefined ? [leased] : [{ type: 'KeyRestored', data: { from: closed.state, at: now } }, leased];
}

/** Equal parts of each rolling limit, as far as they are free; undefined where too little is. */
function rates(key: RegisteredApiKey, had: LiveLease | undefined, { parts, least }: Pick<LeaseBudget, 'parts' | 'least'>, now: number): Record<string, number> | undefined {
  const rate: Record<string, number> = {};
  for (const limit of rollingLimits(key)) {
    const share = Math.floor(limit.units / parts);
    const own = had?.rate[limit.name] ?? 0;
    const free = limit.units - rateHeld(key, limit, now) + own;
    // Where a provider takes less than it did, others may hold more than there is: what stands then ends when it ends.
    const needed = Math.max(share * LEAST_SHARE, least[limit.name] ?? 1);
    if (free <= 0 || (had === undefined && Math.min(share, free) < needed)) return undefined;
    rate[limit.name] = Math.min(share, free);
  }
  return rate;
}

/**
 * What comes on top of what is open, so that it lasts for the lease at its full rate, and a little longer. Whether it is for
 * heads alone follows from what is open and left together, which no leasing changes: so the same is decided again.
 */
function quotas(key: RegisteredApiKey, had: LiveLease | undefined, rate: Record<string, number>, { periods, forMs }: { readonly periods: Record<string, readonly string[]>; readonly forMs: number }): { quota: Record<string, number>; headOnly: boolean; enough: boolean } {
  const wants = calendarLimits(key).map((limit) => {
    const within = periods[limit.name] as readonly string[];
    const open = had?.open[limit.name] ?? 0;
    // What is open moves into periods where it is not booked yet, before anything comes on top.
    const moved = within.every((period) => had?.periods[limit.name]?.includes(period)) ? 0 : open;
    const wanted = Math.max(1, Math.min(limit.units, fullUse(key, rate, forMs) ?? Math.ceil(limit.units * UNLIMITED_SHARE)));
    const left = quotaLeft(key, limit, within) - moved;
    return { name: limit.name, open, wanted, left, least: Math.min(wanted, LEAST_QUOTA), forAll: open + left - Math.ceil(limit.units * FOR_HEADS) };
  });
  const headOnly = wants.some(({ forAll, least }) => forAll < least);
  const quota = Object.fromEntries(wants.map(({ name, open, wanted, left, forAll }) => [name, Math.max(0, Math.min(wanted - open, left, headOnly ? left : forAll - open))]));
  // What is open and fits no more into a new period is not carried into it: such a lease ends when it ends.
  const enough = wants.every(({ name, left, least }) => left >= 0 && (had !== undefined || (quota[name] as number) >= least));
  return { quota, headOnly, enough };
}

/** Of a key that no rate limits, so much of its quota at a time. */
const UNLIMITED_SHARE = 0.01;
/** Units: fewer are not worth a lease. */
const LEAST_QUOTA = 100;

/** Units that can be spent in a lease of this rate at the most; undefined where no rate limits it. */
function fullUse(key: RegisteredApiKey, rate: Record<string, number>, forMs: number): number | undefined {
  const uses = rollingLimits(key).map(({ name, windowMs }) => (rate[name] ?? 0) * (Math.ceil(forMs / windowMs) + 1));
  return uses.length === 0 ? undefined : Math.max(...uses);
}

/** Renewing it now would change nothing that matters. */
function isFine(had: LiveLease, rate: Record<string, number>, { now, forMs, quota, headOnly }: { readonly now: number; readonly forMs: number; readonly quota: Record<string, number>; readonly headOnly: boolean }): boolean {
  if (had.until - now < forMs / 2 || had.headOnly !== headOnly) return false;
  if (Object.entries(rate).some(([name, units]) => units !== had.rate[name])) return false;
  return Object.entries(quota).every(([name, more]) => more <= (had.open[name] ?? 0));
}

function settle({ lease: id, sequence, acknowledged, unacknowledged, requests, errors, by, over }: Extract<ApiKeyCommand, { type: 'SettleBudget' }>['settlement'], key: RegisteredApiKey, now: number): readonly ApiKeyEvent[] {
  const had = key.leases[id];
  if (had === undefined || sequence <= had.sequence) return [];
  return [{ type: 'BudgetSettled', data: { lease: id, sequence, at: now, acknowledged, unacknowledged, requests, errors, by, over } }];
}

function lose({ holders, but }: Extract<ApiKeyCommand, { type: 'LoseLeases' }>, key: RegisteredApiKey, now: number): readonly ApiKeyEvent[] {
  return Object.entries(key.leases).flatMap(([id, { holder, until }]) => (holder.startsWith(holders) && holder !== but && until > now ? [{ type: 'LeaseLost' as const, data: { lease: id, at: now } }] : []));
}

function close({ state, until, message }: Extract<ApiKeyCommand, { type: 'CloseKey' }>, key: RegisteredApiKey, now: number): readonly ApiKeyEvent[] {
  const { closed } = key;
  if (closed !== undefined && closed.until === null) return [];
  const stands = closed !== undefined && (closed.until as number) > now ? (closed.until as number) : 0;
  if (until === null) return [{ type: 'KeyRevoked', data: { at: now, message } }];
  if (until <= now || until < stands + SAME_CLOSING_MS) return [];
  return [{ type: state === 'exhausted' ? 'KeyExhausted' : 'KeyThrottled', data: { at: now, until, message } }];
}
