import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { RecordedEvent, StreamName } from '#platform/kernel';
import { unpackText } from './append-payload.ts';
import { readEvents } from './append-text.ts';
import { PositionAhead } from './event-store.errors.ts';
import type { EventFilter, StreamSummary } from './event-store.port.ts';
import type { LogPositions } from './log-positions.ts';
import type { NumberedPage } from './log-subscription.ts';
import { checkRow, RowsDamaged, type SummedRow } from './row-checksum.ts';
import { HEAD_OF_LOG } from './sqlite-log-file.ts';

/** Text that one page unpacks at most before it ends, short of its limit of events. */
const PAGE_CHARS = 4_000_000;
/** Rows that are looked up at once for each kind that a filter wants. */
const ROWS_PER_KIND = 64;

type AppendRow = SummedRow & { readonly stream: StreamName; readonly sum: number | null };

interface Kind {
  readonly id: number;
  readonly category: string;
  readonly types: readonly string[];
}

/** Reads of the log in numbers, each a short statement: an open cursor would keep the WAL from being folded back. */
export class SqliteLogPages {
  readonly #sql: Statements;
  readonly #positions: LogPositions;
  readonly #kinds: Kind[] = [];
  /** The row last read: a page may end inside it, and the next one goes on there. */
  #lastRow: { readonly first: number; readonly text: string } | undefined;

  constructor(db: DatabaseSync, positions: LogPositions) {
    this.#sql = prepare(db);
    this.#positions = positions;
  }

