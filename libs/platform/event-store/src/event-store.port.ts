import type { PackedText } from './append-payload.ts';
import type { EventToAppend, Position, RecordedEvent, StreamName } from '#platform/kernel';

/** What a stream must look like for an append to happen. There is no "any". */
export type ExpectedRevision = 'noStream' | number;

export interface Append {
  readonly stream: StreamName;
  readonly expected: ExpectedRevision;
  readonly events: readonly EventToAppend[];
}

/**
 * The events of one append as text: one line of envelopes, then one line of data for each event. Envelopes are
 * columns with runs, since events of one append share nearly all of them; the data of an event that nobody asked
 * for is never parsed. Stored for ever: a change of this shape is a new version of the file format.
 */
export interface AppendText {
  readonly stream: StreamName;
  /** -1 for a stream that must not exist. */
  readonly expected: number;
  readonly count: number;
  /** JSON array of the distinct types in sorted order. */
  readonly types: string;
  /** Compressed where another thread did that. */
  readonly text: string | PackedText;
}

export interface Appended {
  readonly stream: StreamName;
  /** Of the stream after this append; -1 when the list was empty and the stream has no event. */
  readonly lastRevision: number;
  /** Of the last event; of the head of the log when the list was empty. */
  readonly position: Position;
  /** Of each event, in order, where the store knows them without reading; else left out, and a reader can look. */
  readonly positions?: readonly Position[];
  /** These very events stood there already: an earlier answer was lost. */
  readonly repeated: boolean;
}

/** Either may be left out; both together mean and. */
export interface EventFilter {
  readonly types?: readonly string[];
  readonly categories?: readonly string[];
}

export interface EventPage {
  readonly events: readonly RecordedEvent[];
  /** Where to read on: the last event read, also when the filter hid it. */
  readonly next: Position;
  /** Nothing stood after `next` when this was read. */
  readonly atHead: boolean;
}

export type Delivery =
  /** `more`: the next one stands at the same position, for an older event was split; who saves a place waits for the last. */
  | { readonly kind: 'event'; readonly event: RecordedEvent; readonly more?: true }
  /** Everything up to here was seen; nothing more matched. Lets a reader save its place on a sparse filter. */
  | { readonly kind: 'checkpoint'; readonly position: Position }
  /** The reader has the whole log; said once each time it becomes true. */
  | { readonly kind: 'caughtUp'; readonly position: Position };

export interface StreamSummary {
  readonly stream: StreamName;
  readonly lastRevision: number;
}

/**
 * Reading half: may be opened many times, in any thread, beside the one writer. Events come in their shape of today; a
 * limit counts those that are stored, so an answer is longer where one was split. The next one is told by its revision.
 */
export abstract class EventReader {
  /** Of this log; every position starts with it. */
  abstract readonly identity: string;

  /** Events of one stream from revision `from` on, at most `limit`; empty when there are none. */
  abstract readStream(stream: StreamName, from: number, limit: number): Promise<readonly RecordedEvent[]>;

  /** -1 when the stream does not exist. */
  abstract lastRevision(stream: StreamName): Promise<number>;

  /** Events after a position, in log order. Throws `foreign-position`. */
  abstract readAll(after: Position, filter: EventFilter, limit: number): Promise<EventPage>;

  /** Streams in the order of their names, those after `after` only. */
  abstract listStreams(options: { category?: string; after?: string; limit: number }): Promise<readonly StreamSummary[]>;

  /**
   * Everything after `after`, then everything to come, without gap or repeat, until the signal is aborted.
   * Pulls only as the consumer does. Throws `foreign-position` at once.
   */
  abstract subscribe(after: Position, filter: EventFilter, signal: AbortSignal): AsyncIterable<Delivery>;

  /** Position of the last event of the log, START when it is empty. */
  abstract head(): Promise<Position>;

  /** A number for sinks that version by number: rises with the position; 0 for START. */
  abstract ordinal(position: Position): bigint;

  /** Reads a position that came from outside. Throws `invalid-position` or `foreign-position`. */
  abstract parsePosition(text: string): Position;

  abstract close(): Promise<void>;
}

/**
 * The one port of the log. Throws `revision-conflict` (other events stand there), `append-too-large` before any I/O,
 * `indeterminate-append` (the store can not say whether it happened: reload and look).
 */
export abstract class EventStore extends EventReader {
  abstract append(append: Append): Promise<Appended>;

  /** Several appends in this order, one transaction where the store can. The first that fails ends it. */
  abstract appendAll(appends: readonly Append[]): Promise<readonly Appended[]>;

  /** The same for appends that another thread made text (`writePackedAppend`); only where the store keeps that very text. */
  appendTexts?(texts: readonly AppendText[]): Promise<readonly Appended[]>;
}

/** Of one append. EventStoreDB before 25.1 refuses more than 1 MiB. */
export const MAX_EVENTS_PER_APPEND = 256;
export const MAX_BYTES_PER_APPEND = 900_000;
/** Of the JSON of one event. */
export const MAX_BYTES_PER_EVENT = 256_000;
