import type { Tariff } from '../../contracts/index.ts';
import { AccountMeter } from './account-meter.ts';
import type { RefereeAccount } from './account-tally.ts';
import { AccountTally } from './account-tally.ts';
import type { Moment, Overrun } from './limit-gauges.ts';
import type { WindowModel } from './meter-windows.ts';
import type { RefereeReport, RefusalReason, SeenRefusal } from './referee-report.ts';
import { addUp } from './referee-report.ts';
import { seededChance } from './seeded-chance.ts';

export interface RefereeOptions {
  readonly tariffs: readonly Tariff[];
  readonly accounts: readonly RefereeAccount[];
  /** Window phases of each account and clock skew of each provider come from it. */
  readonly seed: number;
  readonly clock: { now(): number; monotonic(): number };
  readonly modelOf: (provider: string, limit: string) => WindowModel;
}

const MOST_SKEW_MS = 2_000;
const MOST_REFUSALS_KEPT = 1_000;

/**
 * Meters what arrives as the providers say they do, and counts it: the truth that the product's own books are compared
 * with. What is refused is counted as refused and charged nothing.
 */
export class Referee {
  readonly #options: RefereeOptions;
  readonly #tallies = new Map<string, AccountTally>();
  readonly #skews = new Map<string, number>();
  #refusals: SeenRefusal[] = [];
  #overruns = 0;
  #strangers = 0;

  constructor(options: RefereeOptions) {
    this.#options = options;
    const { seed } = options;
    for (const { provider } of options.tariffs) this.#skews.set(provider, Math.round((2 * seededChance(seed, `skew of ${provider}`)() - 1) * MOST_SKEW_MS));
    for (const account of options.accounts) this.#tallies.set(account.alias, new AccountTally(account, this.#meterOf(account)));
  }

  /** What the provider's own clock shows. */
  wallOf(provider: string): number {
    return this.#options.clock.now() + (this.#skews.get(provider) ?? 0);
  }

  /** One request with these calls; undefined for each that may pass. `each`: those of a batch are judged one by one. `at`: left out, now. */
  request(alias: string, methods: readonly string[], each: boolean, at?: number): readonly (Overrun | undefined)[] {
    const tally = this.#tally(alias);
    const verdicts = tally.request(methods, each, this.#momentOf(tally, at));
    for (const over of new Set(verdicts)) {
      const theirs = methods.filter((_, at) => verdicts[at] === over);
      if (over !== undefined) this.refused(alias, over.reason, over.limit, theirs);
    }
    return verdicts;
  }

  /** One notification on its way out; it goes whatever the rate, as long as the quota lasts. */
  push(alias: string, bytes: number): Overrun | undefined {
    const tally = this.#tally(alias);
    const over = tally.push(bytes, this.#momentOf(tally));
    if (over !== undefined) this.refused(alias, over.reason, over.limit, ['eth_subscription']);
    return over;
  }

  /** A WebSocket: costs nothing, and is not opened on a quota that is gone. */
  connected(alias: string): Overrun | undefined {
    const tally = this.#tally(alias);
    const over = tally.connected(this.#momentOf(tally));
    if (over !== undefined) this.refused(alias, over.reason, over.limit, ['connect']);
    return over;
  }

  /** Notes what was refused; `because`: name of the limit, or kind of the fault. */
  refused(alias: string, reason: RefusalReason, because: string | null, methods: readonly string[]): void {
    const tally = this.#tally(alias);
    tally.refused(reason, methods.length);
    if (reason === 'rate' || reason === 'quota') this.#overruns += methods.length;
    this.#note({ at: this.#options.clock.now(), provider: tally.account.provider, alias, reason, because, methods });
  }

  /** A request with nobody's key. */
  stranger(provider: string): void {
    this.#strangers += 1;
    this.#note({ at: this.#options.clock.now(), provider, alias: null, reason: 'key', because: null, methods: [] });
  }

  report(): RefereeReport {
    const accounts = [...this.#tallies.values()].map((tally) => tally.report());
    const providers = this.#options.tariffs.map(({ provider, unit }) => {
      const own = accounts.filter((account) => account.provider === provider);
      const requests = own.reduce((sum, account) => sum + account.requests, 0);
      return { provider, unit, skewMs: this.#skews.get(provider) ?? 0, requests, units: addUp(own.map(({ units }) => units)) };
    });
    return { providers, accounts, overruns: this.#overruns, strangers: this.#strangers, refusals: this.#refusals.slice(-MOST_REFUSALS_KEPT) };
  }

  #meterOf({ provider, alias }: RefereeAccount): AccountMeter {
    const { tariffs, modelOf, seed } = this.#options;
    const tariff = tariffs.find((one) => one.provider === provider);
    if (tariff === undefined) throw new Error(`account ${alias}: no tariff of ${provider}`);
    return new AccountMeter({
      tariff,
      modelOf: ({ name }) => modelOf(provider, name),
      phaseOf: ({ name }) => seededChance(seed, `phase of ${name} of ${alias}`)(),
    });
  }

  #tally(alias: string): AccountTally {
    const tally = this.#tallies.get(alias);
    if (tally === undefined) throw new Error(`no account ${alias}`);
    return tally;
  }

  /** Windows never go back: what is said to have come before what was metered last comes with it. */
  #momentOf(tally: AccountTally, at = this.#options.clock.monotonic()): Moment {
    return { at: Math.max(at, tally.lastAt ?? -Infinity), wall: this.wallOf(tally.account.provider) };
  }

  #note(refusal: SeenRefusal): void {
    this.#refusals.push(refusal);
    if (this.#refusals.length > 2 * MOST_REFUSALS_KEPT) this.#refusals = this.#refusals.slice(-MOST_REFUSALS_KEPT);
  }
}
