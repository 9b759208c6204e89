import { type Cost, type Settlement, addCosts } from '../contracts/index.ts';

type Row = Settlement['by'][number];

/** What is told of one request, or of what a subscription brought. */
export interface Spent {
  readonly cost: Cost;
  readonly acknowledged: boolean;
  /** Requests; a push is none. */
  readonly requests: number;
  /** Class of its answer; undefined: all is well. */
  readonly error: string | undefined;
  readonly by: readonly Row[];
}

const NOTHING: Cost = {};

/** What was spent on one lease and is not settled yet. A settlement goes again, the same, until the desk has it for sure. */
export class LeaseAccount {
  readonly #lease: string;
  readonly #key: string;
  #sequence = 0;
  #sent: Settlement | undefined;
  #over = false;
  #acknowledged = NOTHING;
  #unacknowledged = NOTHING;
  #requests = 0;
  #errors: Record<string, number> = {};
  #rows = new Map<string, { chainId: string; method: string; calls: number; units: number }>();

  constructor(lease: string, key: string) {
    this.#lease = lease;
    this.#key = key;
  }

  /** Its end is settled. */
  get isOver(): boolean {
    return this.#over && this.#sent === undefined;
  }

  /** Its end goes out or is settled: what is added now would be told to nobody. */
  get isClosing(): boolean {
    return this.#over;
  }

  /** A settlement went out, and nobody knows whether it arrived. */
  get isInDoubt(): boolean {
    return this.#sent !== undefined;
  }

  add({ cost, acknowledged, requests, error, by }: Spent): void {
    if (acknowledged) this.#acknowledged = addCosts(this.#acknowledged, cost);
    else this.#unacknowledged = addCosts(this.#unacknowledged, cost);
    this.#requests += requests;
    if (error !== undefined) this.#errors[error] = (this.#errors[error] ?? 0) + 1;
    for (const row of by) this.#addRow(row);
  }

  /** To be sent now; `over` where nothing is spent on it any more. */
  settlement(over: boolean): Settlement | undefined {
    if (this.#sent !== undefined) return this.#sent;
    if (!over && this.#rows.size === 0 && this.#requests === 0) return undefined;
    this.#sequence += 1;
    this.#over = over;
    this.#sent = {
      lease: this.#lease,
      key: this.#key,
      sequence: this.#sequence,
      acknowledged: this.#acknowledged,
      unacknowledged: this.#unacknowledged,
      requests: this.#requests,
      errors: this.#errors,
      by: [...this.#rows.values()],
      over,
    };
    this.#acknowledged = this.#unacknowledged = NOTHING;
    this.#requests = 0;
    this.#errors = {};
    this.#rows = new Map();
    return this.#sent;
  }

  delivered(): void {
    this.#sent = undefined;
  }

  #addRow({ chainId, method, calls, units }: Row): void {
    const name = `${chainId} ${method}`;
    const row = this.#rows.get(name);
    if (row === undefined) {
      this.#rows.set(name, { chainId, method, calls, units });
      return;
    }
    row.calls += calls;
    row.units += units;
  }
}
