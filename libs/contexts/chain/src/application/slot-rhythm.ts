/** Blocks whose times are looked at: enough to tell a rhythm, few enough to follow a change of it. */
const LOOKED_AT = 8;
const ENOUGH = 4;
/** Shortest rhythm worth waiting for, and how far a multiple of it may be off (times of blocks are whole seconds). */
const SHORTEST_MS = 1_000;
const TOLERANCE = 0.1;
/** The aim creeps towards the moment that blocks appear, and backs off three times as fast when it came too early. */
const CREEP = 0.02;
const BACK_OFF = 3 * CREEP;
const FIRST_RETRY = 1 / 16;
const SHORTEST_RETRY_MS = 200;

/**
 * When the next block of a chain with fixed slots may be asked for, so that one question is enough for most. Learns the
 * slot from the times of blocks, and how long after its time a block can be had. A missed slot is asked about again after
 * growing pauses. Times in milliseconds since the epoch; only differences between the node's clock and ours matter.
 */
export class SlotRhythm {
  readonly #times: { readonly number: number; readonly at: number }[] = [];
  #slotMs: number | undefined;
  /** After a block's own time: when it is asked for. */
  #aimMs = 0;
  #misses = 0;

  /** A head that was not known before, seen `now`. */
  seen(head: { readonly number: number; readonly timeMs: number }, now: number): void {
    const before = this.#times.at(-1);
    if (before !== undefined && head.number <= before.number) this.#times.length = 0;
    this.#times.push({ number: head.number, at: head.timeMs });
    if (this.#times.length > LOOKED_AT) this.#times.shift();
    const slotMs = this.#rhythm();
    const age = now - head.timeMs;
    // Without an aim of this rhythm yet, or after a jump of a clock, the first sight is the best guess.
    if (slotMs === undefined || slotMs !== this.#slotMs || Math.abs(age - this.#aimMs) > slotMs) this.#aimMs = age;
    else if (this.#misses === 0) this.#aimMs -= slotMs * CREEP;
    this.#slotMs = slotMs;
    this.#misses = 0;
  }

  /** Asked, and there was nothing new. */
  missed(): void {
    if (this.#slotMs === undefined) return;
    if (this.#misses === 0) this.#aimMs += this.#slotMs * BACK_OFF;
    this.#misses += 1;
  }

  /** Until the next question; undefined where blocks have no rhythm. */
  nextInMs(now: number): number | undefined {
    const last = this.#times.at(-1);
    if (this.#slotMs === undefined || last === undefined) return undefined;
    const slot = this.#slotMs;
    const nextAim = last.at + slot + this.#aimMs;
    if (now < nextAim) return nextAim - now;
    const slots = Math.ceil((now - nextAim) / slot);
    const untilNextSlot = nextAim + slots * slot - now;
    const retry = Math.max(SHORTEST_RETRY_MS, slot * FIRST_RETRY * 2 ** Math.min(this.#misses, 10));
    return Math.min(retry, Math.max(SHORTEST_RETRY_MS, untilNextSlot));
  }

  /** The shortest time between two blocks, where all others are multiples of it. */
  #rhythm(): number | undefined {
    if (this.#times.length < ENOUGH) return undefined;
    const steps = this.#times.slice(1).map(({ number, at }, place) => {
      const before = this.#times[place] as { readonly number: number; readonly at: number };
      return { blocks: number - before.number, ms: at - before.at };
    });
    const slot = Math.min(...steps.map(({ blocks, ms }) => ms / blocks));
    if (slot < SHORTEST_MS) return undefined;
    return steps.every(({ ms }) => Math.abs(ms / slot - Math.round(ms / slot)) <= TOLERANCE) ? slot : undefined;
  }
}
