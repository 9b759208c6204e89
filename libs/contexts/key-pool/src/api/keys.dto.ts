import { z } from 'zod';
import { pageAnswer, wholeNumber } from '#platform/http';

export const keyPath = z.object({ alias: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,59}$/, 'Takes the alias of a key').describe('Alias of the key.') });
export type KeyPath = z.output<typeof keyPath>;
export const nothing = z.strictObject({});
export const usageQuery = z.strictObject({ days: wholeNumber(1, 92).default(7).describe('Days of UTC, this one included.') });
export type UsageQuery = z.output<typeof usageQuery>;

const units = z.number();
const amounts = z.record(z.string(), units);
const time = z.string().describe('ISO 8601 in UTC.');
const asOf = z.string().describe('Log position that the answer was read at.');
const window = z.strictObject({ requests: z.int(), errors: z.int(), units });

const limit = z
  .strictObject({
    name: z.string(),
    kind: z.enum(['rolling', 'calendar']).describe('rolling: in any stretch of windowMs. calendar: in a day or month of UTC.'),
    ledger: z.string().describe('What is counted: units, or throughput where a provider counts its rate otherwise.'),
    units: units.describe('At most.'),
    windowMs: z.int().optional(),
    period: z.enum(['day', 'month']).optional(),
    used: units.describe('rolling: what its windows may hold now. calendar: booked in this period; what was leased and not given back counts.'),
    left: units,
    resetsAt: time.optional(),
  })
  .meta({ id: 'KeyLimit' });

const key = z
  .strictObject({
    alias: z.string(),
    provider: z.string(),
    title: z.string(),
    unit: z.string().describe('What one unit is called.'),
    emulated: z.literal(true).optional().describe('An emulated provider of the demo: nothing is spent anywhere.'),
    state: z.enum(['ready', 'throttled', 'exhausted', 'down', 'revoked']),
    until: time.nullable(),
    reason: z.string().optional(),
    credentials: z.int().describe('Secrets that share this budget.'),
    fingerprints: z.array(z.string()).describe('First 8 hex digits of the SHA-256 of each secret.'),
    limits: z.array(limit),
    usage: z.strictObject({ '1h': window, '2h': window, '12h': window, '24h': window, '48h': window }),
    totals: z.strictObject({ acknowledged: units, unacknowledged: units, booked: units }).describe('Units of all times. acknowledged ≤ counted by the provider ≤ booked.'),
    leases: z.array(z.strictObject({ holder: z.string(), until: time, rate: amounts, quota: amounts, headOnly: z.boolean() })),
    lastRequestAt: time.nullable(),
    lastRefusal: z.strictObject({ at: time, state: z.string(), reason: z.string() }).nullable(),
  })
  .meta({ id: 'Key' });

export const VOLATILE = ['used', 'left', 'until', 'leases', 'usage', 'resetsAt'];
export const keyList = pageAnswer(key);
export const keyAnswer = key.extend({ asOf });

export const explanation = z
  .strictObject({
    alias: z.string(),
    chains: z.array(z.strictObject({ chainId: z.string(), role: z.array(z.string()), chosen: z.boolean(), because: z.string() })),
    now: z.array(z.string()),
  })
  .meta({ id: 'KeyExplanation' });

export const probeAnswer = z
  .strictObject({ alias: z.string(), ok: z.boolean(), ms: z.number(), chainId: z.string().nullable(), head: z.int().nullable(), class: z.string(), message: z.string().optional() })
  .meta({ id: 'KeyProbe' });

export const usageList = pageAnswer(
  z
    .strictObject({ day: z.string(), chainId: z.string(), provider: z.string(), alias: z.string(), method: z.string(), calls: z.int(), units, unit: z.string(), money: z.string().describe('USD, decimal.') })
    .meta({ id: 'Spent' }),
);
