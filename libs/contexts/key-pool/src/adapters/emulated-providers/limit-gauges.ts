import type { Limit } from '../../contracts/index.ts';
import type { MeterWindow, WindowModel } from './meter-windows.ts';
import { meterWindow } from './meter-windows.ts';

/** One moment, on the clock that never falls and on the provider's own wall. */
export interface Moment {
  readonly at: number;
  readonly wall: number;
}

export interface Overrun {
  readonly reason: 'rate' | 'quota';
  readonly limit: string;
  /** Until it would fit, of a rate. */
  readonly waitMs: number;
}

export interface GaugeReport {
  readonly name: string;
  readonly ledger: string;
  readonly kind: Limit['kind'];
  /** Allowed in one window or period. */
  readonly units: number;
  readonly windowMs?: number;
  readonly model?: WindowModel;
  readonly phaseMs?: number;
  /** Most in one of the provider's own windows; of a quota: in one period. */
  readonly peak: number;
  /** Most in any stretch of that length, wherever it begins. */
  readonly peakAnywhere?: number;
  /** By day (`2026-03-01`) or month (`2026-03`) of the provider's clock. */
  readonly periods?: Readonly<Record<string, number>>;
}

/** Of a rolling limit. */
export class RateGauge {
  readonly limit: Extract<Limit, { kind: 'rolling' }>;
  readonly #model: WindowModel;
  readonly #phaseMs: number;
  readonly #window: MeterWindow;
  readonly #anywhere: MeterWindow;

  constructor(limit: Extract<Limit, { kind: 'rolling' }>, model: WindowModel, phase: number) {
    this.limit = limit;
    this.#model = model;
    this.#phaseMs = Math.floor(phase * limit.windowMs);
    this.#window = meterWindow(model, { ...limit, phaseMs: this.#phaseMs });
    this.#anywhere = meterWindow('rolling', limit);
  }

  left({ at }: Moment): number {
    return this.#window.left(at);
  }

  add(units: number, { at }: Moment): void {
    this.#window.add(units, at);
    this.#anywhere.add(units, at);
  }

  overrun(units: number, { at }: Moment): Overrun {
    return { reason: 'rate', limit: this.limit.name, waitMs: this.#window.waitMs(units, at) };
  }

  report(): GaugeReport {
    const { name, ledger, kind, units, windowMs } = this.limit;
    const phase = this.#model === 'tumbling' ? { phaseMs: this.#phaseMs } : {};
    return { name, ledger, kind, units, windowMs, model: this.#model, ...phase, peak: this.#window.peak, peakAnywhere: this.#anywhere.peak };
  }
}

/** Of a calendar limit. */
export class QuotaGauge {
  readonly limit: Extract<Limit, { kind: 'calendar' }>;
  readonly #periods = new Map<string, number>();

  constructor(limit: Extract<Limit, { kind: 'calendar' }>) {
    this.limit = limit;
  }

  left(moment: Moment): number {
    return this.limit.units - (this.#periods.get(this.#periodOf(moment)) ?? 0);
  }

  add(units: number, moment: Moment): void {
    const period = this.#periodOf(moment);
    this.#periods.set(period, (this.#periods.get(period) ?? 0) + units);
  }

  overrun(): Overrun {
    return { reason: 'quota', limit: this.limit.name, waitMs: Infinity };
  }

  report(): GaugeReport {
    const { name, ledger, kind, units } = this.limit;
    return { name, ledger, kind, units, peak: Math.max(0, ...this.#periods.values()), periods: Object.fromEntries(this.#periods) };
  }

  #periodOf({ wall }: Moment): string {
    return new Date(wall).toISOString().slice(0, this.limit.period === 'day' ? 10 : 7);
  }
}
