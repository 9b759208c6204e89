import type { ExchangeAnswer, Lease, SpendingAsk } from '../contracts/index.ts';
import { HeldKey } from './held-key.ts';
import { HeldLease, type Moment } from './held-lease.ts';
import type { Metering, Need } from './metering.ts';

export interface Choice {
  /** It may go now, on this one. */
  readonly best: HeldLease | undefined;
  /** Where nothing may go now: where it may go first, in so long. */
  readonly soonest: HeldLease | undefined;
  readonly waitMs: number;
}

/** The leases that a holder has on the keys of one provider, and which of them serves a request best. */
export class LeaseBook {
  readonly keys = new Map<string, HeldKey>();
  readonly #metering: Metering;
  /** Also those that nothing goes on any more, until their end is settled. */
  readonly #leases = new Map<string, HeldLease>();
  #open: readonly HeldLease[] = [];
  #turns = 0;
  /** What the dearest request at the head needed of late. */
  #headNeed: { readonly rolling: readonly number[]; readonly at: number } | undefined;

  constructor(metering: Metering) {
    this.#metering = metering;
  }

  /** Something may go on these. */
  get open(): readonly HeldLease[] {
    return this.#open;
  }

  get all(): Iterable<HeldLease> {
    return this.#leases.values();
  }

  /** One that can still be charged. */
  ofKey(alias: string): HeldLease | undefined {
    return this.#open.find(({ key }) => key.alias === alias) ?? [...this.#leases.values()].find(({ key, account }) => key.alias === alias && !account.isClosing);
  }

