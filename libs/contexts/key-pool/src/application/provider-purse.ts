import type { ChainfoldError, Clock } from '#platform/kernel';
import { type ExchangeAnswer, type LeaseDesk, type Permit, type SpendingAsk, type SpendingOutcome, type Tariff, tooDearFor } from '../contracts/index.ts';
import { NoBudget, ProviderDown, PurseDraining } from '../domain/spending.errors.ts';
import { Alarm } from './alarm.ts';
import { moreWanted } from './demand.ts';
import { DeskTalk } from './desk-talk.ts';
import type { HeldLease, Moment } from './held-lease.ts';
import { type KeyView, viewOf } from './key-view.ts';
import { type Choice, LeaseBook } from './lease-book.ts';
import { Metering, type Need } from './metering.ts';
import { ProviderCircuit } from './provider-circuit.ts';
import type { PurseLog } from './purse-log.ts';
import { RetryBudget } from './retry-budget.ts';
import { type Accrued, type Spending, SpendingOutcomes } from './spending-outcomes.ts';
import { type Turn, TurnQueue } from './turn-queue.ts';

export interface PurseOptions {
  /** Name of this process among those that spend; a new one with each start. */
  readonly holder: string;
  readonly desk: LeaseDesk;
  readonly clock: Clock;
  readonly log: PurseLog;
  /** The time line of permits and answers. */
  readonly sharedNow: () => number;
  readonly random: () => number;
}

/** What a holder may spend with one provider. */
export class ProviderPurse {
  readonly #provider: string;
  readonly #metering: Metering;
  readonly #options: PurseOptions;
  readonly #nextId: () => number;
  readonly #now: () => number;
  readonly #book: LeaseBook;
  readonly #queue = new TurnQueue<Need>();
  readonly #circuit: ProviderCircuit;
  readonly #retries = new RetryBudget();
  readonly #talk: DeskTalk;
  readonly #outcomes: SpendingOutcomes;
  readonly #alarm: Alarm;
  /** In the order of their permits. */
  readonly #spendings = new Map<number, Spending>();
  /** Spent unasked on keys that we have no lease on. */
  #owed: Accrued[] = [];
  /** As the desk told last. */
  #keyCount = 0;
  #passIsDue = false;
  #someWaitLong = false;
  #draining = false;
  #closed = false;

  constructor(tariff: Tariff, options: PurseOptions, nextId: () => number) {
    this.#provider = tariff.provider;
    this.#metering = new Metering(tariff);
    this.#options = options;
    this.#nextId = nextId;
    this.#now = options.sharedNow;
    this.#book = new LeaseBook(this.#metering);
    this.#circuit = new ProviderCircuit(options.random);
    this.#talk = new DeskTalk({ ...options, provider: tariff.provider, now: this.#now });
    this.#outcomes = new SpendingOutcomes({ ...options, metering: this.#metering, book: this.#book, circuit: this.#circuit, now: this.#now, tell: (sighting) => this.#talk.see(sighting) });
    this.#alarm = new Alarm(options.clock, this.#now, () => this.#pass());
  }

  async acquire(ask: SpendingAsk, signal?: AbortSignal): Promise<Permit> {
    signal?.throwIfAborted();
    const moment = this.#moment();
    this.#mayAsk(ask, moment.now);
    const need = this.#metering.need(ask.cost);
    if (this.#queue.size === 0) {
      const { best } = this.#book.choose(ask, need, moment);
      if (best !== undefined) return this.#grant(best, ask, need, moment);
    }
    const turn = this.#queue.wait({ ask, need, since: moment.now, deadline: moment.now + (ask.patienceMs ?? Infinity) }, signal);
    this.#passSoon();
    return turn;
  }

