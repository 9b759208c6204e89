import { z } from 'zod';
import type { Exchange, ExchangeAnswer } from '../contracts/index.ts';

/** What crosses between a holder's purse and the owner's desk. The desk believes nothing of it that was not looked at. */
const MOST_LEASES = 500;
const MOST_ACCOUNTS = 5_000;

/** Of holders, keys, providers, ledgers and limits. */
export const CROSSING_NAME = /^\w[\w .:@()/-]{0,199}$/;
const name = z.string().regex(CROSSING_NAME);
/** Whole units; a sum of them stays exact. */
const units = z.int().min(0);
const cost = z.record(name, units);
const counts = z.record(z.string().regex(/^[\w-]{1,40}$/), units);
const ms = z.number().min(0).max(4_000_000_000);

const settlement = z.strictObject({
  lease: name,
  key: name,
  sequence: z.int().min(1),
  acknowledged: cost,
  unacknowledged: cost,
  requests: units,
  errors: counts,
  by: z.array(z.strictObject({ chainId: z.string().regex(/^\d{0,78}$/), method: z.string().regex(/^\w{1,100}$/), calls: units, units })).max(MOST_ACCOUNTS),
  over: z.boolean(),
});
const sighting = z.strictObject({
  key: name,
  seen: z.enum(['throttled', 'exhausted', 'revoked', 'well']),
  waitMs: ms.exactOptional(),
  message: z.string().max(1_000).exactOptional(),
  skewMs: z.number().min(-1e12).max(1e12).exactOptional(),
});

export const exchangeMessage = z.strictObject({
  holder: name,
  provider: name,
  settlements: z.array(settlement).max(MOST_LEASES),
  sightings: z.array(sighting).max(MOST_LEASES),
  wanted: z.strictObject({ renew: z.array(name).max(MOST_LEASES), more: units.max(MOST_LEASES) }),
}) satisfies z.ZodType<Exchange>;

const lease = z.strictObject({ id: name, key: name, provider: name, validForMs: ms, rate: cost, quota: cost, headOnly: z.boolean() });

export const exchangeAnswer = z.strictObject({
  leases: z.array(lease).max(MOST_LEASES),
  againInMs: ms,
  keys: units,
  closed: z.array(z.strictObject({ key: name, state: z.enum(['throttled', 'exhausted', 'revoked']), until: z.number().nullable() })).max(MOST_LEASES),
}) satisfies z.ZodType<ExchangeAnswer>;
