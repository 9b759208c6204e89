import { type Clock, type Position, START } from '#platform/kernel';
import type { Limit, Tariff } from '../contracts/index.ts';
import { periodAt, rateHeld, resetAfter, type RegisteredApiKey } from '../domain/api-key-state.ts';
import { KeyUnknown } from '../ports/key-pool.errors.ts';
import { type KeyUsage, USAGE_HOURS, type UsageWindow } from '../ports/key-usage.port.ts';
import type { ApiKeyActors } from './api-key-actors.ts';
import type { KeyView } from './key-view.ts';
import type { DeskKey } from './lease-desk.ts';

export type KeyState = 'ready' | 'throttled' | 'exhausted' | 'down' | 'revoked';

export interface LimitUse {
  readonly name: string;
  readonly kind: Limit['kind'];
  readonly ledger: string;
  readonly units: number;
  readonly windowMs?: number;
  readonly period?: 'day' | 'month';
  readonly used: number;
  readonly left: number;
  readonly resetsAt?: string;
}

export interface KeyOnBoard {
  readonly alias: string;
  readonly provider: string;
  readonly title: string;
  readonly unit: string;
  readonly emulated?: true;
  readonly state: KeyState;
  readonly until: string | null;
  readonly reason?: string;
  readonly credentials: number;
  readonly fingerprints: readonly string[];
  readonly limits: readonly LimitUse[];
  readonly usage: Readonly<Record<`${number}h`, UsageWindow>>;
  readonly totals: RegisteredApiKey['totals'];
  readonly leases: readonly { readonly holder: string; readonly until: string; readonly rate: Readonly<Record<string, number>>; readonly quota: Readonly<Record<string, number>>; readonly headOnly: boolean }[];
  readonly lastRequestAt: string | null;
  readonly lastRefusal: { readonly at: string; readonly state: string; readonly reason: string } | null;
}

export interface SpentOnBoard {
  readonly day: string;
  readonly chainId: string;
  readonly provider: string;
  readonly alias: string;
  readonly method: string;
  readonly calls: number;
  readonly units: number;
  readonly unit: string;
  /** USD, as a decimal. */
  readonly money: string;
}

export interface KeyBoardOptions {
  readonly keys: readonly DeskKey[];
  readonly tariffs: ReadonlyMap<string, Tariff>;
  readonly actors: Pick<ApiKeyActors, 'peek'>;
  readonly usage: KeyUsage;
  /** As the purse of this process sees them. */
  readonly views: () => readonly KeyView[];
  readonly clock: Clock;
  readonly emulated: boolean;
}

/** What each key is, may and did: from its actor, from the log's projection, and from the purse of this process. */
export class KeyBoard {
  readonly #options: KeyBoardOptions;

  constructor(options: KeyBoardOptions) {
    this.#options = options;
  }