  key(alias: string): HeldKey {
    let key = this.keys.get(alias);
    if (key === undefined) {
      key = new HeldKey(alias, this.#metering.tariff.slackMs);
      this.keys.set(alias, key);
    }
    return key;
  }

  /** The least used one that has room now; of several alike the one that was used longest ago. */
  choose({ key, not, lane }: SpendingAsk, need: Need, moment: Moment, claimed?: ReadonlySet<HeldLease>): Choice {
    const { now } = moment;
    const kept = lane === 'head' ? undefined : this.#keptForHeads(now);
    let best: HeldLease | undefined;
    let soonest: HeldLease | undefined;
    let leastShare = Infinity;
    let waitMs = Infinity;
    for (const lease of this.#open) {
      const { alias } = lease.key;
      if ((key !== undefined && key !== alias) || not?.includes(alias) === true || claimed?.has(lease) === true) continue;
      if (lease.leftMs(moment) < LEAST_LEFT_MS || !lease.fits(need, lane)) continue;
      const wait = lease.waitMs(need, now, lease === kept?.lease ? kept.rolling : undefined);
      if (wait > 0) {
        if (best === undefined && (soonest === undefined || wait < waitMs)) [soonest, waitMs] = [lease, wait];
        continue;
      }
      const share = lease.usedShare(now);
      if (share > leastShare || (share === leastShare && lease.key.lastTurn > (best?.key.lastTurn ?? Infinity))) continue;
      [best, leastShare] = [lease, share];
    }
    return best === undefined ? { best, soonest, waitMs } : { best, soonest: undefined, waitMs: 0 };
  }

  take(lease: HeldLease, ask: SpendingAsk, need: Need, now: number): void {
    lease.take(need, now);
    lease.inFlight += 1;
    lease.key.inFlight += 1;
    this.#turns += 1;
    lease.key.lastTurn = this.#turns;
    if (ask.lane === 'head') this.#noteHead(need, now);
  }

  /** Of an answer of the desk: what came, and what of `asked` does not go on. */
  accept({ leases, closed }: ExchangeAnswer, asked: readonly string[], began: Moment, { now, wall }: Moment, hasNewsOf: (key: string) => boolean): readonly HeldLease[] {
    const came = leases.map((lease) => this.#accept(lease, began)).filter((lease) => lease !== undefined);
    const going = new Set(leases.map(({ id }) => id));
    for (const id of asked) {
      const lease = this.#leases.get(id);
      if (lease?.state === 'open' && !going.has(id)) lease.state = 'ending';
    }
    const told = new Map(closed.map(({ key, state, until }) => [key, { state, until: now + (until === null ? RELOOK_MS : until - wall) }]));
    for (const alias of told.keys()) this.key(alias);
    for (const key of this.keys.values()) if (!hasNewsOf(key.alias)) key.told(told.get(key.alias));
    this.#refresh();
    return came;
  }

  /** Ends the use of what is over, closed for long, not renewed any more, or idle. */
  retire(moment: Moment): void {
    const { now } = moment;
    let changed = false;
    for (const lease of this.#open) {
      const leftMs = lease.leftMs(moment);
      const isIdle = now >= lease.renewAt && lease.inFlight === 0 && now - lease.lastUsedAt >= IDLE_MS && now - lease.key.pushedAt >= SUBSCRIBED_MS;
      const isClosed = (lease.key.closed(now)?.until ?? 0) - now > LONG_CLOSED_MS;
      if (leftMs > (lease.state === 'ending' ? GIVE_BACK_MS : 0) && !isIdle && !isClosed) continue;
      lease.state = 'returning';
      changed = true;
    }
    if (changed) this.#refresh();
  }

  returnAll(): void {
    for (const lease of this.#leases.values()) lease.state = 'returning';
    this.#refresh();
  }

  forgetSettled(): void {
    for (const lease of this.#leases.values()) if (lease.account.isOver) this.#leases.delete(lease.id);
  }

  #refresh(): void {
    this.#open = [...this.#leases.values()].filter(({ state }) => state !== 'returning');
  }

  /** When something is due about an open lease that nobody asks for. */
  nextAt(): number {
    let at = Infinity;
    for (const { state, renewAt, endsAt } of this.#open) at = Math.min(at, state === 'ending' ? endsAt - GIVE_BACK_MS : renewAt);
    return at;
  }

  /** The new one. */
  #accept(lease: Lease, began: Moment): HeldLease | undefined {
    const held = this.#leases.get(lease.id);
    if (held !== undefined) {
      held.renew(lease, began);
      return undefined;
    }
    const added = new HeldLease(lease, this.key(lease.key), this.#metering, began);
    this.#leases.set(lease.id, added);
    return added;
  }

  #noteHead({ rolling }: Need, now: number): void {
    const known = this.#headNeed;
    if (known === undefined || now - known.at > HEAD_NEED_MS || rolling.every((units, at) => units >= (known.rolling[at] as number))) this.#headNeed = { rolling, at: now };
  }

  /** A full window of many seconds would let the head wait as long: on one lease so much is left that one request of it may go at once. */
  #keptForHeads(now: number): { readonly lease: HeldLease; readonly rolling: readonly number[] } | undefined {
    const lease = this.#open[0];
    if (lease === undefined || this.#headNeed === undefined || this.#metering.longestWindowMs < LONG_WINDOW_MS || now - this.#headNeed.at > HEAD_NEED_MS) return undefined;
    return { lease, rolling: this.#headNeed.rolling.map((units, at) => Math.min(units, MOST_KEPT * (lease.windows[at]?.units ?? 0))) };
  }
}

/** A permit that is over before it can be sent helps nobody. */
const LEAST_LEFT_MS = 50;
const IDLE_MS = 30_000;
/** A subscription brings the next head within so long, or hardly ever: what it brings is charged to a lease. */
const SUBSCRIBED_MS = 600_000;
/** So that what is under way is answered and settled before the desk counts it as lost. */
const GIVE_BACK_MS = 600;
const LONG_CLOSED_MS = 10_000;
/** A key that is revoked for good may be brought back at the desk: it is asked again so often. */
const RELOOK_MS = 60_000;
const LONG_WINDOW_MS = 5_000;
const HEAD_NEED_MS = 60_000;
const MOST_KEPT = 0.25;
