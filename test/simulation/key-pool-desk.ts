import type { Clock } from '#platform/kernel';
import type { Exchange, ExchangeAnswer, Lease, LeaseDesk, Limit, Tariff } from '#contracts/key-pool';

interface Booked {
  readonly id: string;
  readonly key: string;
  readonly holder: string;
  readonly provider: string;
  until: number;
  rate: Record<string, number>;
  /** Handed out and not settled. */
  readonly open: Record<string, number>;
}

/** Of a lease that is over: counted until then, since what was sent last may be metered that late. */
interface Held {
  readonly key: string;
  readonly rate: Readonly<Record<string, number>>;
  readonly until: number;
}

const LEASE_MS = 10_000;
/** A quota is handed out for so long. */
const QUOTA_FOR_MS = 12_000;
const SEEN_MS = 12_000;
const AGAIN_MS = 1_000;

/** Books by arithmetic alone, in memory: what the desk over the log does, without the log. */
export class ArithmeticDesk implements LeaseDesk {
  readonly #clock: Clock;
  readonly #keys: readonly { readonly alias: string; readonly tariff: Tariff }[];
  readonly #leases = new Map<string, Booked>();
  #held: Held[] = [];
  readonly #spent = new Map<string, number>();
  readonly #seen = new Map<string, { readonly at: number; readonly more: number }>();
  readonly #settled = new Map<string, number>();
  /** By holder and key: until when it may send at the latest. */
  readonly #rights = new Map<string, number>();
  #ids = 0;
  /** Leases whose holder said nothing until they ended. */
  lost = 0;
  exchanges = 0;
  readonly acknowledged = new Map<string, number>();

  constructor(clock: Clock, keys: readonly { readonly alias: string; readonly tariff: Tariff }[]) {
    this.#clock = clock;
    this.#keys = keys;
  }

