/** Which snapshot: of which log and stream, in which shape. */
export interface SnapshotKey {
  /** Identity of the log: what was folded from one log says nothing about another. */
  readonly log: string;
  readonly stream: string;
  readonly stateVersion: number;
}

/**
 * A cache beside the log. May lose anything at any time; may not mix two writes. What it gives is checked by the
 * reader, so it need not be trusted. A failing `get` or `put` costs time, never an answer.
 */
export abstract class SnapshotStore {
  abstract get(key: SnapshotKey): Promise<string | undefined>;
  /** Replaces the one before as a whole. */
  abstract put(key: SnapshotKey, text: string): Promise<void>;
  abstract close(): Promise<void>;
}
