import type { Cost, Limit, Tariff } from '../../contracts/index.ts';
import type { GaugeReport, Moment, Overrun } from './limit-gauges.ts';
import { QuotaGauge, RateGauge } from './limit-gauges.ts';
import type { WindowModel } from './meter-windows.ts';
import { meterCalls, meterPush } from './request-meter.ts';

export interface MeterOptions {
  readonly tariff: Tariff;
  readonly modelOf: (limit: Limit) => WindowModel;
  /** In [0, 1) of each rolling limit: where in a window the clock starts. */
  readonly phaseOf: (limit: Limit) => number;
}

/** What one account used and may still use. Nothing is charged for what is refused. */
export class AccountMeter {
  readonly calls = new Map<string, number>();
  readonly units = new Map<string, number>();
  readonly #tariff: Tariff;
  readonly #gauges: readonly (RateGauge | QuotaGauge)[];

  constructor({ tariff, modelOf, phaseOf }: MeterOptions) {
    this.#tariff = tariff;
    this.#gauges = tariff.limits.map((limit) => (limit.kind === 'rolling' ? new RateGauge(limit, modelOf(limit), phaseOf(limit)) : new QuotaGauge(limit)));
  }

  /** Charges one request with these calls, all or none of it. */
  charge(methods: readonly string[], moment: Moment, batch = methods.length > 1): Overrun | undefined {
    const cost = meterCalls(this.#tariff, methods, batch);
    const over = this.#overrun(cost, moment);
    if (over !== undefined) return over;
    this.#count(cost, moment);
    for (const method of methods) this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    return undefined;
  }

  /** A notification goes out whatever the rate; it counts in the windows all the same. Undefined: counted. */
  push(bytes: number, moment: Moment): Overrun | undefined {
    const cost = meterPush(this.#tariff, bytes);
    const over = this.#overrun(cost, moment);
    if (over?.reason === 'quota') return over;
    this.#count(cost, moment);
    return undefined;
  }

  /** The quota that is gone, to the last call that anybody could make of it. */
  exhausted(moment: Moment): Overrun | undefined {
    const gone = this.#gauges.find((gauge) => gauge instanceof QuotaGauge && gauge.left(moment) <= 0);
    return gone?.overrun(1, moment);
  }

  report(): readonly GaugeReport[] {
    return this.#gauges.map((gauge) => gauge.report());
  }

  #overrun(cost: Cost, moment: Moment): Overrun | undefined {
    const overs = this.#gauges.filter((gauge) => {
      const units = cost[gauge.limit.ledger] ?? 0;
      return units > 0 && gauge.left(moment) < units;
    });
    const worst = overs.find((gauge) => gauge instanceof QuotaGauge) ?? overs[0];
    return worst?.overrun(cost[worst.limit.ledger] ?? 0, moment);
  }

  #count(cost: Cost, moment: Moment): void {
    for (const gauge of this.#gauges) if ((cost[gauge.limit.ledger] ?? 0) > 0) gauge.add(cost[gauge.limit.ledger] ?? 0, moment);
    for (const [ledger, units] of Object.entries(cost)) this.units.set(ledger, (this.units.get(ledger) ?? 0) + units);
  }
}