  async exchange({ holder, provider, settlements, wanted }: Exchange): Promise<ExchangeAnswer> {
    this.exchanges += 1;
    const now = this.#clock.monotonic();
    this.#seen.set(`${provider} ${holder}`, { at: now, more: wanted.more });
    this.#endLost(now);
    for (const one of settlements) this.#settle(one, now);
    const keys = this.#keys.filter(({ tariff }) => tariff.provider === provider);
    const holders = this.#holders(provider, now);
    const parts = Math.max(1, Math.ceil(holders.length / keys.length));
    const [least, most] = [Math.floor((keys.length * parts) / holders.length), Math.ceil((keys.length * parts) / holders.length)];
    const othersWant = holders.filter((other) => other !== holder && (this.#seen.get(`${provider} ${other}`)?.more ?? 0) > 0).map((other) => this.#count(provider, other));
    const leases: Lease[] = [];
    for (const id of wanted.renew) {
      const lease = this.#leases.get(id);
      if (lease === undefined) continue;
      const going = leases.length;
      if (othersWant.some((count) => (count < most && going >= most) || (count < least && going >= least))) continue;
      leases.push(this.#renew(lease, parts, now));
    }
    const mayHave = othersWant.length === 0 ? Infinity : (othersWant.some((count) => count < least) ? least : most) - this.#count(provider, holder);
    for (let more = Math.min(wanted.more, mayHave); more > 0; more -= 1) {
      const granted = this.#grant(holder, keys, parts, now);
      if (granted === undefined) break;
      leases.push(granted);
    }
    return { leases, againInMs: AGAIN_MS, closed: [] };
  }

  /** Whether this holder had the right to send on this key at this time. */
  isHeld(holder: string, key: string, at: number): boolean {
    return at <= (this.#rights.get(`${holder} ${key}`) ?? -Infinity);
  }

  leasesOf(holder: string): number {
    return [...this.#leases.values()].filter((lease) => lease.holder === holder).length;
  }

  #settle({ lease: id, key, sequence, acknowledged, unacknowledged, over }: Exchange['settlements'][number], now: number): void {
    const lease = this.#leases.get(id);
    if (lease === undefined || sequence <= (this.#settled.get(id) ?? 0)) return;
    this.#settled.set(id, sequence);
    this.acknowledged.set(key, (this.acknowledged.get(key) ?? 0) + (acknowledged['units'] ?? 0));
    for (const { name, ledger } of this.#limits(key, 'calendar')) lease.open[name] = (lease.open[name] ?? 0) - (acknowledged[ledger] ?? 0) - (unacknowledged[ledger] ?? 0);
    if (!over) return;
    for (const { name } of this.#limits(key, 'calendar')) this.#spend(key, name, -(lease.open[name] ?? 0));
    this.#end(lease, now);
  }

  #renew(lease: Booked, parts: number, now: number): Lease {
    const before = { key: lease.key, rate: lease.rate, until: lease.until + this.#tailMs(lease.key) };
    const rate = this.#share(lease.key, parts);
    const smaller = Object.keys(rate).some((name) => (rate[name] ?? 0) < (before.rate[name] ?? 0));
    // What it had counts until then; so much less is free for others meanwhile.
    if (smaller) this.#held.push({ ...before, rate: Object.fromEntries(Object.keys(rate).map((name) => [name, (before.rate[name] ?? 0) - (rate[name] ?? 0)])) });
    if (smaller) lease.rate = rate;
    lease.until = now + LEASE_MS;
    this.#rights.set(`${lease.holder} ${lease.key}`, lease.until);
    return this.#told(lease);
  }

  #grant(holder: string, keys: readonly { readonly alias: string; readonly tariff: Tariff }[], parts: number, now: number): Lease | undefined {
    const free = keys
      .filter(({ alias }) => this.#limits(alias, 'rolling').every(({ name, units }) => units - this.#heldOf(alias, name, now) >= Math.floor(units / parts)))
      .filter(({ alias }) => this.#limits(alias, 'calendar').every(({ name, units }) => units - (this.#spent.get(`${alias} ${name}`) ?? 0) >= MIN_QUOTA))
      .sort((a, b) => (this.#spent.get(`${a.alias} total`) ?? 0) - (this.#spent.get(`${b.alias} total`) ?? 0))[0];
    if (free === undefined) return undefined;
    this.#ids += 1;
    const lease: Booked = { id: `${holder}-${this.#ids}`, key: free.alias, holder, provider: free.tariff.provider, until: now + LEASE_MS, rate: this.#share(free.alias, parts), open: {} };
    this.#leases.set(lease.id, lease);
    this.#rights.set(`${holder} ${lease.key}`, lease.until);
    return this.#told(lease);
  }

  #told({ id, key, provider, rate, open }: Booked): Lease {
    const quota = Object.fromEntries(
      this.#limits(key, 'calendar').map(({ name, units }) => {
        const spent = this.#spent.get(`${key} ${name}`) ?? 0;
        const perMs = Math.max(...this.#limits(key, 'rolling').map((limit) => (rate[limit.name] ?? 0) / (limit as Limit & { windowMs: number }).windowMs));
        const grant = Math.max(0, Math.min(units - spent, Math.ceil(perMs * QUOTA_FOR_MS) - (open[name] ?? 0)));
        this.#spend(key, name, grant);
        open[name] = (open[name] ?? 0) + grant;
        return [name, grant];
      }),
    );
    return { id, key, provider, validForMs: LEASE_MS, rate, quota, headOnly: false };
  }

  #endLost(now: number): void {
    for (const lease of this.#leases.values()) {
      if (lease.until >= now) continue;
      this.lost += 1;
      this.#end(lease, lease.until);
    }
    this.#held = this.#held.filter(({ until }) => until > now);
  }

  #end(lease: Booked, at: number): void {
    this.#leases.delete(lease.id);
    this.#held.push({ key: lease.key, rate: lease.rate, until: at + this.#tailMs(lease.key) });
  }

  #heldOf(key: string, limit: string, now: number): number {
    const leased = [...this.#leases.values()].filter((lease) => lease.key === key).reduce((sum, { rate }) => sum + (rate[limit] ?? 0), 0);
    return this.#held.filter((held) => held.key === key && held.until > now).reduce((sum, { rate }) => sum + (rate[limit] ?? 0), leased);
  }

  #holders(provider: string, now: number): readonly string[] {
    return [...this.#seen].filter(([name, { at }]) => name.startsWith(`${provider} `) && now - at < SEEN_MS).map(([name]) => name.slice(provider.length + 1));
  }

  #count(provider: string, holder: string): number {
    return [...this.#leases.values()].filter((lease) => lease.provider === provider && lease.holder === holder).length;
  }

  #share(key: string, parts: number): Record<string, number> {
    return Object.fromEntries(this.#limits(key, 'rolling').map(({ name, units }) => [name, Math.floor(units / parts)]));
  }

  #tailMs(key: string): number {
    const { slackMs } = this.#tariff(key);
    return Math.max(...this.#limits(key, 'rolling').map((limit) => (limit as Limit & { windowMs: number }).windowMs)) + slackMs;
  }

  #spend(key: string, limit: string, units: number): void {
    this.#spent.set(`${key} ${limit}`, (this.#spent.get(`${key} ${limit}`) ?? 0) + units);
  }

  #limits(key: string, kind: Limit['kind']): readonly Limit[] {
    return this.#tariff(key).limits.filter((limit) => limit.kind === kind);
  }

  #tariff(key: string): Tariff {
    return this.#keys.find(({ alias }) => alias === key)?.tariff as Tariff;
  }
}

/** Less is not worth a lease. */
const MIN_QUOTA = 1_000;
