import { InvalidPosition, PositionAhead, type EventFilter, type EventReader } from '#platform/event-store';
import { InvalidRequest } from '#platform/http';
import { START, type Position, type RecordedEvent, type StreamName } from '#platform/kernel';

/** Events of one answer, before the JSON around them. A page ends early rather than be larger. */
const PAGE_BYTES = 4_000_000;
const READ_AT_ONCE = 50;

export interface FilterQuery {
  readonly types?: readonly string[] | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly streams?: readonly string[] | undefined;
}

export function filterOf({ types, categories, streams }: FilterQuery): EventFilter {
  const wanted = categories ?? streams;
  return { ...(types === undefined ? {} : { types }), ...(wanted === undefined ? {} : { categories: wanted }) };
}

/** A position that a client gave. One that is no position is a mistake in the request, told at `pointer`; throws `foreign-position` for one of another log. */
export function positionOf(reader: EventReader, text: string | undefined, pointer: string): Position | undefined {
  if (text === undefined) return undefined;
  if (text === START) return START;
  try {
    return reader.parsePosition(text);
  } catch (error) {
    if (!(error instanceof InvalidPosition)) throw error;
    throw new InvalidRequest([{ pointer, detail: `${error.message}. ${error.hint ?? ''}`.trim() }]);
  }
}

/** Such a live line would wait for events that never come, and the client would take silence for a quiet log. */
export async function mustReach(reader: EventReader, after: Position): Promise<void> {
  const head = await reader.head();
  if (reader.ordinal(after) > reader.ordinal(head)) throw new PositionAhead(after, head);
}

export interface LogPage {
  readonly items: readonly RecordedEvent[];
  readonly next: Position | null;
  readonly asOf: Position;
}

/** Events after a position, as many as `limit` and the size of an answer allow. */
export async function readLog(reader: EventReader, after: Position, filter: EventFilter, limit: number): Promise<LogPage> {
  const items: RecordedEvent[] = [];
  let at = after;
  let bytes = 0;
  while (items.length < limit && bytes < PAGE_BYTES) {
    const page = await reader.readAll(at, filter, Math.min(READ_AT_ONCE, limit - items.length));
    for (const event of page.events) {
      const last = items.at(-1);
      if (bytes >= PAGE_BYTES && event.position !== last?.position) return { items, next: last?.position ?? at, asOf: await reader.head() };
      items.push(event);
      bytes += Buffer.byteLength(JSON.stringify(event.data));
    }
    at = page.next;
    if (page.atHead) return { items, next: null, asOf: at };
  }
  return { items, next: at, asOf: await reader.head() };
}

/** Events of a stream from a revision on, as many as `limit` and the size of an answer allow; `more` when it has others behind them. */
export async function readStream(reader: EventReader, stream: StreamName, from: number, limit: number): Promise<{ readonly items: readonly RecordedEvent[]; readonly more: boolean }> {
  const items: RecordedEvent[] = [];
  let bytes = 0;
  for (let next = from; ; ) {
    const wanted = Math.max(1, Math.min(READ_AT_ONCE, limit + 1 - items.length));
    const found = await reader.readStream(stream, next, wanted);
    for (const event of found) {
      // What one event was split into is not torn apart: the next page begins at a revision.
      if ((items.length >= limit || bytes >= PAGE_BYTES) && event.revision !== items.at(-1)?.revision) return { items, more: true };
      items.push(event);
      bytes += Buffer.byteLength(JSON.stringify(event.data));
      next = event.revision + 1;
    }
    if (found.length < wanted) return { items, more: false };
  }
}
