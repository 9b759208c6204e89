import { type Cost, type Tariff } from '#contracts/key-pool';
import type { SeededRandom } from './seeded-random.ts';

interface Taken {
  readonly at: number;
  readonly units: number;
}

/** What a provider counts on one of its keys, by its own clock and windows; it knows nothing of leases. */
class MeteredKey {
  readonly #limits: readonly ((cost: Cost, at: number) => 'throttled' | 'exhausted' | undefined)[];
  units = 0;
  requests = 0;

  constructor({ limits }: Tariff, random: SeededRandom, shape: 'tumbling' | 'rolling') {
    this.#limits = limits.map((limit) => {
      if (limit.kind === 'calendar') return quota(limit.units, limit.ledger);
      return shape === 'tumbling' ? tumbling(limit.units, limit.windowMs, limit.ledger, random.next() * limit.windowMs) : rolling(limit.units, limit.windowMs, limit.ledger);
    });
  }

  take(cost: Cost, at: number): 'ok' | 'throttled' | 'exhausted' {
    this.requests += 1;
    const refused = this.#limits.map((limit) => limit(cost, at)).find((refusal) => refusal !== undefined);
    if (refused !== undefined) return refused;
    this.units += cost['units'] ?? 0;
    return 'ok';
  }
}

type Check = (cost: Cost, at: number) => 'throttled' | 'exhausted' | undefined;

function tumbling(limit: number, windowMs: number, ledger: string, phase: number): Check {
  let [window, used] = [-1, 0];
  return (cost, at) => {
    const current = Math.floor((at + phase) / windowMs);
    if (current !== window) [window, used] = [current, 0];
    used += cost[ledger] ?? 0;
    return used > limit ? 'throttled' : undefined;
  };
}

function rolling(limit: number, windowMs: number, ledger: string): Check {
  const taken: Taken[] = [];
  let used = 0;
  return (cost, at) => {
    while (taken[0] !== undefined && taken[0].at <= at - windowMs) used -= (taken.shift() as Taken).units;
    const units = cost[ledger] ?? 0;
    taken.push({ at, units });
    used += units;
    return used > limit ? 'throttled' : undefined;
  };
}

function quota(limit: number, ledger: string): Check {
  let used = 0;
  return (cost) => ((used += cost[ledger] ?? 0) > limit ? 'exhausted' : undefined);
}

/** Says of each request whether the provider would have refused it, and counts. */
export class Referee {
  readonly keys: ReadonlyMap<string, MeteredKey>;
  /** What should not have come, each with its reason. */
  readonly refusals: string[] = [];

  constructor(keys: readonly { readonly alias: string; readonly tariff: Tariff; readonly shape: 'tumbling' | 'rolling' }[], random: SeededRandom) {
    this.keys = new Map(keys.map(({ alias, tariff, shape }) => [alias, new MeteredKey(tariff, random, shape)]));
  }

  take(alias: string, cost: Cost, at: number): 'ok' | 'throttled' | 'exhausted' {
    const answer = (this.keys.get(alias) as MeteredKey).take(cost, at);
    if (answer !== 'ok') this.refusals.push(`${alias} ${answer} at ${at.toFixed(1)} ms`);
    return answer;
  }

  unitsOf(aliases: readonly string[]): number[] {
    return aliases.map((alias) => this.keys.get(alias)?.units ?? 0);
  }
}
