import type { Clock } from '#platform/kernel';
import type { AnswerClass, Cost, KeySighting, Permit, SpendingAsk, SpendingOutcome } from '../contracts/index.ts';
import type { HeldKey } from './held-key.ts';
import type { HeldLease } from './held-lease.ts';
import type { LeaseBook } from './lease-book.ts';
import type { Metering, Need } from './metering.ts';
import type { ProviderCircuit } from './provider-circuit.ts';
import type { PurseLog } from './purse-log.ts';

type Answered = Extract<SpendingOutcome, { readonly kind: 'answered' }>;

/** A permit that is out. */
export interface Spending {
  readonly permit: Permit;
  readonly ask: SpendingAsk;
  readonly need: Need;
  readonly lease: HeldLease;
}

/** What was spent without a permit. */
export interface Accrued {
  readonly key: string;
  readonly cost: Cost;
  readonly chainId: string;
  readonly what: string;
  readonly uncertain: boolean;
}

interface Options {
  readonly metering: Metering;
  readonly book: LeaseBook;
  readonly circuit: ProviderCircuit;
  readonly clock: Clock;
  readonly log: PurseLog;
  readonly now: () => number;
  readonly tell: (sighting: KeySighting) => void;
}

/** What becomes of a permit, and what that means for its window, its key, its provider and the accounts. */
export class SpendingOutcomes {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  settle(spending: Spending, outcome: SpendingOutcome): void {
    const { lease, need, permit } = spending;
    lease.inFlight -= 1;
    lease.key.inFlight -= 1;
    switch (outcome.kind) {
      case 'unspent':
        lease.giveBack(need);
        return this.#options.circuit.unspent(permit.id);
      case 'unanswered':
        return this.#unanswered(spending);
      case 'answered':
        return this.#answered(spending, outcome);
    }
  }

  /** What was spent without being asked for; the window makes up for it afterwards. */
  charge(lease: HeldLease, { cost, chainId, what, uncertain }: Accrued): void {
    const now = this.#options.now();
    const need = this.#options.metering.need(cost);
    lease.take(need, now);
    for (const [at, window] of lease.windows.entries()) window.answered(need.rolling[at] as number, { sentAt: now, answeredAt: now, lateMs: 0 });
    lease.account.add({ cost, acknowledged: !uncertain, requests: 0, error: undefined, by: [{ chainId, method: what, calls: 1, units: cost['units'] ?? 0 }] });
  }

  #answered(spending: Spending, outcome: Answered): void {
    const { lease, need, permit } = spending;
    const { key } = lease;
    const { sentAt, answeredAt, class: seen } = outcome;
    const now = this.#options.now();
    if (sentAt > permit.validUntil) this.#options.log.error({ key: key.alias, provider: this.#provider, lateMs: Math.ceil(sentAt - permit.validUntil) }, 'a permit was used after its end');
    const lateMs = key.answers.lateMs(answeredAt - sentAt);
    key.answers.add(answeredAt - sentAt);
    for (const [at, window] of lease.windows.entries()) window.answered(need.rolling[at] as number, { sentAt, answeredAt, lateMs });
    // A refusal may be counted or not: it is as good as unanswered.
    this.#enter(spending, seen === 'ok' || seen === 'other', seen === 'ok' ? undefined : seen);
    if (seen === 'down') this.#failed(key, permit, now);
    else if (this.#options.circuit.answered()) this.#options.log.info({ provider: this.#provider }, 'provider answers again');
    if (outcome.hasAnother === true) return this.#options.log.error({ key: key.alias, provider: this.#provider, reason: outcome.message, hint: 'Put another secret in its place, or take it out; then start again. Until then it is left out.' }, 'one of the secrets of a key is refused');
    const sighting = key.sighting(seen, { sentAt, waitMs: outcome.waitMs, message: outcome.message, skewMs: this.#skewMs(outcome, now) }, now);
    this.#closeFor(key, seen, outcome, now);
    if (sighting !== undefined) this.#tell(sighting);
  }

  #closeFor(key: HeldKey, seen: AnswerClass, { sentAt, waitMs }: Answered, now: number): void {
    if (seen === 'exhausted' || seen === 'revoked') key.close(seen, now + UNCONFIRMED_MS);
    if (seen !== 'throttled') return;
    const { longestWindowMs, tariff } = this.#options.metering;
    key.close('throttled', now + Math.max(waitMs ?? 0, longestWindowMs + tariff.slackMs));
    key.slack.learn(sentAt, now, longestWindowMs);
    for (const lease of this.#options.book.all) if (lease.key === key) lease.widen(now);
  }

  #tell(sighting: KeySighting): void {
    this.#options.tell(sighting);
    const { seen, ...facts } = sighting;
    if (seen !== 'well') this.#options.log.warn({ ...facts, provider: this.#provider, seen }, 'key was refused');
  }

  /** Provider's clock minus ours; its Date header tells whole seconds, cut off. */
  #skewMs({ providerTime, sentAt, answeredAt }: Answered, now: number): number | undefined {
    if (providerTime === undefined) return undefined;
    return providerTime + 500 - (this.#options.clock.now() - (now - answeredAt) - (answeredAt - sentAt) / 2);
  }

  #failed(key: HeldKey, permit: Permit, now: number): void {
    key.failed(now);
    if (this.#options.circuit.failed(permit.id, now)) this.#options.log.warn({ provider: this.#provider, waitMs: Math.ceil(this.#options.circuit.waitMs(now)) }, 'provider is down');
  }

  #enter({ lease, ask }: Spending, acknowledged: boolean, error: string | undefined): void {
    lease.account.add({ cost: ask.cost, acknowledged, requests: 1, error, by: this.#options.metering.rows(ask.chainId, ask.calls, ask.cost) });
  }

  #unanswered(spending: Spending): void {
    const { lease, need, permit } = spending;
    const now = this.#options.now();
    for (const [at, window] of lease.windows.entries()) window.unanswered(need.rolling[at] as number, now);
    this.#enter(spending, false, 'unanswered');
    this.#failed(lease.key, permit, now);
  }

  get #provider(): string {
    return this.#options.metering.tariff.provider;
  }
}

/** How long a refusal is for good, the desk says. Until it does nobody is sent away for a day. */
const UNCONFIRMED_MS = 2_000;
