import { createHash } from 'node:crypto';
import { type FolderEntry, type Secret, SettingsInvalid, type SettingsProblem } from '#platform/settings';
import type { Limit, Tariff } from '../contracts/index.ts';
import { isAlias, type KeyEntry, type KeyPoolSettings, NAME_RULE, type ProviderEntry } from '../key-pool.settings.ts';
import { addressProblems, templateProblems } from './address-rules.ts';
import { CROSSING_NAME } from './exchange-messages.ts';

export interface ConfiguredKey {
  readonly alias: string;
  readonly provider: string;
  /** First 8 hex digits of the SHA-256 of each secret. */
  readonly fingerprints: readonly string[];
  readonly secrets: readonly Secret[];
}

export interface ConfiguredProvider {
  readonly tariff: Tariff;
  readonly http: string;
  readonly ws: string | undefined;
  /** By chain id; undefined: any chain, without a name. */
  readonly networks: Readonly<Record<string, string>> | undefined;
}

export interface ConfiguredKeys {
  /** By name; all that there are data of. */
  readonly providers: ReadonlyMap<string, ConfiguredProvider>;
  readonly keys: readonly ConfiguredKey[];
}

export interface KeySettings {
  readonly providers: readonly FolderEntry<ProviderEntry>[];
  readonly keys: readonly FolderEntry<KeyEntry>[];
  readonly keyPool: KeyPoolSettings;
}

/** Left as it was in an example, alone or at the end of an address. */
const PLACEHOLDER = /(?:^|\/)(?:\$\{.*\}|<.*>|your[-_ ][^/]*|changeme|xxx+|\.\.\.)$/i;
const FINGERPRINT_DIGITS = 8;

/** Providers and keys as the settings give them. Throws `settings-invalid` with every problem at once. */
export function configuredKeys({ providers, keys, keyPool }: KeySettings): ConfiguredKeys {
  const known = new Map(providers.map(({ name, value }) => [name, { tariff: tariffOf(name, value), http: value.http, ws: value.ws, networks: value.networks }]));
  const all = [...keys.map(({ name, value }): GivenKey => ({ path: `keys/${name}`, alias: name, provider: value.provider, secrets: secretsOf(value) })), ...ofEnvironment(keyPool)];
  const problems = [...providers.flatMap(({ name, value }) => providerProblems(name, value)), ...all.flatMap((key) => keyProblems(key, known)), ...twice(all)];
  if (problems.length > 0) throw new SettingsInvalid(problems);
  return { providers: known, keys: all.map(({ alias, provider, secrets }) => ({ alias, provider, secrets, fingerprints: secrets.map((secret) => fingerprint(secret.reveal())) })) };
}

/** `{key}` and `{network}` filled in; undefined where the provider does not serve this chain. */
export function addressesOf({ http, ws, networks }: ConfiguredProvider, secret: string, chainId: string): { readonly httpUrl: string; readonly wsUrl?: string } | undefined {
  const network = networks === undefined ? '' : networks[chainId];
  if (network === undefined) return undefined;
  const filled = (template: string): string => template.replaceAll('{network}', () => network).replaceAll('{key}', () => secret);
  return { httpUrl: filled(http), ...(ws === undefined ? {} : { wsUrl: filled(ws) }) };
}

function secretsOf({ secret, secrets = [] }: KeyEntry): readonly Secret[] {
  return secret === undefined ? secrets : [secret];
}

interface GivenKey {
  /** Where it was given. Of KEYS only the place: provider and secret of a pair may have been swapped. */
  readonly path: string;
  readonly alias: string;
  readonly provider: string;
  readonly secrets: readonly Secret[];
}

/** Called by what they are, not by their place: what is booked and closed stays with a key, whatever is added or taken out before it. */
function ofEnvironment({ keys }: KeyPoolSettings): GivenKey[] {
  return keys.map((pair, index) => {
    const [provider = '', ...rest] = pair.reveal().split(':');
    const secret = pair.map(() => rest.join(':'));
    return { path: `keyPool.keys[${index}]`, alias: `${provider}-${fingerprint(secret.reveal())}`, provider, secrets: [secret] };
  });
}

function tariffOf(provider: string, { title, unit, ledgers, limits, mostCallsPerRequest, unsupported, slackMs, pricePerMillion }: ProviderEntry): Tariff {
  return { provider, title, unit, ledgers, limits, mostCallsPerRequest, unsupported, slackMs, ...(pricePerMillion === undefined ? {} : { pricePerMillion }) };
}

function providerProblems(name: string, entry: ProviderEntry): SettingsProblem[] {
  const { ledgers, limits } = entry;
  const path = `providers/${name}`;
  const names = limits.map((limit: Limit) => limit.name);
  return [
    ...(CROSSING_NAME.test(name) ? [] : [{ path, rule: NAME_RULE, hint: 'So its file is named.' }]),
    ...(ledgers['units'] === undefined ? [{ path: `${path}.ledgers`, rule: 'must have the ledger units', hint: 'It is what quotas count.' }] : []),
    ...limits.filter((limit) => ledgers[limit.ledger] === undefined).map((limit) => ({ path: `${path}.limits`, rule: `names the ledger ${limit.ledger}, which it has not`, hint: `It has: ${Object.keys(ledgers).join(', ')}.` })),
    ...(new Set(names).size < names.length ? [{ path: `${path}.limits`, rule: 'must have names of their own', hint: 'Two limits have one name.' }] : []),
    ...templateProblems(name, entry),
  ];
}

function keyProblems({ path, alias, provider, secrets }: GivenKey, known: ReadonlyMap<string, ConfiguredProvider>): SettingsProblem[] {
  const texts = secrets.map((secret) => secret.reveal());
  const templates = known.get(provider);
  return [
    ...(isAlias(alias) ? [] : [{ path, rule: 'must be an alias of small letters, digits, dots and hyphens, at most 60', hint: 'It stands in events, logs and addresses.' }]),
    ...(templates !== undefined ? [] : [{ path: `${path}.provider`, rule: 'must be a provider that there is', hint: `There are: ${[...known.keys()].join(', ')}. Another one is a file in config/providers.` }]),
    ...(texts.some((text) => PLACEHOLDER.test(text)) ? [{ path, rule: 'must hold the secret itself', hint: 'What stands there is only a placeholder.' }] : []),
    ...(templates === undefined || templateProblems(provider, templates).length > 0 ? [] : addressProblems({ path, provider, secrets: texts }, templates)),
  ];
}

function twice(keys: readonly GivenKey[]): SettingsProblem[] {
  const [aliases, secretsSeen] = [new Map<string, string>(), new Map<string, string>()];
  return keys.flatMap(({ path, alias, secrets }) => {
    const namesake = claim(aliases, alias, path);
    const same = secrets.map((secret) => claim(secretsSeen, secret.reveal(), path)).find((other) => other !== undefined);
    return [
      ...(namesake === undefined || same !== undefined ? [] : [{ path, rule: `has the same alias as ${namesake}`, hint: 'Call one of them otherwise.' }]),
      ...(same === undefined ? [] : [{ path, rule: `has the same secret as ${same}`, hint: 'Two budgets for one key would spend it twice.' }]),
    ];
  });
}

/** Who had it before. */
function claim(claimed: Map<string, string>, what: string, path: string): string | undefined {
  const before = claimed.get(what);
  claimed.set(what, before ?? path);
  return before;
}

function fingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, FINGERPRINT_DIGITS);
}
