interface Freed {
  readonly at: number;
  readonly units: number;
}

/** Of an answered request: when, and how much longer it took than nine in ten of late. */
export interface Answered {
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly lateMs: number;
}

/**
 * At most `units` in any stretch of `windowMs` at the provider, wherever it lets its windows begin. It holds under one
 * condition: the way of a request to the meter varies by at most `slackMs`, plus what its answer came late. A request is
 * metered after it was sent and before it was answered; so two that are permitted while not both are held here arrive at
 * least `windowMs` apart. Times are of any one time line.
 */
export class RollingWindow {
  readonly windowMs: number;
  readonly #slackMs: number;
  /** May change with a lease; what is held stays held. */
  units: number;
  /** On top of everything: learned from a refusal that should not have come. */
  extraMs = 0;
  /** Of permits that are unsent or unanswered: nobody knows yet when the meter counts them. */
  #open = 0;
  #closing = 0;
  /** Sorted by time, from `#first` on. */
  #freed: Freed[] = [];
  #first = 0;

  constructor({ units, windowMs, slackMs }: { readonly units: number; readonly windowMs: number; readonly slackMs: number }) {
    this.units = units;
    this.windowMs = windowMs;
    this.#slackMs = slackMs;
  }

  /** 0: it may go now. Infinity: not before something is answered, or never. */
  waitMs(units: number, now: number): number {
    let over = this.held(now) + units - this.units;
    if (over <= 0) return 0;
    if (over > this.#closing) return Infinity;
    for (let at = this.#first; ; at += 1) {
      const freed = this.#freed[at] as Freed;
      over -= freed.units;
      if (over <= 0) return freed.at - now;
    }
  }

  held(now: number): number {
    while (this.#first < this.#freed.length && (this.#freed[this.#first] as Freed).at <= now) {
      this.#closing -= (this.#freed[this.#first] as Freed).units;
      this.#first += 1;
    }
    if (this.#first > COMPACT_AT && this.#first * 2 > this.#freed.length) {
      this.#freed = this.#freed.slice(this.#first);
      this.#first = 0;
    }
    return this.#open + this.#closing;
  }

  /** Held from now on; also where there is no room, for what was spent unasked. */
  take(units: number): void {
    this.#open += units;
  }

  /** Of a permit on which nothing was sent. */
  giveBack(units: number): void {
    this.#open -= units;
  }

  answered(units: number, { sentAt, answeredAt, lateMs }: Answered): void {
    const meteredBy = Math.min(answeredAt, sentAt + this.#slackMs + lateMs);
    this.#free(units, meteredBy + this.windowMs + this.extraMs);
  }

  /** Given up at this time; it may be on its way still. */
  unanswered(units: number, now: number): void {
    this.#free(units, now + this.#slackMs + this.windowMs + this.extraMs);
  }

  #free(units: number, at: number): void {
    this.#open -= units;
    if (units === 0) return;
    this.#closing += units;
    let place = this.#freed.length;
    while (place > this.#first && (this.#freed[place - 1] as Freed).at > at) place -= 1;
    this.#freed.splice(place, 0, { at, units });
  }
}

const COMPACT_AT = 64;
