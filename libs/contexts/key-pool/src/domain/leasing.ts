import type { Cost } from './tariff.ts';

/**
 * The right of one holder (a process) to spend on one key for a while: at most `rate[limit]` units in any window of each
 * rolling limit, and `quota[limit]` units of each calendar limit in all. Booked in the log before it is handed out.
 */
export interface Lease {
  readonly id: string;
  readonly key: string;
  readonly provider: string;
  /** From when the holder asked, on the holder's own monotonic clock and on its wall clock, whichever ends it first. */
  readonly validForMs: number;
  /** By name of the rolling limit. */
  readonly rate: Readonly<Record<string, number>>;
  /** By name of the calendar limit. Of a renewal: what comes on top of what is left. */
  readonly quota: Readonly<Record<string, number>>;
  /** What is left of a quota is kept for heads: nothing else may be spent on this lease. */
  readonly headOnly: boolean;
}

/** What was spent on a lease since the last settlement; units by ledger. */
export interface Settlement {
  readonly lease: string;
  readonly key: string;
  /** From 1, for each lease: a settlement that comes twice counts once. */
  readonly sequence: number;
  /** Of answered requests. */
  readonly acknowledged: Cost;
  /** Of requests whose answer never came. */
  readonly unacknowledged: Cost;
  readonly requests: number;
  /** Answers by class, `ok` left out. */
  readonly errors: Readonly<Record<string, number>>;
  /** Units of the ledger `units` and calls, by chain and method. */
  readonly by: readonly { readonly chainId: string; readonly method: string; readonly calls: number; readonly units: number }[];
  /** The holder spends nothing on it any more. */
  readonly over: boolean;
}

/** What the holder saw of a key; told at once, not with the next settlement. */
export interface KeySighting {
  readonly key: string;
  readonly seen: 'throttled' | 'exhausted' | 'revoked' | 'well';
  readonly waitMs?: number;
  readonly message?: string;
  /** Provider's clock minus ours, where it was told. */
  readonly skewMs?: number;
}

export interface Exchange {
  readonly holder: string;
  readonly provider: string;
  readonly settlements: readonly Settlement[];
  readonly sightings: readonly KeySighting[];
  /** Leases to hold until further notice: those it has are renewed, others come on top. None: everything goes back. */
  readonly wanted: { readonly renew: readonly string[]; readonly more: number };
}

export interface ExchangeAnswer {
  /** Renewed and new ones. What was to be renewed and is not here ends when it ends. */
  readonly leases: readonly Lease[];
  /** Where more was wanted than given: worth asking again not before. */
  readonly againInMs: number;
  /** How many keys this provider has, whoever holds them. */
  readonly keys: number;
  /** Keys of this provider that nobody may use now, and until when (milliseconds since the epoch; null: for good). */
  readonly closed: readonly { readonly key: string; readonly state: 'throttled' | 'exhausted' | 'revoked'; readonly until: number | null }[];
}

/** The one place that books budgets: the process that owns log and actors. Throws what the log throws; nothing is leased then. */
export interface LeaseDesk {
  exchange(exchange: Exchange): Promise<ExchangeAnswer>;
}
