import type { Brand } from './brand.ts';
import type { JsonObject } from './json.ts';
import type { StreamName } from './stream-name.ts';

/**
 * A place in the whole log. Opaque: fixed width, sortable as text within one log, prefixed with the identity of
 * that log, so it can not be used on another. `START` stands before the first event of any log.
 */
export type Position = Brand<string, 'Position'>;
export const START = 'start' as Position;

/** ISO 8601 in UTC with milliseconds. */
export type IsoTime = string;

/** A fact as a decider states it. */
export interface DomainEvent<Type extends string = string, Data extends JsonObject = JsonObject> {
  readonly type: Type;
  readonly data: Data;
  /** Time of the source (block time, quote time); the moment of decision when left out. */
  readonly occurredAt?: IsoTime;
  /** What makes this fact itself within its stream and place (a transaction's hash); part of its id. */
  readonly naturalKey?: string;
}

export interface EventMetadata {
  readonly correlationId: string;
  readonly causationId: string;
  /** The idempotence key of the command that decided this event; absent for observations. */
  readonly commandId?: string;
  /** W3C traceparent. */
  readonly trace?: string;
}

/** An event ready to be appended: it has its id, not yet its place. */
export interface EventToAppend extends EventMetadata {
  /** UUIDv5 of (stream, revision, type, natural key): the same decision at the same place has the same id. */
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly occurredAt: IsoTime;
  readonly recordedAt: IsoTime;
  readonly data: JsonObject;
}

/** An event as the log holds it. Stored for ever. */
export interface RecordedEvent extends EventToAppend {
  readonly stream: StreamName;
  /** Place in its stream, gapless from 0. */
  readonly revision: number;
  readonly position: Position;
}
