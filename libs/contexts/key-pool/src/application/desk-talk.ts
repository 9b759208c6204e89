import { ChainfoldError, type Clock, messageOf } from '#platform/kernel';
import type { ExchangeAnswer, KeySighting, LeaseDesk, Settlement } from '../contracts/index.ts';
import type { PurseLog } from './purse-log.ts';

export interface DeskTalkOptions {
  readonly holder: string;
  readonly provider: string;
  readonly desk: LeaseDesk;
  readonly clock: Clock;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: PurseLog;
}

/** The talk with the desk about one provider: one exchange at a time, pauses that grow while it fails, what was seen until it is told. */
export class DeskTalk {
  readonly #options: DeskTalkOptions;
  #sightings: KeySighting[] = [];
  #failures = 0;
  readonly #refusalsTold = new Set<string>();
  #underWay: Promise<void> | undefined;
  /** When the last one ended. */
  lastAt = -Infinity;
  /** No exchange before. */
  notBefore = -Infinity;
  /** The desk has no more leases before. */
  moreNotBefore = -Infinity;
  /** It has none for us at all, as long as there are so many others. */
  isFull = false;

  constructor(options: DeskTalkOptions) {
    this.#options = options;
  }

  get isUnderWay(): boolean {
    return this.#underWay !== undefined;
  }

  get hasNews(): boolean {
    return this.#sightings.length > 0;
  }

  /** It failed again and again. */
  get isLost(): boolean {
    return this.#failures >= LOST_AFTER;
  }

  see(sighting: KeySighting): void {
    this.#sightings.push(sighting);
  }

  hasNewsOf(key: string): boolean {
    return this.#sightings.some((one) => one.key === key);
  }

  /** `done` hears the answer, undefined where there was none. Never rejects. */
  exchange(settlements: readonly Settlement[], renew: readonly string[], more: number, done: (answer: ExchangeAnswer | undefined) => void): Promise<void> {
    const sightings = this.#sightings;
    this.#sightings = [];
    this.#underWay = this.#ask(settlements, sightings, renew, more).then((answer) => {
      this.#underWay = undefined;
      this.#heard(answer, sightings, renew, more);
      done(answer);
    });
    return this.#underWay;
  }

  async idle(): Promise<void> {
    await this.#underWay;
  }

  async #ask(settlements: readonly Settlement[], sightings: readonly KeySighting[], renew: readonly string[], more: number): Promise<ExchangeAnswer | undefined> {
    const { holder, provider, desk, clock, log } = this.#options;
    const answered = new AbortController();
    try {
      const late = clock.sleep(PATIENCE_MS, answered.signal).then(() => Promise.reject(new Error('no answer in time')));
      late.catch(() => undefined);
      const answer = await Promise.race([desk.exchange({ holder, provider, settlements, sightings, wanted: { renew, more } }), late]);
      if (this.isLost) log.info({ holder, provider }, 'budgets can be leased again');
      return answer;
    } catch (error) {
      if (error instanceof ChainfoldError && error.kind === 'invalid') this.#tellRefusal(error);
      else if (this.#failures + 1 === LOST_AFTER) log.warn({ holder, provider, reason: messageOf(error) }, 'budgets can not be leased');
      return undefined;
    } finally {
      answered.abort(ANSWERED);
    }
  }

  /** No pause mends what can not be read: the same units are told again and again, and never settled. */
  #tellRefusal({ message, facts, hint }: ChainfoldError): void {
    const { holder, provider, log } = this.#options;
    const what = JSON.stringify([message, facts]);
    if (this.#refusalsTold.has(what) || this.#refusalsTold.size >= MOST_REFUSALS_TOLD) return;
    this.#refusalsTold.add(what);
    log.error({ holder, provider, reason: message, ...facts, hint }, 'the desk refuses what it is told');
  }

  #heard(answer: ExchangeAnswer | undefined, sightings: readonly KeySighting[], renew: readonly string[], more: number): void {
    const now = this.#options.now();
    this.lastAt = now;
    if (answer !== undefined) {
      this.#failures = 0;
      this.notBefore = now + LEAST_GAP_MS;
      const came = answer.leases.filter(({ id }) => !renew.includes(id)).length;
      if (came < more) this.moreNotBefore = now + answer.againInMs;
      if (more > 0) this.isFull = came === 0 && answer.againInMs >= FULL_MS;
      return;
    }
    this.#failures += 1;
    this.notBefore = now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures - 1, 10)) * (0.75 + this.#options.random() / 2);
    // Told twice, one refusal would look like two: the key says so itself again where it was not heard.
    this.#sightings.unshift(...sightings.filter(({ seen }) => seen !== 'revoked'));
  }
}

const ANSWERED = new Error('answered');
const PATIENCE_MS = 5_000;
const LOST_AFTER = 3;
const MOST_REFUSALS_TOLD = 20;
const LEAST_GAP_MS = 10;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** Nobody waits so long for a lease. */
const FULL_MS = 30_000;
