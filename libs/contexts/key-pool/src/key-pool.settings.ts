import { defineEntries, defineFolder, defineSettings, secret, setting } from '#platform/settings';
import { z } from 'zod';
import { CROSSING_NAME } from './application/exchange-messages.ts';

/** Whole, for desk and log keep exact sums of them. */
const units = z.int().min(0).max(1e15);
const count = z.int().min(1).max(1e15);
const costs = z.strictObject({
  default: setting(units, { description: 'Of a call that `methods` does not name.' }),
  methods: setting(z.record(z.string(), units).default({}), { description: 'Of calls, by method.' }),
  batch: setting(units.default(0), { description: 'Of a request with more than one call, on top of its calls.' }),
  push: setting(
    z.strictObject({
      each: setting(units.default(0), { description: 'Of a notification.' }),
      perByte: setting(z.number().min(0).max(1e15).default(0), { description: 'Of each byte of it; the sum is rounded up.' }),
    }).default({ each: 0, perByte: 0 }),
    { description: 'Of what a subscription brings.' },
  ),
});
export const NAME_RULE = 'must begin with a letter or digit and hold only these, spaces and _ . : @ ( ) / -';
const name = z.string().max(40, 'must have at most 40 characters').regex(CROSSING_NAME, NAME_RULE);
const ledger = name.default('units');
const limit = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rolling'), name, ledger, windowMs: z.int().min(10).max(3_600_000), units: count }),
  z.strictObject({ kind: z.literal('calendar'), name, ledger, period: z.enum(['day', 'month']), units: count }),
]);

/** `config/providers/{name}.yaml`: what one provider meters, charges and offers. */
export const providerFolder = defineFolder(
  'providers',
  z.strictObject({
    title: setting(z.string().min(1).max(40), { description: 'Shown to people.' }),
    source: setting(z.string().min(1), { description: 'Where its figures come from, and of when.' }),
    unit: setting(z.string().min(1).max(20).default('requests'), { description: 'What one unit is called.' }),
    http: setting(z.string().min(1), { description: 'Address with `{key}` and `{network}` in it.' }),
    ws: setting(z.string().min(1).optional(), { description: 'The same of its WebSockets; left out: heads are polled.' }),
    networks: setting(z.record(z.string().regex(/^[1-9]\d*$/, 'must be a chain id in decimal'), z.string()).optional(), { description: 'By chain id, how the provider calls the network; left out: any chain.', defaultText: 'any chain' }),
    ledgers: setting(z.record(name, costs), { description: 'Costs, by way of counting; `units` is what quotas count. Another one charges what `units` does where it names no cost.' }),
    limits: setting(z.array(limit).default([]), { description: '`{kind: rolling, name, windowMs, units}`: in any stretch of time; `{kind: calendar, name, period: day or month, units}`; each may name its `ledger`.' }),
    mostCallsPerRequest: setting(z.int().min(1).max(1_000).default(100), { description: 'Calls in one request; 1: no batches.' }),
    unsupported: setting(z.array(z.string()).default([]), { description: 'Methods that it does not offer.' }),
    slackMs: setting(z.int().min(0).max(5_000).default(40), { description: "Milliseconds by which the way of a request to the provider's meter may vary." }),
    pricePerMillion: setting(z.string().regex(/^\d+(\.\d{1,6})?$/, 'must be a decimal in quotes, with at most 6 digits behind the point').optional(), { description: 'USD for a million units, a decimal in quotes.', defaultText: 'free' }),
  }),
);

const ALIAS = /^[a-z0-9][a-z0-9._-]{0,59}$/;
const secretText = z.string().min(1).max(2_000);

/** `config/keys.yaml`, `config/keys-*.yaml`: alias, and what belongs to it. An entry is what the provider meters: an account. */
export const keyEntries = defineEntries(
  'keys',
  z.strictObject({
    provider: setting(z.string().min(1), { description: 'Name of a file in config/providers.' }),
    secret: setting(secret(secretText).optional(), { description: 'What the provider knows it by, usually `${NAME}` of an environment variable.', defaultText: 'none: then `secrets`' }),
    secrets: setting(z.array(secret(secretText)).min(1).optional(), { description: 'Instead of `secret`: several credentials of one account, which share one budget.', defaultText: 'none' }),
  }).refine((entry) => (entry.secret === undefined) !== (entry.secrets === undefined), { error: 'must have secret, or secrets' }),
);

const PAIR_RULE = 'must be provider:secret';
const PAIR = /^[a-z0-9][a-z0-9._-]*:\S+$/;

export const keyPoolSettings = defineSettings(
  'keyPool',
  z.strictObject({
    keys: setting(z.array(secret(z.string({ error: PAIR_RULE }).regex(PAIR, PAIR_RULE))).default([]), {
      description: 'Keys without any file: `infura:secret1,infura:secret2,alchemy:secret3`.',
      env: 'KEYS',
    }),
    emulated: setting(z.boolean().default(true), {
      description: 'Whether the embedded node stands behind emulated providers with 22 keys.',
      env: 'EMULATED_KEYS',
    }),
  }),
);

export const keySettings = [providerFolder, keyEntries, keyPoolSettings] as const;
export type ProviderEntry = z.output<typeof providerFolder.schema>;
export type KeyEntry = z.output<typeof keyEntries.schema>;
export type KeyPoolSettings = z.output<typeof keyPoolSettings.schema>;

export function isAlias(text: string): boolean {
  return ALIAS.test(text);
}