  head(): number {
    return (this.#sql.head.get()?.['head'] as number | undefined) ?? 0;
  }

  lastRevision(stream: string): number {
    return (this.#sql.lastRevision.get(stream)?.['last'] as number | undefined) ?? -1;
  }

  streams(options: { category?: string; after?: string; limit: number }): StreamSummary[] {
    const { category, after = '', limit } = options;
    // '.' follows '-' and '~' follows everything a name may hold.
    const [low, high] = category === undefined ? ['', '~'] : [`${category}-`, `${category}.`];
    const rows = this.#sql.streams.all(after, low, high, limit);
    return rows.map((row) => ({ stream: row['name'] as StreamName, lastRevision: row['last'] as number }));
  }

  stream(stream: StreamName, from: number, limit: number): RecordedEvent[] {
    const events: RecordedEvent[] = [];
    const first = Math.max(0, from);
    let next = first;
    for (const row of this.#sql.streamRows.iterate(stream, first) as Iterable<unknown> as Iterable<AppendRow>) {
      if (row.revision > next) throw new RowsDamaged(`${stream} has nothing at revision ${next}`);
      next = row.revision + row.count;
      const start = Math.max(0, first - row.revision);
      const end = Math.min(row.count, start + limit - events.length);
      if (start < end) events.push(...readEvents(this.#textOf(row), placeOf(row), start, end, undefined, this.#positions));
      if (events.length >= limit) break;
    }
    return events;
  }

  page(after: number, filter: EventFilter, limit: number): NumberedPage {
    const head = this.head();
    if (after > head) throw new PositionAhead(this.#positions.at(after), this.#positions.at(head));
    const wanted = filter.types === undefined ? undefined : new Set(filter.types);
    if (after === head) return ended([], head, head);
    const events: RecordedEvent[] = [];
    let chars = 0;
    for (const row of this.#rows(after, head, filter)) {
      const text = this.#textOf(row);
      chars += text.length;
      const start = Math.max(0, after + 1 - row.first);
      const found = readEvents(text, placeOf(row), start, row.count, wanted, this.#positions);
      const room = limit - events.length;
      if (found.length >= room) {
        const last = found[room - 1]!;
        events.push(...found.slice(0, room));
        return ended(events, row.first + last.revision - row.revision, head);
      }
      events.push(...found);
      if (chars >= PAGE_CHARS) return ended(events, row.first + row.count - 1, head);
    }
    return ended(events, head, head);
  }

  #rows(after: number, head: number, filter: EventFilter): Iterable<AppendRow> {
    const first = (this.#sql.firstOfRowWith.get(after + 1)?.['first'] as number | null | undefined) ?? 0;
    if (filter.types === undefined && filter.categories === undefined) {
      return withoutGap(this.#sql.rows.iterate(first, head) as Iterable<unknown> as Iterable<AppendRow>, after, head);
    }
    return this.#rowsOfKinds(this.#kindsOf(filter), first, head);
  }

  /** Merges the kinds in the order of the log; a filter that matches little jumps over all the rest. */
  *#rowsOfKinds(kinds: readonly number[], from: number, head: number): Iterable<AppendRow> {
    let first = from;
    while (first <= head) {
      const firsts: number[] = [];
      let sureUpTo = head;
      for (const kind of kinds) {
        const found = this.#sql.firstsOfKind.all(kind, first, head, ROWS_PER_KIND) as unknown as { first: number }[];
        for (const row of found) firsts.push(row.first);
        if (found.length === ROWS_PER_KIND) sureUpTo = Math.min(sureUpTo, found.at(-1)!.first);
      }
      firsts.sort((a, b) => a - b);
      for (const each of firsts) {
        if (each > sureUpTo) continue;
        const row = this.#sql.row.get(each) as unknown as AppendRow | undefined;
        if (row === undefined) throw new RowsDamaged(`nothing stands at position ${each}`);
        yield row;
      }
      first = sureUpTo + 1;
    }
  }

  #kindsOf(filter: EventFilter): number[] {
    for (const row of this.#sql.kindsAfter.iterate(this.#kinds.at(-1)?.id ?? 0)) {
      const types = JSON.parse(row['types'] as string) as string[];
      this.#kinds.push({ id: row['id'] as number, category: row['category'] as string, types });
    }
    return this.#kinds
      .filter(({ category, types }) => (filter.categories?.includes(category) ?? true) && (filter.types?.some((type) => types.includes(type)) ?? true))
      .map((kind) => kind.id);
  }

  #textOf(row: AppendRow): string {
    if (this.#lastRow?.first === row.first) return this.#lastRow.text;
    checkRow(row);
    const text = unpackText(row);
    this.#lastRow = { first: row.first, text };
    return text;
  }
}

function* withoutGap(rows: Iterable<AppendRow>, after: number, head: number): Iterable<AppendRow> {
  let next = after + 1;
  for (const row of rows) {
    if (row.first > next) break;
    next = row.first + row.count;
    yield row;
  }
  if (next <= head) throw new RowsDamaged(`nothing stands at position ${next}`);
}

function ended(events: RecordedEvent[], next: number, head: number): NumberedPage {
  return { events, next, atHead: next === head };
}

function placeOf(row: AppendRow) {
  return { stream: row.stream, revision: row.revision, position: row.first };
}

type Statements = ReturnType<typeof prepare>;

function prepare(db: DatabaseSync) {
  const columns = 'a.first, s.name AS stream, a.revision, a.count, a.raw, a.payload, a.sum';
  const last = 'SELECT revision + count - 1 FROM append WHERE stream = s.id ORDER BY revision DESC LIMIT 1';
  const statements = {
    head: HEAD_OF_LOG,
    lastRevision: `SELECT (${last}) AS last FROM stream s WHERE name = ?`,
    streams: `SELECT name, (${last}) AS last FROM stream s WHERE name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?`,
    streamRows: `SELECT ${columns} FROM stream s JOIN append a ON a.stream = s.id WHERE s.name = ?1
      AND a.revision >= coalesce((SELECT max(revision) FROM append WHERE stream = s.id AND revision <= ?2), 0) ORDER BY a.revision`,
    firstOfRowWith: 'SELECT max(first) AS first FROM append WHERE first <= ?',
    rows: `SELECT ${columns} FROM append a JOIN stream s ON s.id = a.stream WHERE a.first >= ? AND a.first <= ? ORDER BY a.first`,
    row: `SELECT ${columns} FROM append a JOIN stream s ON s.id = a.stream WHERE a.first = ?`,
    firstsOfKind: 'SELECT first FROM append WHERE kind = ? AND first >= ? AND first <= ? ORDER BY first LIMIT ?',
    kindsAfter: 'SELECT id, category, types FROM kind WHERE id > ? ORDER BY id',
  };
  return Object.fromEntries(Object.entries(statements).map(([name, sql]) => [name, db.prepare(sql)])) as Record<keyof typeof statements, StatementSync>;
}
