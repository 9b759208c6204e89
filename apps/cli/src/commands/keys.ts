import { messageOf } from '#platform/kernel';
import { type Output, table } from '../output.ts';
import type { Target } from '../target.ts';

interface ShownKey {
  readonly alias: string;
  readonly provider: string;
  readonly unit: string;
  readonly emulated?: boolean;
  readonly state: string;
  readonly until: string | null;
  readonly limits: readonly { readonly name: string; readonly left: number; readonly units: number }[];
  readonly usage: Readonly<Record<string, { readonly requests: number; readonly errors: number }>>;
  readonly lastRefusal: { readonly at: string; readonly state: string } | null;
}

interface Probed {
  readonly alias: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly chainId: string | null;
  readonly head: number | null;
  readonly class: string;
  readonly message?: string;
}

const NO_KEYS = 'There are no keys. Put them into config/keys.yaml or KEYS: README, "Run on your own keys".';
const AT_ONCE = 4;

export async function keys({ api }: Target, output: Output): Promise<void> {
  const page = await api.get<{ readonly items: readonly ShownKey[] }>('/api/v1/keys');
  output.result(page, () => (page.items.length === 0 ? NO_KEYS : table(['key', 'provider', 'state', 'until', 'left', '1 h', '24 h', 'errors', 'last refusal'], page.items.map(row))));
  if (page.items.some(({ emulated }) => emulated === true)) output.note('These providers are emulated: nothing is spent anywhere.');
}

function row({ alias, provider, state, until, limits, usage, lastRefusal }: ShownKey): readonly (string | number | null)[] {
  const left = limits.map((limit) => `${limit.name} ${Math.floor(limit.left)}/${limit.units}`).join(', ');
  return [alias, provider, state, until, left === '' ? null : left, usage['1h']?.requests ?? 0, usage['24h']?.requests ?? 0, usage['24h']?.errors ?? 0, lastRefusal === null ? null : `${lastRefusal.state} ${lastRefusal.at}`];
}

/** Answers how many of them are unwell. Without aliases: all keys. */
export async function probeKeys({ api }: Target, output: Output, aliases: readonly string[]): Promise<number> {
  const wanted = aliases.length > 0 ? [...aliases] : (await api.get<{ readonly items: readonly ShownKey[] }>('/api/v1/keys')).items.map(({ alias }) => alias);
  if (wanted.length === 0) output.note(NO_KEYS);
  const probed: Probed[] = [];
  const next = wanted.values();
  const probe = async (): Promise<void> => {
    for (const alias of next) probed.push(await one(api, alias));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, probe));
  const inOrder = wanted.flatMap((alias) => probed.filter((result) => result.alias === alias));
  if (inOrder.length > 0) output.result({ items: inOrder }, () => table(['key', 'ms', 'state', 'chain', 'head', ''], inOrder.map(({ alias, ok, ms, class: seen, chainId, head, message }) => [alias, ok ? ms : null, ok ? 'well' : seen, chainId, head, message ?? ''])));
  return inOrder.filter(({ ok }) => !ok).length;
}

async function one(api: Target['api'], alias: string): Promise<Probed> {
  try {
    return await api.post<Probed>(`/api/v1/keys/${encodeURIComponent(alias)}/probe`);
  } catch (error) {
    return { alias, ok: false, ms: 0, chainId: null, head: null, class: 'not asked', message: messageOf(error) };
  }
}
