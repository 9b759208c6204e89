import type { Position } from '#platform/kernel';
import type { GenerationState, ParkedEvent, Verification } from '#platform/read-store';

export type ProjectionState = 'building' | 'live' | 'paused' | 'failed';

/** What an operator is told of one projection. */
export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  /** The live one, or the one being built where none is live. */
  readonly generation: number;
  /**
   * building: going through the past, answers are old. live: it was at the head and follows it. paused: by an operator
   * or by too many parked keys. failed: it stands still until what `lastError` says is put right.
   */
  readonly state: ProjectionState;
  readonly position: Position;
  /** Events of the log that it has not seen, also those it does not read; null where positions can not be counted. */
  readonly lagEvents: number | null;
  /** How old at most the answers are; 0 at the head. */
  readonly lagSeconds: number;
  readonly pausedBecause: string | undefined;
  readonly parkedKeys: number;
  readonly rowsWritten: number;
  readonly eventsApplied: number;
  readonly lastError: ProjectionTrouble | undefined;
  readonly rebuild: RebuildProgress | undefined;
  readonly generations: readonly GenerationSummary[];
}

export interface ProjectionTrouble {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Times that it was tried since then. */
  readonly attempts: number;
}

export interface RebuildProgress {
  readonly generation: number;
  readonly version: number;
  readonly state: 'catching-up' | 'verifying' | 'held-back' | 'paused' | 'failed';
  /** Why it is held back: it parked more keys than the live one. */
  readonly reason: string | undefined;
  readonly position: Position;
  /** 0 to 1; null where positions can not be counted. */
  readonly progress: number | null;
  readonly eventsApplied: number;
  readonly parkedKeys: number;
  readonly startedAt: number;
}

export interface GenerationSummary {
  readonly generation: number;
  readonly version: number;
  readonly state: GenerationState;
  readonly position: Position;
  readonly verification: Verification | undefined;
}

export interface ParkedKey {
  readonly key: string;
  readonly generation: number;
  /** In log order; the first one is the one that failed. */
  readonly events: readonly ParkedEvent[];
}

export interface Retried {
  readonly applied: number;
  readonly remaining: number;
  /** Why the first of the remaining failed. */
  readonly error: string | undefined;
}

export interface ProjectionSettings {
  /** Events of one page while catching up. */
  readonly maxBatchEvents: number;
  /** Of events in flight in one projection, estimated from a sample. */
  readonly maxBatchBytes: number;
  /** A batch grows until it takes so long, while nobody in this thread waits at the head. */
  readonly catchUpBatchMs: number;
  /** The same while another generation in this thread is live and must stay fresh. */
  readonly sharedBatchMs: number;
  readonly maxParkedKeys: number;
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
  /** True where ordinals of positions are counted event by event. */
  readonly countablePositions: boolean;
}

export const DEFAULT_PROJECTION_SETTINGS: ProjectionSettings = {
  maxBatchEvents: 8_000,
  maxBatchBytes: 8 * 1024 * 1024,
  catchUpBatchMs: 150,
  sharedBatchMs: 6,
  maxParkedKeys: 100,
  firstRetryMs: 100,
  maxRetryMs: 30_000,
  countablePositions: true,
};
