import { ActorSystem } from '#platform/actors';
import { openMemoryEventStore } from '#platform/event-store';
import type { Clock } from '#platform/kernel';
import type { Exchange, ExchangeAnswer, LeaseDesk, Tariff } from '#contracts/key-pool';
import { type ApiKeyActors, defineApiKeyActors } from '../../libs/contexts/key-pool/src/application/api-key-actors.ts';
import { BookingLeaseDesk } from '../../libs/contexts/key-pool/src/application/lease-desk.ts';
import type { RegisteredApiKey } from '../../libs/contexts/key-pool/src/domain/api-key-state.ts';

const NO_NEWS = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The real desk over a log in memory, and who had which right until when. */
export class WatchedDesk implements LeaseDesk {
  readonly #clock: Clock;
  readonly #keys: readonly { readonly alias: string; readonly tariff: Tariff }[];
  readonly #actors: ApiKeyActors;
  readonly #desk: BookingLeaseDesk;
  readonly #opened: Promise<void>;
  /** By holder and key: until when it may send at the latest. */
  readonly #rights = new Map<string, number>();
  readonly #leases = new Map<string, Set<string>>();

  constructor(clock: Clock, keys: readonly { readonly alias: string; readonly tariff: Tariff }[]) {
    this.#clock = clock;
    this.#keys = keys;
    this.#actors = defineApiKeyActors(new ActorSystem({ store: openMemoryEventStore(), clock }));
    const tariffs = new Map(keys.map(({ tariff }) => [tariff.provider, tariff]));
    const named = keys.map(({ alias, tariff }) => ({ alias, provider: tariff.provider, fingerprints: [alias] }));
    this.#desk = new BookingLeaseDesk({ actors: this.#actors, keys: named, tariffs, clock, log: NO_NEWS });
    this.#opened = this.#desk.open('inside.', 'nobody');
  }

  async exchange(exchange: Exchange): Promise<ExchangeAnswer> {
    await this.#opened;
    const answer = await this.#desk.exchange(exchange);
    const { holder } = exchange;
    const leases = this.#leases.get(holder) ?? new Set();
    this.#leases.set(holder, leases);
    for (const { lease, over } of exchange.settlements) if (over) leases.delete(lease);
    for (const { id, key, validForMs } of answer.leases) {
      leases.add(id);
      const right = `${holder} ${key}`;
      this.#rights.set(right, Math.max(this.#rights.get(right) ?? 0, this.#clock.monotonic() + validForMs));
    }
    return answer;
  }

  /** Whether this holder had the right to send on this key at this time. */
  isHeld(holder: string, key: string, at: number): boolean {
    return at <= (this.#rights.get(`${holder} ${key}`) ?? -Infinity);
  }

  leasesOf(holder: string): number {
    return this.#leases.get(holder)?.size ?? 0;
  }

  async states(): Promise<ReadonlyMap<string, RegisteredApiKey>> {
    const states = await Promise.all(this.#keys.map(async ({ alias }) => [alias, (await this.#actors.peek(alias)).state] as const));
    return new Map(states.flatMap(([alias, state]) => (state.status === 'registered' ? [[alias, state]] : [])));
  }
}
