import { ChainfoldError } from '#platform/kernel';
import type { Page } from '../api-client.ts';
import type { Output } from '../output.ts';
import { table } from '../output.ts';
import type { Target } from '../target.ts';

interface ShownKey {
  readonly alias: string;
  readonly provider: string;
  readonly state: string;
  readonly until: string | null;
  readonly emulated?: boolean;
  readonly limits: readonly { readonly name: string; readonly used: number; readonly left: number }[];
  readonly usage: Readonly<Record<'1h' | '24h', { readonly requests: number; readonly errors: number }>>;
  readonly lastRefusal: { readonly at: string; readonly state: string } | null;
}

interface Probed {
  readonly alias: string;
  readonly ok: boolean;
  readonly ms: number | null;
  readonly chainId: string | null;
  readonly head: number | null;
  readonly class: string;
  readonly message?: string;
}

const KEYS = '/api/v1/keys';
/** Probes on their way at once: a provider that meters an address as well shall not take them for an attack. */
const MOST_AT_ONCE = 4;

/** What each key is, has and did. */
export async function keys({ api }: Target, output: Output): Promise<void> {
  const all = await allKeys(api);
  for (const key of output.json ? all : []) output.result(key, () => key.alias);
  output.note(all.length === 0 ? NO_KEYS : table(['alias', 'provider', 'state', 'until', 'used/left', 'requests 1 h', '24 h', 'errors', 'last refusal'], all.map(row)));
  if (all.some(({ emulated }) => emulated === true)) output.note('These providers are emulated: nothing is spent anywhere.');
}

/** Asks each of these keys, or all, for its chain and head. Answers how many are unwell. */
export async function probeKeys({ api }: Target, output: Output, aliases: readonly string[]): Promise<number> {
  const known = await allKeys(api);
  const asked = chosen(known, aliases);
  const probes = await eachOf(asked, MOST_AT_ONCE, (alias) => probe(api, alias));
  // Asked again, for what the probes found may have changed them.
  const now = new Map((await allKeys(api)).map((key) => [key.alias, key]));
  const results = probes.map((result) => ({ ...result, provider: now.get(result.alias)?.provider ?? null, state: now.get(result.alias)?.state ?? null }));
  for (const result of output.json ? results : []) output.result(result, () => result.alias);
  const rows = results.map(({ alias, provider, state, ok, ms, chainId, head, class: seen, message }) => [alias, provider, state, ok ? 'ok' : seen, ms, chainId, head, message ?? null]);
  output.note(results.length === 0 ? NO_KEYS : table(['alias', 'provider', 'state', 'answer', 'ms', 'chain', 'head', 'message'], rows));
  return results.filter(({ ok }) => !ok).length;
}

const NO_KEYS = 'There are no keys. Put them into config/keys.yaml or KEYS: README, "Run on your own keys".';

async function allKeys(api: Target['api']): Promise<readonly ShownKey[]> {
  return (await api.get<Page<ShownKey>>(KEYS)).items;
}

function row({ alias, provider, state, until, limits, usage, lastRefusal }: ShownKey): readonly (string | number | null)[] {
  const budgets = limits.map(({ name, used, left }) => `${name} ${Math.ceil(used)}/${Math.floor(left)}`).join(', ');
  return [alias, provider, state, until, budgets === '' ? null : budgets, usage['1h'].requests, usage['24h'].requests, usage['24h'].errors, lastRefusal === null ? null : `${lastRefusal.state} ${lastRefusal.at}`];
}

/** Refused before anything is spent, so that a misspelt alias costs nothing. */
function chosen(known: readonly ShownKey[], aliases: readonly string[]): readonly string[] {
  const names = known.map(({ alias }) => alias);
  if (aliases.length === 0) return names;
  const unknown = aliases.filter((alias) => !names.includes(alias));
  if (unknown.length > 0) throw new NoSuchKey(names);
  return [...new Set(aliases)];
}

/** A key whose probe fails is one that is unwell: the others are told all the same. */
async function probe(api: Target['api'], alias: string): Promise<Probed> {
  try {
    return await api.post<Probed>(`${KEYS}/${encodeURIComponent(alias)}/probe`, {});
  } catch (error) {
    if (!(error instanceof ChainfoldError)) throw error;
    return { alias, ok: false, ms: null, chainId: null, head: null, class: error.code, message: error.message };
  }
}

/** Results in the order of what was asked, whichever came first. */
async function eachOf<Item, Result>(items: readonly Item[], most: number, work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const waiting = items.entries();
  const one = async (): Promise<void> => {
    for (const [place, item] of waiting) results[place] = await work(item);
  };
  await Promise.all(Array.from({ length: most }, one));
  return results;
}

/** Says what there is and not what was typed: it may have been the key itself. */
class NoSuchKey extends ChainfoldError {
  constructor(known: readonly string[]) {
    super('There is no key of this alias', { code: 'key-unknown', kind: 'missing', hint: `There are: ${known.join(', ')}.` });
  }
}
