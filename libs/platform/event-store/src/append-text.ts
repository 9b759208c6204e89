import type { EventToAppend, JsonObject, RecordedEvent, StreamName } from '#platform/kernel';
import { packBytes } from './append-payload.ts';
import { AppendTooLarge } from './event-store.errors.ts';
import { type Append, type AppendText, type ExpectedRevision, MAX_BYTES_PER_APPEND, MAX_BYTES_PER_EVENT, MAX_EVENTS_PER_APPEND } from './event-store.port.ts';
import type { LogPositions } from './log-positions.ts';

/** value, how often, value, how often … */
type Runs<T> = readonly (T | number)[];
type Envelopes = readonly [
  ids: readonly string[],
  types: Runs<string>,
  schemaVersions: Runs<number>,
  occurredAt: Runs<string>,
  recordedAt: Runs<string>,
  correlationIds: Runs<string>,
  causationIds: Runs<string>,
  commandIds: Runs<string | null>,
  traces: Runs<string | null>,
];

export function revisionNumber(expected: ExpectedRevision): number {
  return expected === 'noStream' ? -1 : expected;
}

type Envelope = Omit<EventToAppend, 'data'>;

/** JSON as one text, or in pieces of text and of bytes that follow each other. */
export type JsonText = string | readonly (string | Uint8Array)[];

/** An event of which the data is JSON already, whether it ever was anything else or not. */
export interface TextEvent extends Envelope {
  readonly json: JsonText;
  /** As the limits count them: the JSON of its data and the texts of its envelope. */
  readonly bytes: number;
}

/** An event whose data was made text once: who measures it first need not make that text again. It must not change any more. */
export interface PreparedEvent extends EventToAppend, TextEvent {
  readonly json: string;
}

export function prepareEvent(event: EventToAppend): PreparedEvent {
  const json = JSON.stringify(event.data);
  return { ...event, json, bytes: bytesOf(event, json) };
}

export function bytesOf(envelope: Envelope, json: JsonText): number {
  return envelopeSize(envelope) + jsonBytes(json);
}

function jsonBytes(json: JsonText): number {
  if (typeof json === 'string') return Buffer.byteLength(json);
  let bytes = 0;
  for (const piece of json) bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
  return bytes;
}

function prepared(event: EventToAppend | PreparedEvent): PreparedEvent {
  return 'json' in event ? event : prepareEvent(event);
}

/** An append becomes text only here and in `writePackedAppend`. Throws `append-too-large`. */
export function writeAppend(append: Append): AppendText & { readonly text: string } {
  const { head, envelopes, events } = preparedAppend(append, prepared);
  return { ...head, text: [envelopes, ...events.map(({ json }) => json)].join('\n') };
}

/** The same compressed, so that little is given to the thread that writes it, and there is little left to do there. */
export function writePackedAppend(append: Omit<Append, 'events'> & { readonly events: readonly TextEvent[] }): AppendText {
  const { head, envelopes, events } = preparedAppend(append, (event) => event);
  const lines: JsonText[] = [envelopes, ...events.map(({ json }) => json)];
  const text = roomFor(lines.reduce((sum, line) => sum + jsonBytes(line) + 1, -1));
  let at = 0;
  for (const line of lines) {
    if (at > 0) text[at++] = NEWLINE;
    for (const piece of typeof line === 'string' ? [line] : line) {
      if (typeof piece === 'string') at += text.write(piece, at);
      else {
        text.set(piece, at);
        at += piece.length;
      }
    }
  }
  const packed = packBytes(text);
  return { ...head, text: packed.raw === null ? packed.payload : packed };
}

const NEWLINE = 10;

let room = Buffer.alloc(0);

/** Used again and again: a buffer for each append would be garbage of its size. */
function roomFor(bytes: number): Buffer {
  if (room.length < bytes) room = Buffer.allocUnsafeSlow(2 * bytes);
  return room.subarray(0, bytes);
}

function preparedAppend<E extends EventToAppend | TextEvent, T extends TextEvent>({ stream, expected, events }: Omit<Append, 'events'> & { readonly events: readonly E[] }, prepare: (event: E) => T) {
  if (events.length > MAX_EVENTS_PER_APPEND) throw new AppendTooLarge(stream, 'events', MAX_EVENTS_PER_APPEND, events.length);
  const envelopes = envelopesOf(events);
  const ready = events.map(prepare);
  let bytes = 0;
  for (const event of ready) {
    if (event.bytes > MAX_BYTES_PER_EVENT) throw new AppendTooLarge(stream, 'bytesOfOneEvent', MAX_BYTES_PER_EVENT, event.bytes);
    bytes += event.bytes;
  }
  if (bytes > MAX_BYTES_PER_APPEND) throw new AppendTooLarge(stream, 'bytes', MAX_BYTES_PER_APPEND, bytes);
  const head = { stream, expected: revisionNumber(expected), count: events.length, types: typesOf(envelopes[1]) };
  return { head, envelopes: JSON.stringify(envelopes), events: ready };
}

