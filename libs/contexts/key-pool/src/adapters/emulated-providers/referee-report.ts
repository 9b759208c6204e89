import type { GaugeReport, Overrun } from './limit-gauges.ts';

export type RefusalReason = Overrun['reason'] | 'key' | 'method' | 'size' | 'fault';

export interface SeenRefusal {
  /** Milliseconds since the epoch, of the injected clock. */
  readonly at: number;
  readonly provider: string;
  /** Null: nobody's key. */
  readonly alias: string | null;
  readonly reason: RefusalReason;
  /** Name of the limit, or kind of the fault. */
  readonly because: string | null;
  readonly methods: readonly string[];
}

export interface AccountReport {
  readonly provider: string;
  readonly alias: string;
  /** HTTP requests and WebSocket messages that reached the meter. */
  readonly requests: number;
  /** Of them: at least one call was charged. */
  readonly charged: number;
  /** Charged calls by method. */
  readonly calls: Readonly<Record<string, number>>;
  /** Charged, pushes included, by ledger. */
  readonly units: Readonly<Record<string, number>>;
  readonly pushes: number;
  readonly connections: number;
  /** Refused calls, by reason. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  readonly limits: readonly GaugeReport[];
  /** Milliseconds on the injected monotonic clock; null: nothing came. */
  readonly firstAt: number | null;
  readonly lastAt: number | null;
}

export interface ProviderReport {
  readonly provider: string;
  readonly unit: string;
  /** Its clock minus ours. */
  readonly skewMs: number;
  readonly requests: number;
  readonly units: Readonly<Record<string, number>>;
}

/** Plain JSON. */
export interface RefereeReport {
  readonly providers: readonly ProviderReport[];
  readonly accounts: readonly AccountReport[];
  /** Calls refused because a limit was reached: not by a fault, and not for a bad key. */
  readonly overruns: number;
  /** Requests with nobody's key. */
  readonly strangers: number;
  /** The newest thousand; the counts of the accounts are complete. */
  readonly refusals: readonly SeenRefusal[];
}

export function addUp(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const one of counts) for (const [name, count] of Object.entries(one)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
