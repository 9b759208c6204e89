import type { Decider, DomainEvent, Position, RecordedEvent, StreamName } from '#platform/kernel';

/** A kind of actor: one stream category, one decider. */
export interface ActorDefinition<State, Command, Event extends DomainEvent> {
  /** First part of the stream name. */
  readonly category: string;
  readonly decider: Decider<State, Command, Event>;
  /** Version that each event type is written with today. */
  readonly schemaVersions: Readonly<Record<Event['type'], number>>;
  /** Left out: no snapshots. */
  readonly snapshot?: SnapshotPolicy<State>;
  /**
   * A decision larger than one append is written as several, in order, so a reader may see a part of it. Only for
   * streams whose decider goes on from any prefix (the body of a block). Otherwise such a decision is refused.
   */
  readonly resumable?: boolean;
  /** Bytes that a waiting command counts for; left out: those of its JSON, which takes a walk through all of it. */
  commandBytes?(command: Command): number;
  /** Idle actors kept in memory; the least recently used leave first. */
  readonly maxResident?: number;
}

export interface SnapshotPolicy<State> {
  /** Of the shape of the state; another version is ignored. */
  readonly stateVersion: number;
  /** A snapshot after so many events. */
  readonly everyEvents: number;
  toJson(state: State): unknown;
  fromJson(json: unknown): State;
}

export interface TellOptions {
  /** Idempotence key of a client's command; a repeat gets the same answer. */
  readonly commandId?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly trace?: string;
  /** On the monotonic clock, in ms: after it the command is dropped before `decide`, never after an append. */
  readonly deadline?: number;
  /** From If-Match: throws `revision-mismatch` when the stream has moved. */
  readonly expectedRevision?: number;
}

export interface Told {
  /** Of the stream after the command; -1 when it is still empty. */
  readonly revision: number;
  /** Of the last event written, or of the stream's last known one when nothing was. A client may wait for it. */
  readonly position: Position;
  readonly events: readonly RecordedEvent[];
  readonly repeated: boolean;
}

/** All actors of one kind. */
export interface Actors<State, Command> {
  stream(id: string): StreamName;
  /**
   * Persist, then answer. Throws what `decide` throws, and `overloaded`, `deadline-passed`, `revision-mismatch`,
   * `actor-quarantined`, `draining`, or what the log throws.
   */
  tell(id: string, command: Command, options?: TellOptions): Promise<Told>;
  /** State as of the last append, without changing anything. Works in quarantine too. */
  peek(id: string): Promise<{ readonly state: State; readonly revision: number }>;
}
