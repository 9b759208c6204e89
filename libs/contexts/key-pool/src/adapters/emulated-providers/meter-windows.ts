/** How a provider counts what may be used in a stretch of time. Written from its documents, and of no limiter of ours. */
export type WindowModel = 'tumbling' | 'rolling' | 'bucket';

export interface WindowShape {
  readonly units: number;
  readonly windowMs: number;
  /** Tumbling: so long before the start of the clock one of its windows began. */
  readonly phaseMs?: number;
}

/** Times are milliseconds of a clock that never falls. */
export interface MeterWindow {
  /** Fit now. Below zero where more was counted than fits. */
  left(at: number): number;
  /** Counts, whether it fits or not: whoever refuses asks `left` first. */
  add(units: number, at: number): void;
  /** Until so many fit, if nothing else comes; Infinity: they never do. */
  waitMs(units: number, at: number): number;
  /** Most that ever stood in one window. */
  readonly peak: number;
}

export function meterWindow(model: WindowModel, shape: WindowShape): MeterWindow {
  switch (model) {
    case 'tumbling':
      return new TumblingWindow(shape);
    case 'rolling':
      return new RollingLog(shape);
    case 'bucket':
      return new LeakyBucket(shape);
  }
}

/** Empty again at each multiple of its length, so that twice the units fit around a border. */
class TumblingWindow implements MeterWindow {
  peak = 0;
  readonly #shape: WindowShape;
  #index = -1;
  #used = 0;

  constructor(shape: WindowShape) {
    this.#shape = shape;
  }

  left(at: number): number {
    return this.#shape.units - (this.#indexAt(at) === this.#index ? this.#used : 0);
  }

  add(units: number, at: number): void {
    if (this.#indexAt(at) !== this.#index) this.#used = 0;
    this.#index = this.#indexAt(at);
    this.#used += units;
    this.peak = Math.max(this.peak, this.#used);
  }

  waitMs(units: number, at: number): number {
    if (units > this.#shape.units) return Infinity;
    return units <= this.left(at) ? 0 : (this.#indexAt(at) + 1) * this.#shape.windowMs - (this.#shape.phaseMs ?? 0) - at;
  }

  #indexAt(at: number): number {
    return Math.floor((at + (this.#shape.phaseMs ?? 0)) / this.#shape.windowMs);
  }
}

/** Looks back from each moment: what is a whole window old counts no more. */
class RollingLog implements MeterWindow {
  peak = 0;
  readonly #shape: WindowShape;
  #log: { readonly at: number; readonly units: number }[] = [];
  #used = 0;
  #oldest = 0;

  constructor(shape: WindowShape) {
    this.#shape = shape;
  }

  left(at: number): number {
    for (let one = this.#log[this.#oldest]; one !== undefined && one.at + this.#shape.windowMs <= at; one = this.#log[this.#oldest]) {
      this.#used -= one.units;
      this.#oldest += 1;
    }
    if (this.#oldest > 1_000) this.#log = this.#log.slice(this.#oldest);
    if (this.#oldest > 1_000) this.#oldest = 0;
    return this.#shape.units - this.#used;
  }

  add(units: number, at: number): void {
    this.#used += units;
    this.#log.push({ at, units });
    this.peak = Math.max(this.peak, this.#shape.units - this.left(at));
  }

  waitMs(units: number, at: number): number {
    if (units > this.#shape.units) return Infinity;
    let missing = units - this.left(at);
    for (let next = this.#oldest; missing > 0; next += 1) {
      const one = this.#log[next];
      if (one === undefined) return Infinity;
      missing -= one.units;
      if (missing <= 0) return one.at + this.#shape.windowMs - at;
    }
    return 0;
  }
}

/** Full at the start, and filled again evenly, so that a burst of all of it leaves only the trickle. */
class LeakyBucket implements MeterWindow {
  peak = 0;
  readonly #shape: WindowShape;
  #used = 0;
  #at = 0;

  constructor(shape: WindowShape) {
    this.#shape = shape;
  }

  left(at: number): number {
    this.#used = Math.max(0, this.#used - ((at - this.#at) * this.#shape.units) / this.#shape.windowMs);
    this.#at = at;
    return this.#shape.units - this.#used;
  }

  add(units: number, at: number): void {
    this.left(at);
    this.#used += units;
    this.peak = Math.max(this.peak, this.#used);
  }

  waitMs(units: number, at: number): number {
    if (units > this.#shape.units) return Infinity;
    return (Math.max(0, units - this.left(at)) * this.#shape.windowMs) / this.#shape.units;
  }
}