/** Where the events of one text stand in the log. */
export interface TextPlace {
  readonly stream: StreamName;
  /** Of the first event in it. */
  readonly revision: number;
  readonly position: number;
}

/** Events `from` up to, not including, `to` (places within the text), those of `wanted` types only. */
export function readEvents(text: string, place: TextPlace, from: number, to: number, wanted: ReadonlySet<string> | undefined, positions: LogPositions): RecordedEvent[] {
  const envelopes = readEnvelopes(text);
  const events: RecordedEvent[] = [];
  let start = text.indexOf('\n') + 1;
  for (let i = 0; i < to; i++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (i >= from && (wanted === undefined || wanted.has(envelopes.types[i]!))) {
      const data = JSON.parse(text.slice(start, end)) as JsonObject;
      events.push(recorded(envelopes, i, data, place, positions));
    }
    start = end + 1;
  }
  return events;
}

/** As `AppendText.types` has them. */
export function readTypes(text: string): string {
  return typesOf(envelopeLine(text)[1]);
}

export function readIds(text: string): readonly string[] {
  return envelopeLine(text)[0];
}

function recorded(envelopes: EnvelopeColumns, i: number, data: JsonObject, place: TextPlace, positions: LogPositions): RecordedEvent {
  const commandId = envelopes.commandIds[i]!;
  const trace = envelopes.traces[i]!;
  return {
    id: envelopes.ids[i]!,
    type: envelopes.types[i]!,
    schemaVersion: envelopes.schemaVersions[i]!,
    stream: place.stream,
    revision: place.revision + i,
    position: positions.at(place.position + i),
    occurredAt: envelopes.occurredAt[i]!,
    recordedAt: envelopes.recordedAt[i]!,
    correlationId: envelopes.correlationIds[i]!,
    causationId: envelopes.causationIds[i]!,
    ...(commandId !== null && { commandId }),
    ...(trace !== null && { trace }),
    data,
  };
}

type EnvelopeColumns = ReturnType<typeof readEnvelopes>;

function readEnvelopes(text: string) {
  const [ids, types, schemaVersions, occurredAt, recordedAt, correlationIds, causationIds, commandIds, traces] = envelopeLine(text);
  return {
    ids,
    types: spread<string>(types),
    schemaVersions: spread<number>(schemaVersions),
    occurredAt: spread<string>(occurredAt),
    recordedAt: spread<string>(recordedAt),
    correlationIds: spread<string>(correlationIds),
    causationIds: spread<string>(causationIds),
    commandIds: spread<string | null>(commandIds),
    traces: spread<string | null>(traces),
  };
}

function envelopeLine(text: string): Envelopes {
  return JSON.parse(text.slice(0, text.indexOf('\n'))) as Envelopes;
}

function envelopesOf(events: readonly Envelope[]): Envelopes {
  return [
    events.map((event) => event.id),
    runs(events, (event) => event.type),
    runs(events, (event) => event.schemaVersion),
    runs(events, (event) => event.occurredAt),
    runs(events, (event) => event.recordedAt),
    runs(events, (event) => event.correlationId),
    runs(events, (event) => event.causationId),
    runs(events, (event) => event.commandId ?? null),
    runs(events, (event) => event.trace ?? null),
  ];
}

function runs<T>(events: readonly Envelope[], field: (event: Envelope) => T): Runs<T> {
  const column: (T | number)[] = [];
  let last: T | undefined;
  for (const event of events) {
    const value = field(event);
    if (column.length > 0 && value === last) (column[column.length - 1] as number)++;
    else column.push(value, 1);
    last = value;
  }
  return column;
}

function spread<T>(column: Runs<T>): T[] {
  const values: T[] = [];
  for (let i = 0; i < column.length; i += 2) {
    for (let left = column[i + 1] as number; left > 0; left--) values.push(column[i] as T);
  }
  return values;
}

function typesOf(types: Runs<string>): string {
  if (types.length === 2) return JSON.stringify([types[0]]);
  const distinct = new Set(types.filter((_, i) => i % 2 === 0) as string[]);
  return JSON.stringify([...distinct].sort());
}

/** Never more than the JSON of the envelope takes, so who measures `JSON.stringify(event)` is never refused. */
function envelopeSize(event: Envelope): number {
  return (
    event.id.length +
    event.type.length +
    event.occurredAt.length +
    event.recordedAt.length +
    event.correlationId.length +
    event.causationId.length +
    (event.commandId?.length ?? 0) +
    (event.trace?.length ?? 0)
  );
}
