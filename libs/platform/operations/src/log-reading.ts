import type { EventFilter, EventReader } from '#platform/event-store';
import { InvalidRequest } from '#platform/http';
import { ChainfoldError, START, type Position, type RecordedEvent } from '#platform/kernel';

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

/** A position that a client gave. One that is no position of this log is a mistake in the request, told at `pointer`. */
export function positionOf(reader: EventReader, text: string | undefined, pointer: string): Position | undefined {
  if (text === undefined) return undefined;
  if (text === START) return START;
  try {
    return reader.parsePosition(text);
  } catch (error) {
    if (!(error instanceof ChainfoldError)) throw error;
    throw new InvalidRequest([{ pointer, detail: `${error.message}. ${error.hint ?? ''}`.trim() }]);
  }
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
    items.push(...page.events);
    at = page.next;
    for (const event of page.events) bytes += JSON.stringify(event.data).length;
    if (page.atHead) return { items, next: null, asOf: at };
  }
  return { items, next: at, asOf: await reader.head() };
}
