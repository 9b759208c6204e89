import type { Position } from '#platform/kernel';

export interface UsageWindow {
  readonly requests: number;
  readonly errors: number;
  readonly units: number;
}

export const USAGE_HOURS = [1, 2, 12, 24, 48] as const;

export interface KeyUse {
  /** By hours back from now, to the minute. */
  readonly windows: Readonly<Record<(typeof USAGE_HOURS)[number], UsageWindow>>;
  /** Milliseconds since the epoch, of the last settlement with a request in it. */
  readonly lastRequestAt: number | undefined;
  readonly lastRefusal: { readonly at: number; readonly state: string; readonly reason: string } | undefined;
}

export interface SpentOn {
  readonly day: string;
  readonly alias: string;
  readonly chainId: string;
  readonly method: string;
  readonly calls: number;
  readonly units: number;
}

export interface RefusedOn {
  readonly day: string;
  readonly alias: string;
  /** Of the answer: throttled, exhausted, down, unanswered … */
  readonly class: string;
  readonly count: number;
}

/** What was asked of keys, as the log tells. Throws `projection-not-ready`. */
export abstract class KeyUsage {
  abstract of(alias: string): KeyUse;
  /** Newest day first; of this day and `days` - 1 before it. */
  abstract spent(days: number): readonly SpentOn[];
  /** As `spent`. */
  abstract refused(days: number): readonly RefusedOn[];
  abstract asOf(): Position;
}
