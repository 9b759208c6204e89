import type { HeldKey } from './held-key.ts';
import type { HeldLease, Moment } from './held-lease.ts';
import type { Metering } from './metering.ts';

/** A key as its holder sees it at this moment. Times in milliseconds from now. */
export interface KeyView {
  readonly alias: string;
  readonly provider: string;
  readonly inFlight: number;
  /** Of the provider: one for all its keys. */
  readonly circuit: 'up' | 'down' | 'probing';
  readonly waiting: { readonly head: number; readonly backfill: number };
  /** `forMs` null: until further notice. */
  readonly closed?: { readonly state: 'throttled' | 'exhausted' | 'revoked' | 'down'; readonly forMs: number | null };
  readonly lease?: { readonly leftMs: number; readonly headOnly: boolean };
  /** What this holder may spend in each window, and has. */
  readonly windows: readonly { readonly name: string; readonly ledger: string; readonly windowMs: number; readonly units: number; readonly used: number }[];
  /** What is left of what was leased. */
  readonly quotas: readonly { readonly name: string; readonly ledger: string; readonly left: number }[];
  /** Nine in ten of late took at most so long. */
  readonly usualAnswerMs: number;
  readonly learnedSlackMs: number;
}

interface Around {
  readonly provider: string;
  readonly metering: Metering;
  readonly leases: readonly HeldLease[];
  readonly moment: Moment;
  readonly circuit: KeyView['circuit'];
  readonly waiting: KeyView['waiting'];
}

export function viewOf(key: HeldKey, { provider, metering, leases, moment, circuit, waiting }: Around): KeyView {
  const { now } = moment;
  const own = leases.filter((lease) => lease.key === key);
  const closed = key.closed(now);
  const sum = (of: (lease: HeldLease) => number): number => own.reduce((total, lease) => total + of(lease), 0);
  return {
    alias: key.alias,
    provider,
    inFlight: key.inFlight,
    circuit,
    waiting,
    ...(closed === undefined ? {} : { closed: { state: closed.state, forMs: closed.until === Infinity ? null : Math.ceil(closed.until - now) } }),
    ...(own.length === 0 ? {} : { lease: { leftMs: Math.max(...own.map((lease) => Math.floor(lease.leftMs(moment)))), headOnly: own.every(({ headOnly }) => headOnly) } }),
    windows: metering.rolling.map(({ name, ledger, windowMs }, at) => ({ name, ledger, windowMs, units: sum(({ windows }) => windows[at]?.units ?? 0), used: sum(({ windows }) => windows[at]?.held(now) ?? 0) })),
    quotas: metering.calendar.map(({ name, ledger }, at) => ({ name, ledger, left: sum(({ quota }) => quota[at] ?? 0) })),
    usualAnswerMs: Math.round(key.answers.usualMs),
    learnedSlackMs: Math.round(key.slack.extraMs(now)),
  };
}
