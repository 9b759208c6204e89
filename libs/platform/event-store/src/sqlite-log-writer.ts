import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { packText, textOf, unpackText } from './append-payload.ts';
import { readIds } from './append-text.ts';
import { judgeAppend } from './append-verdict.ts';
import type { AppendText } from './event-store.port.ts';
import { checkRow, sumOfRow, type SummedRow } from './row-checksum.ts';
import { HEAD_OF_LOG } from './sqlite-log-file.ts';

/** Appends that happen together or not at all. */
export type WriteRequest = readonly AppendText[];

export interface Written {
  readonly lastRevision: number;
  /** Number of the last event in the whole log. */
  readonly last: number;
  readonly repeated: boolean;
}

/** Plain data: it crosses threads. */
export type WriteAnswer =
  | { readonly kind: 'written'; readonly written: readonly Written[] }
  | { readonly kind: 'conflict'; readonly stream: string; readonly expected: number; readonly actual: number }
  | { readonly kind: 'refused'; readonly errcode: number; readonly message: string };

interface StreamEnd {
  readonly id: number;
  last: number;
}

/** Streams whose end is remembered; the rest is looked up. */
const REMEMBERED_STREAMS = 10_000;
/** https://www.sqlite.org/rescode.html: nothing was written, and it may work again when an operator acted. */
const REFUSALS = new Set([3, 5, 8, 11, 13, 26]);

/** Group commit: many requests, one transaction, an answer for each. The only code that changes the log. */
export class SqliteLogWriter {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #streams = new Map<string, StreamEnd>();
  readonly #kinds = new Map<string, number>();
  #dataVersion = -1;
  /** Within a transaction, what the head will be if it is committed. */
  #head = 0;
  #committed = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = prepare(db);
  }

  /** Only of what is committed: readers are woken for it. */
  get head(): number {
    return this.#committed;
  }

  /** Throws only when nobody can say what happened: the caller must then open the log anew. */
  write(requests: readonly WriteRequest[]): readonly WriteAnswer[] {
    try {
      return this.#transaction(requests);
    } catch (error) {
      this.#forget();
      const refusal = refusalOf(error);
      // One request that can not be written (no room for it) must not take the others with it.
      return requests.length > 1 ? requests.flatMap((request) => this.write([request])) : [refusal];
    }
  }

  #transaction(requests: readonly WriteRequest[]): readonly WriteAnswer[] {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      this.#noticeOtherWriters();
      const answers = requests.map((request) => this.#request(request));
      this.#db.exec('COMMIT');
      this.#committed = this.#head;
      return answers;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #request(request: WriteRequest): WriteAnswer {
    const severalParts = request.length > 1;
    if (severalParts) this.#db.exec('SAVEPOINT request');
    const written: Written[] = [];
    for (const append of request) {
      const answer = this.#append(append);
      if ('kind' in answer) {
        if (written.some((part) => !part.repeated)) this.#undoRequest();
        if (severalParts) this.#db.exec('RELEASE request');
        return answer;
      }
      written.push(answer);
    }
    if (severalParts) this.#db.exec('RELEASE request');
    return { kind: 'written', written };
  }

  #append(append: AppendText): Written | Extract<WriteAnswer, { kind: 'conflict' }> {
    const { stream, expected, count } = append;
    const end = this.#streamEnd(stream);
    const actual = end?.last ?? -1;
    const verdict = judgeAppend(expected, actual, { count, read: () => readIds(textOf(append.text)) }, (from, n) => this.#idsAt(stream, end!.id, from, n));
    switch (verdict) {
      case 'conflict':
        return { kind: 'conflict', stream, expected, actual };
      case 'unchanged':
        return { lastRevision: actual, last: this.#head, repeated: false };
      case 'repeated':
        return { lastRevision: expected + count, last: this.#numberAt(end!.id, expected + count), repeated: true };
      case 'append':
        return this.#insert(append, end ?? this.#newStream(stream));
    }
  }

  #insert(append: AppendText, end: StreamEnd): Written {
    const { stream, count } = append;
    const row = { first: this.#head + 1, stream, revision: end.last + 1, count, ...packText(append.text) };
    this.#sql.insert.run(row.first, end.id, row.revision, count, this.#kindOf(append), row.raw, row.payload, sumOfRow(row));
    this.#head += append.count;
    end.last += append.count;
    return { lastRevision: end.last, last: this.#head, repeated: false };
  }

  #streamEnd(name: string): StreamEnd | undefined {
    const remembered = this.#streams.get(name);
    if (remembered !== undefined) return remembered;
    const id = this.#sql.streamId.get(name)?.['id'] as number | undefined;
    if (id === undefined) return undefined;
    return this.#remember(name, { id, last: (this.#sql.lastRevision.get(id)?.['last'] as number | undefined) ?? -1 });
  }

  #newStream(name: string): StreamEnd {
    return this.#remember(name, { id: Number(this.#sql.newStream.run(name).lastInsertRowid), last: -1 });
  }

  #remember(name: string, end: StreamEnd): StreamEnd {
    if (this.#streams.size >= REMEMBERED_STREAMS) this.#streams.delete(this.#streams.keys().next().value!);
    this.#streams.set(name, end);
    return end;
  }

  #kindOf({ stream, types }: AppendText): number {
    const category = stream.slice(0, stream.indexOf('-'));
    const key = category + types;
    let id = this.#kinds.get(key);
    if (id === undefined) {
      this.#sql.newKind.run(category, types);
      id = this.#sql.kindId.get(category, types)!['id'] as number;
      this.#kinds.set(key, id);
    }
    return id;
  }

  #idsAt(stream: string, id: number, from: number, count: number): string[] {
    const ids: string[] = [];
    for (const cells of this.#sql.range.iterate(id, id, from, from + count)) {
      const row = { stream, ...cells } as unknown as SummedRow & { readonly sum: number | null };
      checkRow(row);
      const all = readIds(unpackText(row));
      ids.push(...all.slice(Math.max(0, from - row.revision), from + count - row.revision));
    }
    return ids;
  }

  #numberAt(stream: number, revision: number): number {
    const row = this.#sql.rowAt.get(stream, revision)!;
    return (row['first'] as number) + revision - (row['revision'] as number);
  }

  /** What another connection wrote makes our memory of the log worthless. */
  #noticeOtherWriters(): void {
    const version = this.#sql.dataVersion.get()!['data_version'] as number;
    if (version === this.#dataVersion) return;
    this.#forget();
    this.#dataVersion = version;
    this.#head = (this.#sql.head.get()?.['head'] as number | undefined) ?? 0;
  }

  #undoRequest(): void {
    this.#db.exec('ROLLBACK TO request');
    this.#streams.clear();
    this.#kinds.clear();
    this.#head = (this.#sql.head.get()?.['head'] as number | undefined) ?? 0;
  }

  #forget(): void {
    this.#streams.clear();
    this.#kinds.clear();
    this.#dataVersion = -1;
  }
}

