import { ChainfoldError, type Clock } from '#platform/kernel';
import type { Cost, LeaseDesk, Permit, SpendingAsk, Tariff } from '#contracts/key-pool';
import { LeasedPurse } from '../../libs/contexts/key-pool/src/application/leased-purse.ts';
import type { SeededRandom } from './seeded-random.ts';

/** The clock of a process that can be stopped (time goes on) and killed (nothing ever happens again). */
class ProcessClock implements Clock {
  readonly #clock: Clock;
  #stopped: Promise<void> | undefined;
  #continue: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, signal);
    await this.running();
  }

  async running(): Promise<void> {
    while (this.#stopped !== undefined) await this.#stopped;
  }

  stop(): void {
    this.#stopped ??= new Promise((resolve) => (this.#continue = resolve));
  }

  continue(): void {
    this.#stopped = undefined;
    this.#continue?.();
  }
}

/** What a request meets on its way: how late it is metered, what that says, and how late the answer is. */
export interface Way {
  /** From its permit until it is sent. */
  readonly unsentMs: number;
  readonly toMeterMs: number;
  readonly answerMs: number;
}

export interface Network {
  way(tariff: Tariff): Way;
  /** At the meter, on the provider's side. */
  meter(holder: string, key: string, cost: Cost, sentAt: number): 'ok' | 'throttled' | 'exhausted';
}

export interface Demand {
  readonly tariff: Tariff;
  /** What backfill asks for, in turn. */
  readonly calls: readonly string[];
  readonly costs: readonly Cost[];
  /** So many at once. */
  readonly requests: number;
}

/** A process that captures: it asks its purse for as much as it can get, and a head now and then. */
export class Holder {
  readonly name: string;
  readonly purse: LeasedPurse;
  readonly clock: ProcessClock;
  readonly lines: string[] = [];
  /** How long heads waited for their turn. */
  readonly headWaits: number[] = [];
  readonly #world: Clock;
  readonly #network: Network;
  #lives = true;
  #stopsWithPermit = false;

  constructor(name: string, clock: Clock, desk: LeaseDesk, demands: readonly Demand[], network: Network, random: SeededRandom) {
    this.name = name;
    this.#world = clock;
    this.#network = network;
    this.clock = new ProcessClock(clock);
    const say = (fields: object, message: string): void => void this.lines.push(`${message} ${JSON.stringify(fields)}`);
    const distant: LeaseDesk = {
      exchange: async (exchange) => {
        const way = random.between(1, 4);
        await this.clock.sleep(way);
        const answer = await desk.exchange(exchange);
        await this.clock.sleep(way);
        return answer;
      },
    };
    this.purse = new LeasedPurse({
      holder: name,
      desk: distant,
      tariffs: new Map(demands.map(({ tariff }) => [tariff.provider, tariff])),
      clock: this.clock,
      log: { info: say, warn: say, error: say },
      sharedNow: () => clock.monotonic(),
      random: () => random.next(),
    });
    for (const demand of demands) {
      for (let at = 0; at < demand.requests; at += 1) void this.#backfill(demand, String(at % 2), at);
      void this.#follow(demand, random.between(20_000, 32_000));
    }
  }

  kill(): void {
    this.#lives = false;
    this.clock.stop();
  }

  /** As soon as it has a permit in its hand that it did not send yet. */
  stop(): void {
    this.#stopsWithPermit = true;
  }

  async close(): Promise<void> {
    this.#lives = false;
    await this.purse.close();
  }

  async #backfill({ tariff, calls, costs }: Demand, chainId: string, first: number): Promise<void> {
    for (let turn = first; this.#lives; turn += 1) {
      await this.#request(tariff, { provider: tariff.provider, cost: costs[turn % costs.length] as Cost, calls: { [calls[turn % calls.length] as string]: 1 }, chainId, lane: 'backfill' });
    }
  }

  async #follow({ tariff, calls, costs }: Demand, firstMs: number): Promise<void> {
    for (let pauseMs = firstMs; this.#lives; pauseMs = 12_000) {
      await this.clock.sleep(pauseMs);
      const asked = this.#world.monotonic();
      await this.#request(tariff, { provider: tariff.provider, cost: costs[0] as Cost, calls: { [calls[0] as string]: 1 }, chainId: '1', lane: 'head' }, () => this.headWaits.push(this.#world.monotonic() - asked));
    }
  }

  async #request(tariff: Tariff, ask: SpendingAsk, granted?: () => void): Promise<void> {
    try {
      const permit = await this.purse.acquire(ask);
      granted?.();
      if (this.#stopsWithPermit) this.clock.stop();
      this.#stopsWithPermit = false;
      await this.#send(tariff, permit, ask.cost);
    } catch (error) {
      if (!(error instanceof ChainfoldError)) throw error;
      await this.clock.sleep(Math.min(1_000, Math.max(50, Number(error.facts['waitMs']))));
    }
  }

  /** As a transport does: nothing leaves on a permit that is over. */
  async #send(tariff: Tariff, permit: Permit, cost: Cost): Promise<void> {
    const { unsentMs, toMeterMs, answerMs } = this.#network.way(tariff);
    await this.clock.sleep(unsentMs);
    const sentAt = this.#world.monotonic();
    if (sentAt >= permit.validUntil) return this.purse.settle(permit, { kind: 'unspent' });
    // On its way it is the world's, whatever becomes of the process.
    await this.#world.sleep(toMeterMs);
    const seen = this.#network.meter(this.name, permit.key, cost, sentAt);
    await this.#world.sleep(answerMs - toMeterMs);
    await this.clock.running();
    this.purse.settle(permit, { kind: 'answered', class: seen, sentAt, answeredAt: this.#world.monotonic() });
  }
}
