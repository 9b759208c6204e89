import { type Cost, type Settlement, type Tariff, costOf } from '../contracts/index.ts';

type Rolling = Extract<Tariff['limits'][number], { readonly kind: 'rolling' }>;
type Calendar = Extract<Tariff['limits'][number], { readonly kind: 'calendar' }>;

/** What a request needs of each limit, in the order of the tariff. */
export interface Need {
  readonly rolling: readonly number[];
  readonly calendar: readonly number[];
}

/** A tariff, made ready for reckoning thousands of times a second. */
export class Metering {
  readonly tariff: Tariff;
  readonly rolling: readonly Rolling[];
  readonly calendar: readonly Calendar[];
  readonly longestWindowMs: number;
  readonly #units = new Map<string, number>();

  constructor(tariff: Tariff) {
    this.tariff = tariff;
    this.rolling = tariff.limits.filter((limit) => limit.kind === 'rolling');
    this.calendar = tariff.limits.filter((limit) => limit.kind === 'calendar');
    this.longestWindowMs = Math.max(0, ...this.rolling.map(({ windowMs }) => windowMs));
  }

  need(cost: Cost): Need {
    return { rolling: this.rolling.map(({ ledger }) => cost[ledger] ?? 0), calendar: this.calendar.map(({ ledger }) => cost[ledger] ?? 0) };
  }

  /** Who spent it, by method; what a batch costs on top of its calls is a row of its own. */
  rows(chainId: string, calls: Readonly<Record<string, number>>, cost: Cost): Settlement['by'] {
    let rest = cost['units'] ?? 0;
    const rows = Object.entries(calls).map(([method, times]) => {
      const units = Math.min(rest, times * this.#unitsOf(method));
      rest -= units;
      return { chainId, method, calls: times, units };
    });
    return rest === 0 ? rows : [...rows, { chainId, method: 'batch', calls: 0, units: rest }];
  }

  #unitsOf(method: string): number {
    let units = this.#units.get(method);
    if (units === undefined) {
      units = costOf(this.tariff, [method])['units'] ?? 0;
      this.#units.set(method, units);
    }
    return units;
  }
}
