import type { Position } from '#platform/kernel';
import type { TableDefinition } from './read-store.port.ts';

/**
 * building -> live -> kept -> retiring -> gone. At most one of a projection is live and one is building; the first
 * one is live from its start, since there is nothing better to answer from. A kept one may be built on and go live again.
 */
export type GenerationState = 'building' | 'live' | 'kept' | 'retiring';

/** One build of one projection's tables, bound to one log. */
export interface Generation {
  readonly projection: string;
  readonly generation: number;
  readonly version: number;
  /** Identity of the log that it was built from. */
  readonly log: string;
  readonly state: GenerationState;
  readonly position: Position;
  /** Rises with every write; together with the position it is what a commit compares. */
  readonly commits: number;
  readonly tables: readonly TableDefinition[];
  readonly rowsWritten: number;
  readonly events: number;
  /** Why it was paused; undefined while it runs. */
  readonly paused: string | undefined;
  readonly verification: Verification | undefined;
  /** `recordedAt` of the last event applied. */
  readonly recordedAt: string | undefined;
  readonly createdAt: number;
  readonly swappedAt: number | undefined;
}

/** What was found when a generation was about to go live. */
export interface Verification {
  readonly position: Position;
  readonly rows: { readonly [table: string]: number };
  /** SHA-256 over all rows in the order of their keys. */
  readonly hash: string;
  /** Of the generation that was live at the same position; undefined where there was none to compare with. */
  readonly liveHash?: string;
  readonly verdict: 'same' | 'differs' | 'not-compared';
}

/** Where a commit goes and what it must find there. */
export type GenerationRef = Pick<Generation, 'projection' | 'generation'>;
export type Checkpoint = Pick<Generation, 'position' | 'commits'>;

/** The whole identity of an event that was set aside: the log has the rest. */
export interface ParkedEvent {
  readonly key: string;
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  /** Of the event that failed; undefined for those that wait behind it. */
  readonly error: string | undefined;
  readonly parkedAt: number;
}

export interface SkippedEvent extends ParkedEvent {
  readonly reason: string;
  readonly skippedAt: number;
}
