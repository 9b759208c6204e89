import type { AccountMeter } from './account-meter.ts';
import type { Moment, Overrun } from './limit-gauges.ts';
import type { AccountReport, RefusalReason } from './referee-report.ts';

export interface RefereeAccount {
  readonly provider: string;
  /** How reports call it; unique. */
  readonly alias: string;
}

/** Everything that was seen of one account. */
export class AccountTally {
  readonly account: RefereeAccount;
  readonly #meter: AccountMeter;
  readonly #refused = new Map<RefusalReason, number>();
  #requests = 0;
  #charged = 0;
  #pushes = 0;
  #connections = 0;
  #firstAt: number | null = null;
  #lastAt: number | null = null;

  constructor(account: RefereeAccount, meter: AccountMeter) {
    this.account = account;
    this.#meter = meter;
  }

  get lastAt(): number | null {
    return this.#lastAt;
  }

  /** Undefined for each call that may pass. `each`: the calls of a batch are judged one by one. */
  request(methods: readonly string[], each: boolean, moment: Moment): readonly (Overrun | undefined)[] {
    this.#seen(moment);
    this.#requests += 1;
    const batch = methods.length > 1;
    // The first call that passes on its own carries what the batch itself costs.
    let carried = !batch;
    const alone = (method: string): Overrun | undefined => {
      const over = this.#meter.charge([method], moment, !carried);
      carried ||= over === undefined;
      return over;
    };
    const whole = each ? undefined : this.#meter.charge(methods, moment);
    const verdicts = methods.map((method) => (each ? alone(method) : whole));
    if (verdicts.includes(undefined)) this.#charged += 1;
    return verdicts;
  }

  push(bytes: number, moment: Moment): Overrun | undefined {
    const over = this.#meter.push(bytes, moment);
    this.#seen(moment);
    if (over === undefined) this.#pushes += 1;
    return over;
  }

  connected(moment: Moment): Overrun | undefined {
    this.#connections += 1;
    return this.#meter.exhausted(moment);
  }

  refused(reason: RefusalReason, calls: number): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + calls);
  }

  report(): AccountReport {
    const { calls, units } = this.#meter;
    return {
      ...this.account,
      requests: this.#requests,
      charged: this.#charged,
      calls: Object.fromEntries(calls),
      units: Object.fromEntries(units),
      pushes: this.#pushes,
      connections: this.#connections,
      refused: Object.fromEntries(this.#refused),
      limits: this.#meter.report(),
      firstAt: this.#firstAt,
      lastAt: this.#lastAt,
    };
  }

  #seen({ at }: Moment): void {
    this.#firstAt ??= at;
    this.#lastAt = at;
  }
}
