import { ActorSystem } from '#platform/actors';
import type { EventStore } from '#platform/event-store';
import type { Clock } from '#platform/kernel';
import type { Exchange, ExchangeAnswer, Settlement, Tariff } from '../contracts/index.ts';
import type { RegisteredApiKey } from '../domain/api-key-state.ts';
import { type ApiKeyActors, defineApiKeyActors } from './api-key-actors.ts';
import { BookingLeaseDesk } from './lease-desk.ts';

const SLACK_MS = 40;
const WINDOW_MS = 1_000;

export const TARIFF: Tariff = {
  provider: 'ours',
  title: 'Ours',
  unit: 'credits',
  ledgers: { units: { default: 1, methods: {}, batch: 0, push: { each: 0, perByte: 0 } } },
  limits: [
    { kind: 'rolling', name: 'second', ledger: 'units', windowMs: WINDOW_MS, units: 100 },
    { kind: 'calendar', name: 'day', ledger: 'units', period: 'day', units: 20_000 },
    { kind: 'calendar', name: 'month', ledger: 'units', period: 'month', units: 90_000 },
  ],
  mostCallsPerRequest: 1,
  unsupported: [],
  slackMs: SLACK_MS,
};

/** Time stands still but where a test moves it; nobody who sleeps waits. */
export class StandingClock implements Clock {
  at: number;

  constructor(at: number) {
    this.at = at;
  }

  now(): number {
    return this.at;
  }

  monotonic(): number {
    return this.at;
  }

  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

/** One owner of the log: actors of its own, and a desk over them. */
export class Owner {
  readonly actors: ApiKeyActors;
  readonly desk: BookingLeaseDesk;
  readonly lines: string[] = [];

  constructor(store: EventStore, clock: Clock, keys: number, tariff: Tariff = TARIFF) {
    this.actors = defineApiKeyActors(new ActorSystem({ store, clock }));
    const named = Array.from({ length: keys }, (_, at) => ({ alias: `key-${at}`, provider: tariff.provider, fingerprints: [`${at}`] }));
    const note = (fields: object, message: string): void => void this.lines.push(`${message} ${JSON.stringify(fields)}`);
    this.desk = new BookingLeaseDesk({ actors: this.actors, keys: named, tariffs: new Map([[tariff.provider, tariff]]), clock, log: { info: note, warn: note, error: note } });
  }

  async key(alias: string): Promise<RegisteredApiKey> {
    return (await this.actors.peek(alias)).state as RegisteredApiKey;
  }
}

interface Had {
  readonly key: string;
  until: number;
  quota: number;
  sequence: number;
  unsettled: number;
}

/** A process that spends all it may, settles, and hears not every answer. */
export class Holder {
  readonly name: string;
  readonly leases = new Map<string, Had>();
  /** What it may send by, while its leases are counted by a provider. */
  readonly rights: { readonly lease: string; readonly key: string; readonly rate: number; until: number }[] = [];
  readonly spent: { readonly key: string; readonly at: number; readonly units: number }[] = [];
  readonly #clock: Clock;
  #unheard: Settlement[] = [];

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  spend(share: number): void {
    const at = this.#clock.now();
    for (const lease of this.leases.values()) {
      const units = lease.until > at ? Math.floor(lease.quota * share) : 0;
      lease.quota -= units;
      lease.unsettled += units;
      if (units > 0) this.spent.push({ key: lease.key, at, units });
    }
  }

  /** `giveBack`: of its leases, from the first one on. `heard`: whether the answer arrives. */
  async exchange({ desk }: Owner, { more, giveBack, heard }: { readonly more: number; readonly giveBack: number; readonly heard: boolean }): Promise<ExchangeAnswer | undefined> {
    const now = this.#clock.now();
    const [back, kept] = [[...this.leases.keys()].slice(0, giveBack), [...this.leases.keys()].slice(giveBack)];
    const settlements = [...this.#unheard, ...back.map((id) => this.#settlement(id, true)), ...kept.map((id) => this.#settlement(id, false))];
    this.#unheard = settlements;
    for (const id of back) this.#end(id, now);
    const exchange: Exchange = { holder: this.name, provider: TARIFF.provider, settlements, sightings: [], wanted: { renew: kept, more } };
    const answer = await desk.exchange(exchange).catch(() => undefined);
    if (answer === undefined || !heard) return undefined;
    this.#unheard = [];
    for (const { id, key, validForMs, rate, quota } of answer.leases) {
      const had = this.leases.get(id);
      const until = now + validForMs;
      this.rights.push({ lease: id, key, rate: rate['second'] ?? 0, until });
      const units = (had?.quota ?? 0) + Math.min(quota['day'] ?? 0, quota['month'] ?? 0);
      this.leases.set(id, { key, until, quota: units, sequence: had?.sequence ?? 0, unsettled: had?.unsettled ?? 0 });
    }
    return answer;
  }

  /** What it may have sent on a key in a window of its provider, at the most. */
  mostOn(key: string, now: number): number {
    const most = new Map<string, number>();
    for (const right of this.rights) if (right.key === key && right.until + WINDOW_MS + SLACK_MS > now) most.set(right.lease, Math.max(most.get(right.lease) ?? 0, right.rate));
    return [...most.values()].reduce((sum, units) => sum + units, 0);
  }

  die(): void {
    for (const id of this.leases.keys()) this.#end(id, this.#clock.now());
    this.#unheard = [];
  }

  #settlement(lease: string, over: boolean): Settlement {
    const had = this.leases.get(lease) as Had;
    had.sequence += 1;
    const units = had.unsettled;
    had.unsettled = 0;
    return { lease, key: had.key, sequence: had.sequence, acknowledged: { units }, unacknowledged: {}, requests: 1, errors: {}, by: [], over };
  }

  #end(id: string, now: number): void {
    this.leases.delete(id);
    for (const right of this.rights) if (right.lease === id) right.until = Math.min(right.until, now);
  }
}
