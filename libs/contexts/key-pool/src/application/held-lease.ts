import type { Lease, SpendingLane } from '../contracts/index.ts';
import { RollingWindow } from '../domain/rolling-window.ts';
import type { HeldKey } from './held-key.ts';
import { LeaseAccount } from './lease-account.ts';
import type { Metering, Need } from './metering.ts';

/** On the shared time line and on the wall: a machine that was suspended shows it on the wall only. */
export interface Moment {
  readonly now: number;
  readonly wall: number;
}

/** The right to spend on one key for a while, and what is left of it. */
export class HeldLease {
  readonly id: string;
  readonly key: HeldKey;
  readonly account: LeaseAccount;
  readonly windows: readonly RollingWindow[];
  readonly quota: number[];
  readonly #metering: Metering;
  #granted: number[];
  #began: Moment = { now: 0, wall: 0 };
  #validForMs = 0;
  headOnly = false;
  inFlight = 0;
  lastUsedAt: number;
  settledAt: number;
  /** `ending`: the desk does not renew it. `returning`: nothing goes on it any more, it is settled when all is answered. */
  state: 'open' | 'ending' | 'returning' = 'open';

  constructor(lease: Lease, key: HeldKey, metering: Metering, began: Moment) {
    this.id = lease.id;
    this.key = key;
    this.account = new LeaseAccount(lease.id, lease.key);
    this.#metering = metering;
    this.windows = metering.rolling.map(({ windowMs, name }) => new RollingWindow({ units: lease.rate[name] ?? 0, windowMs, slackMs: metering.tariff.slackMs }));
    this.quota = metering.calendar.map(() => 0);
    this.#granted = this.quota;
    this.lastUsedAt = began.now;
    this.settledAt = began.now;
    this.renew(lease, began);
  }

  /** `began`: when the exchange was sent that brought it. */
  renew({ validForMs, rate, quota, headOnly }: Lease, began: Moment): void {
    this.#began = began;
    this.#validForMs = validForMs;
    this.headOnly = headOnly;
    for (const [at, { name }] of this.#metering.rolling.entries()) this.#window(at).units = rate[name] ?? 0;
    for (const [at, { name }] of this.#metering.calendar.entries()) this.quota[at] = (this.quota[at] ?? 0) + (quota[name] ?? 0);
    this.#granted = [...this.quota];
    if (this.state === 'ending') this.state = 'open';
    this.widen(began.now);
  }

  /** Takes over what was learned of the key's slack. */
  widen(now: number): void {
    for (const window of this.windows) window.extraMs = this.key.slack.extraMs(now);
  }

  /** On both clocks. Not above 0: over. */
  leftMs({ now, wall }: Moment): number {
    return Math.min(this.#began.now - now, this.#began.wall - wall) + this.#validForMs;
  }

  get renewAt(): number {
    return this.#began.now + RENEW_AT * this.#validForMs;
  }

  /** What was spent is told every few seconds, however often the desk is asked for something. */
  isToSettle(now: number): boolean {
    return this.account.isInDoubt || this.isOver || this.isLow || now - this.settledAt >= SETTLE_AT * this.#validForMs;
  }

  /** Nothing goes on it any more, and all that did is answered. */
  get isOver(): boolean {
    return this.state === 'returning' && this.inFlight === 0;
  }

  get endsAt(): number {
    return this.#began.now + this.#validForMs;
  }

  get isLow(): boolean {
    return this.quota.some((left, at) => left < LOW_QUOTA * (this.#granted[at] ?? 0));
  }

  /** Whether it could ever serve it, as it is now. */
  fits(need: Need, lane: SpendingLane): boolean {
    if (this.headOnly && lane !== 'head') return false;
    for (let at = 0; at < need.calendar.length; at += 1) if ((this.quota[at] as number) < (need.calendar[at] as number)) return false;
    for (let at = 0; at < need.rolling.length; at += 1) if (this.#window(at).units < (need.rolling[at] as number)) return false;
    return true;
  }

  /** Of what fits. Infinity: not before something is answered. `kept`: what must be left over, if that is possible at all. */
  waitMs(need: Need, now: number, kept?: readonly number[]): number {
    let waitMs = Math.max(0, (this.key.closed(now)?.until ?? now) - now);
    for (let at = 0; at < need.rolling.length; at += 1) {
      const units = need.rolling[at] as number;
      if (units === 0) continue;
      const window = this.#window(at);
      const left = Math.min(kept?.[at] ?? 0, window.units - units);
      waitMs = Math.max(waitMs, window.waitMs(units + left, now));
    }
    return waitMs;
  }

  /** How much of it is used, so that equal keys are spent evenly. */
  usedShare(now: number): number {
    let share = this.headOnly ? 1 : 0;
    for (const window of this.windows) share += window.units === 0 ? 1 : window.held(now) / window.units;
    for (const [at, left] of this.quota.entries()) share += 1 - left / Math.max(1, this.#granted[at] ?? 0);
    return share;
  }

  take(need: Need, now: number): void {
    for (let at = 0; at < need.rolling.length; at += 1) this.#window(at).take(need.rolling[at] as number);
    for (let at = 0; at < need.calendar.length; at += 1) this.quota[at] = (this.quota[at] as number) - (need.calendar[at] as number);
    this.lastUsedAt = now;
  }

  giveBack(need: Need): void {
    for (let at = 0; at < need.rolling.length; at += 1) this.#window(at).giveBack(need.rolling[at] as number);
    for (let at = 0; at < need.calendar.length; at += 1) this.quota[at] = (this.quota[at] as number) + (need.calendar[at] as number);
  }

  #window(at: number): RollingWindow {
    return this.windows[at] as RollingWindow;
  }
}

const RENEW_AT = 0.6;
const SETTLE_AT = 0.5;
const LOW_QUOTA = 0.25;