function refusalOf(error: unknown): WriteAnswer {
  const { errcode, message } = error as { errcode?: number; message: string };
  if (errcode === undefined || !REFUSALS.has(errcode & 0xff)) throw error;
  return { kind: 'refused', errcode, message };
}

type Statements = Record<
  'dataVersion' | 'head' | 'streamId' | 'newStream' | 'lastRevision' | 'kindId' | 'newKind' | 'insert' | 'range' | 'rowAt',
  StatementSync
>;

function prepare(db: DatabaseSync): Statements {
  return {
    dataVersion: db.prepare('PRAGMA data_version'),
    head: db.prepare(HEAD_OF_LOG),
    streamId: db.prepare('SELECT id FROM stream WHERE name = ?'),
    newStream: db.prepare('INSERT INTO stream (name) VALUES (?)'),
    lastRevision: db.prepare('SELECT revision + count - 1 AS last FROM append WHERE stream = ? ORDER BY revision DESC LIMIT 1'),
    kindId: db.prepare('SELECT id FROM kind WHERE category = ? AND types = ?'),
    newKind: db.prepare('INSERT OR IGNORE INTO kind (category, types) VALUES (?, ?)'),
    insert: db.prepare('INSERT INTO append (first, stream, revision, count, kind, raw, payload, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    range: db.prepare(`SELECT first, revision, count, raw, payload, sum FROM append WHERE stream = ?
      AND revision >= (SELECT max(revision) FROM append WHERE stream = ? AND revision <= ?) AND revision < ? ORDER BY revision`),
    rowAt: db.prepare('SELECT first, revision FROM append WHERE stream = ? AND revision <= ? ORDER BY revision DESC LIMIT 1'),
  };
}