  /** False: not a permit of this provider. */
  settle(permit: Permit, outcome: SpendingOutcome): boolean {
    const spending = this.#spendings.get(permit.id);
    if (spending === undefined) return false;
    this.#spendings.delete(permit.id);
    this.#outcomes.settle(spending, outcome);
    if (this.#queue.size > 0 || this.#talk.hasNews || spending.lease.isOver) this.#passSoon();
    return true;
  }

  /** False: not a key of this provider, as far as is known. */
  accrue(accrued: Accrued): boolean {
    const key = this.#book.keys.get(accrued.key);
    if (key === undefined) return false;
    if (!accrued.uncertain) key.pushedAt = this.#now();
    const lease = this.#book.ofKey(accrued.key);
    if (lease === undefined) this.#owed.push(accrued);
    else this.#outcomes.charge(lease, accrued);
    return true;
  }

  /** The desk was told to try a revoked key again: what is known of its closing is asked for anew. */
  reopened(alias: string): void {
    const key = this.#book.keys.get(alias);
    if (key?.closed(this.#now())?.state !== 'revoked') return;
    key.told(undefined);
    this.#talk.moreNotBefore = -Infinity;
  }

  keys(): readonly KeyView[] {
    const moment = this.#moment();
    return [...this.#book.keys.values()].map((key) => viewOf(key, { provider: this.#provider, metering: this.#metering, leases: this.#book.open, moment, circuit: this.#circuit.state(), waiting: { ...this.#queue.sizes } }));
  }

  async close(): Promise<void> {
    this.#draining = true;
    this.#queue.refuse(() => new PurseDraining(this.#provider));
    const { clock } = this.#options;
    for (let waited = 0; this.#spendings.size > 0 && waited < LAST_ANSWERS_MS; waited += LAST_ANSWERS_STEP_MS) await clock.sleep(LAST_ANSWERS_STEP_MS);
    const sentAt = this.#now();
    for (const { permit } of [...this.#spendings.values()]) this.settle(permit, { kind: 'unanswered', sentAt });
    this.#closed = true;
    this.#alarm.stop();
    await this.#talk.idle();
    this.#book.returnAll();
    for (let tries = 0; tries < LAST_TRIES && [...this.#book.all].length > 0; tries += 1) await this.#exchange(this.#moment(), 0);
  }

  #mayAsk({ cost, not }: SpendingAsk, now: number): void {
    if (this.#draining) throw new PurseDraining(this.#provider);
    if (!this.#circuit.admits(now)) throw this.#down(now);
    const closedForMs = this.#allClosedForMs(now);
    if (closedForMs > HOPE_MS) throw this.#noneLeft(closedForMs, now);
    const dear = tooDearFor(this.#metering.tariff, cost);
    if (dear !== undefined) throw new NoBudget(this.#provider, NEVER_MS, { [dear.name]: `one request costs ${cost[dear.ledger] ?? 0}, the limit is ${dear.units}` }, 'No key of this provider can ever serve it: use another method or another provider.');
    if (not === undefined || not.length === 0) this.#retries.requested();
    else if (!this.#retries.retry()) throw new NoBudget(this.#provider, RETRY_PAUSE_MS, { retries: 'too many requests had to be repeated' });
  }

  #grant(lease: HeldLease, ask: SpendingAsk, need: Need, moment: Moment): Permit {
    const permit: Permit = { id: this.#nextId(), key: lease.key.alias, validUntil: moment.now + Math.min(LONGEST_PERMIT_MS, lease.leftMs(moment)) };
    this.#book.take(lease, ask, need, moment.now);
    this.#circuit.granted(permit.id);
    this.#spendings.set(permit.id, { permit, ask, need, lease });
    return permit;
  }

  /** Many that ask at once, or are answered at once, are looked at once. */
  #passSoon(): void {
    if (this.#passIsDue || this.#closed) return;
    this.#passIsDue = true;
    queueMicrotask(() => this.#pass());
  }

  #pass(): void {
    this.#passIsDue = false;
    if (this.#closed) return;
    const moment = this.#moment();
    const { now } = moment;
    this.#reportUnsettled(now);
    this.#book.retire(moment);
    this.#queue.expire(now, (turn) => this.#noBudget(turn, moment));
    const claimed = new Set<HeldLease>();
    let wakeAt = Infinity;
    this.#someWaitLong = false;
    this.#queue.pass((turn) => {
      if (!this.#circuit.admits(now)) return this.#down(now);
      if (claimed.size > 0 && claimed.size >= this.#book.open.length) return 'nobody';
      const choice = this.#book.choose(turn.ask, turn.need, moment, claimed);
      if (choice.best !== undefined) return this.#grant(choice.best, turn.ask, turn.need, moment);
      if (this.#isHopeless(turn, choice, now)) return this.#noBudget(turn, moment);
      // Kept for it: what comes behind does not take its room away bit by bit.
      if (choice.soonest !== undefined) claimed.add(choice.soonest);
      if (choice.waitMs > SOON_MS) this.#someWaitLong = true;
      wakeAt = Math.min(wakeAt, now + (choice.soonest === undefined && claimed.size === 0 ? HOPE_MS - (now - turn.since) : choice.waitMs));
      return 'waits';
    });
    const tendAt = this.#tend(moment);
    const settleAt = this.#spendings.size === 0 ? Infinity : now + UNSETTLED_MS;
    this.#alarm.set(Math.min(wakeAt, tendAt, settleAt, this.#queue.soonestDeadline));
  }

  #isHopeless({ ask, since, deadline }: Turn<Need>, { soonest, waitMs }: Choice, now: number): boolean {
    const patienceMs = Math.min(deadline - now, HOPE_MS);
    if (soonest !== undefined) return Number.isFinite(waitMs) && waitMs > patienceMs && this.#deskWaitMs(now) > patienceMs;
    const closedMs = ask.key === undefined ? 0 : (this.#book.keys.get(ask.key)?.closed(now)?.until ?? now) - now;
    return Math.max(closedMs, this.#deskWaitMs(now)) > patienceMs || now - since >= HOPE_MS;
  }

  /** Until the desk may give another lease. While it is away, whoever asks after a pause makes us try it again. */
  #deskWaitMs(now: number): number {
    if (this.#talk.isFull && this.#talk.moreNotBefore > now) return Infinity;
    return this.#talk.isLost && this.#talk.notBefore > now ? Infinity : Math.max(0, this.#talk.moreNotBefore - now);
  }

  /** Speaks with the desk when something is due; returns when it is to be looked at again. */
  #tend(moment: Moment): number {
    if (this.#talk.isUnderWay) return Infinity;
    const { now } = moment;
    const more = moreWanted(this.#queue, this.#book.open, this.#metering, now, this.#someWaitLong);
    const lowAt = this.#book.open.some(({ isLow, state }) => isLow && state === 'open') ? this.#talk.lastAt + LOW_GAP_MS : Infinity;
    const isPressing = this.#talk.hasNews || [...this.#book.all].some(({ isOver, account }) => isOver || account.isInDoubt);
    const dueAt = Math.max(this.#talk.notBefore, isPressing ? now : Math.min(more > 0 ? this.#talk.moreNotBefore : Infinity, lowAt, this.#book.nextAt()));
    if (dueAt > now) return dueAt;
    void this.#exchange(moment, now >= this.#talk.moreNotBefore ? more : 0);
    return Infinity;
  }

  #exchange(moment: Moment, more: number): Promise<void> {
    const leases = [...this.#book.all];
    const settling = leases.filter((lease) => lease.isToSettle(moment.now));
    const settlements = settling.flatMap(({ account, isOver }) => account.settlement(isOver) ?? []);
    const renew = leases.filter(({ state }) => state !== 'returning').map(({ id }) => id);
    return this.#talk.exchange(settlements, renew, more, (answer) => {
      if (answer !== undefined) this.#accept(answer, renew, settling, moment);
      this.#passSoon();
    });
  }

  #accept(answer: ExchangeAnswer, asked: readonly string[], settled: readonly HeldLease[], began: Moment): void {
    for (const lease of settled) {
      lease.account.delivered();
      lease.settledAt = began.now;
    }
    this.#book.forgetSettled();
    this.#keyCount = answer.keys;
    const came = this.#book.accept(answer, asked, began, this.#moment(), (key) => this.#talk.hasNewsOf(key));
    for (const lease of came) {
      const owed = this.#owed.filter(({ key }) => key === lease.key.alias);
      if (owed.length > 0) this.#owed = this.#owed.filter((one) => !owed.includes(one));
      for (const accrued of owed) this.#outcomes.charge(lease, accrued);
    }
    if (this.#closed) this.#book.returnAll();
    const { now } = this.#moment();
    const closedForMs = this.#allClosedForMs(now);
    if (closedForMs > HOPE_MS) this.#queue.refuse(() => this.#noneLeft(closedForMs, now));
  }

  /** Whoever took it forgot it: its units are lost, and more than this one may be. */
  #reportUnsettled(now: number): void {
    for (const { permit, ask } of this.#spendings.values()) {
      if (permit.validUntil + UNSETTLED_MS > now) return;
      this.#options.log.error({ key: permit.key, provider: this.#provider, calls: Object.keys(ask.calls) }, 'a permit was never settled');
      this.settle(permit, { kind: 'unanswered', sentAt: permit.validUntil });
    }
  }

  /** Until the first of all its keys may be used again; 0 while one may. */
  #allClosedForMs(now: number): number {
    const closed = [...this.#book.keys.values()].flatMap((key) => key.closed(now) ?? []);
    return this.#keyCount === 0 || closed.length < this.#keyCount ? 0 : Math.min(NEVER_MS, ...closed.map(({ until }) => until - now));
  }

  #noneLeft(waitMs: number, now: number): NoBudget {
    const why = Object.fromEntries([...this.#book.keys.values()].map((key) => [key.alias, key.closed(now)?.state ?? 'open']));
    return new NoBudget(this.#provider, Math.ceil(waitMs), why, 'All keys of this provider are used up or refused: GET /api/v1/keys says until when.');
  }

  #down(now: number): ProviderDown {
    return new ProviderDown(this.#provider, Math.ceil(this.#circuit.waitMs(now)));
  }

  #noBudget({ ask, need }: Turn<Need>, moment: Moment): ChainfoldError {
    const { now } = moment;
    const { waitMs } = this.#book.choose(ask, need, moment);
    const soonestMs = Math.min(waitMs, Math.max(this.#talk.isLost ? this.#talk.notBefore - now : 0, this.#talk.moreNotBefore - now));
    const why = Object.fromEntries(this.keys().map((key) => [key.alias, reasonOf(key, ask)]));
    return new NoBudget(this.#provider, Math.ceil(Math.min(NEVER_MS, Math.max(LEAST_WAIT_MS, soonestMs))), this.#talk.isLost ? { ...why, desk: 'budgets can not be leased now' } : why);
  }

  #moment(): Moment {
    return { now: this.#now(), wall: this.#options.clock.now() };
  }
}

function reasonOf({ alias, closed, lease }: KeyView, { key, not, lane }: SpendingAsk): string {
  if (key !== undefined && key !== alias) return 'another key is asked for';
  if (not?.includes(alias) === true) return 'was tried already';
  if (closed !== undefined) return closed.state;
  if (lease === undefined) return 'is not leased';
  if (lease.headOnly && lane !== 'head') return 'the rest of its budget is kept for heads';
  return 'has no room soon enough';
}

const NEVER_MS = 86_400_000;
/** Longer than that, waiting in a queue is no hope: whoever asks may know better. */
const HOPE_MS = 30_000;
const SOON_MS = 500;
const LEAST_WAIT_MS = 50;
const LOW_GAP_MS = 200;
const LONGEST_PERMIT_MS = 10_000;
const UNSETTLED_MS = 60_000;
const RETRY_PAUSE_MS = 1_000;
const LAST_ANSWERS_MS = 2_000;
const LAST_ANSWERS_STEP_MS = 20;
const LAST_TRIES = 2;