  async all(): Promise<{ readonly items: readonly KeyOnBoard[]; readonly next: null; readonly asOf: Position }> {
    const { keys, usage } = this.#options;
    const items = await Promise.all(keys.map((key) => this.#on(key)));
    return { items: items.flat(), next: null, asOf: keys.length === 0 ? START : usage.asOf() };
  }

  /** Throws `key-unknown`. */
  async one(alias: string): Promise<KeyOnBoard & { readonly asOf: Position }> {
    const { keys, usage } = this.#options;
    const key = keys.find((known) => known.alias === alias);
    const [item] = key === undefined ? [] : await this.#on(key);
    if (item === undefined) throw new KeyUnknown(alias, keys.map((known) => known.alias));
    return { ...item, asOf: usage.asOf() };
  }

  spent(days: number): { readonly items: readonly SpentOnBoard[]; readonly next: null; readonly asOf: Position } {
    const { keys, tariffs, usage } = this.#options;
    if (keys.length === 0) return { items: [], next: null, asOf: START };
    const items = usage.spent(days).flatMap(({ alias, ...spent }) => {
      const tariff = tariffs.get(keys.find((key) => key.alias === alias)?.provider ?? '');
      return tariff === undefined ? [] : [{ ...spent, alias, provider: tariff.provider, unit: tariff.unit, money: money(spent.units, tariff.pricePerMillion) }];
    });
    return { items, next: null, asOf: usage.asOf() };
  }

  /** Of this day of UTC. */
  refusedToday(): readonly { readonly alias: string; readonly provider: string; readonly class: string; readonly count: number }[] {
    const { keys, usage } = this.#options;
    return usage.refused(1).flatMap(({ alias, class: kind, count }) => {
      const key = keys.find((known) => known.alias === alias);
      return key === undefined ? [] : [{ alias, provider: key.provider, class: kind, count }];
    });
  }

  async #on(key: DeskKey): Promise<readonly KeyOnBoard[]> {
    const { actors, tariffs, usage, views, clock, emulated } = this.#options;
    const tariff = tariffs.get(key.provider);
    const { state } = await actors.peek(key.alias);
    if (tariff === undefined || state.status === 'absent') return [];
    const now = clock.now();
    const view = views().find(({ alias }) => alias === key.alias);
    const use = usage.of(key.alias);
    return [
      {
        alias: key.alias,
        provider: key.provider,
        title: tariff.title,
        unit: tariff.unit,
        ...(emulated ? { emulated } : {}),
        ...stateOf(state, view, now),
        credentials: key.fingerprints.length,
        fingerprints: key.fingerprints,
        limits: state.limits.map((limit) => limitUse(limit, state, view, now)),
        usage: Object.fromEntries(USAGE_HOURS.map((hours) => [`${hours}h`, use.windows[hours]])),
        totals: state.totals,
        leases: Object.values(state.leases)
          .filter(({ until }) => until > now)
          .map(({ holder, until, rate, open, headOnly }) => ({ holder, until: iso(until), rate, quota: open, headOnly })),
        lastRequestAt: use.lastRequestAt === undefined ? null : iso(use.lastRequestAt),
        lastRefusal: use.lastRefusal === undefined ? null : { ...use.lastRefusal, at: iso(use.lastRefusal.at) },
      },
    ];
  }
}

/** What is durable says it where it says anything; of a failure only this process knows. */
function stateOf({ closed }: RegisteredApiKey, view: KeyView | undefined, now: number): Pick<KeyOnBoard, 'state' | 'until' | 'reason'> {
  if (closed !== undefined && (closed.until ?? Infinity) > now) return { state: closed.state, until: closed.until === null ? null : iso(closed.until), ...(closed.message === '' ? {} : { reason: closed.message }) };
  const { closed: seen, circuit } = view ?? {};
  if (circuit === 'down' || circuit === 'probing') return { state: 'down', until: null, reason: 'Its provider does not answer; it is asked again after growing pauses.' };
  if (seen !== undefined) return { state: seen.state, until: seen.forMs === null ? null : iso(now + seen.forMs) };
  return { state: 'ready', until: null };
}

function limitUse(limit: Limit, key: RegisteredApiKey, view: KeyView | undefined, now: number): LimitUse {
  const { name, kind, ledger, units } = limit;
  if (limit.kind === 'calendar') {
    const used = key.booked[name]?.[periodAt(limit.period, now)] ?? 0;
    return { name, kind, ledger, units, period: limit.period, used, left: Math.max(0, units - used), resetsAt: iso(resetAfter(limit.period, now)) };
  }
  const own = view?.windows.find((window) => window.name === name);
  const elsewhere = Math.max(0, rateHeld(key, limit, now) - (own?.units ?? 0));
  const used = own === undefined || own.units === 0 ? elsewhere : Math.max(0, own.used) + elsewhere;
  return { name, kind, ledger, units, windowMs: limit.windowMs, used, left: Math.max(0, units - used) };
}

/** Whole millionths of a dollar, so that no sum is rounded twice. */
function money(units: number, perMillion: string | undefined): string {
  if (perMillion === undefined) return '0';
  const [whole = '0', fraction = ''] = perMillion.split('.');
  const micros = (BigInt(units) * BigInt(whole + fraction.padEnd(6, '0').slice(0, 6))) / 1_000_000n;
  const text = `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, '0')}`;
  return text.replace(/\.?0+$/, '');
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
