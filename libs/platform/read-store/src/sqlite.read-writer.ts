import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { START } from '#platform/kernel';
import type { Clock, Position } from '#platform/kernel';
import { toGeneration, toParked } from './generation-table.ts';
import type { Checkpoint, Generation, GenerationRef, ParkedEvent, SkippedEvent, Verification } from './generation.ts';
import { guarded, openForReading, openForWriting, PAGE_BYTES, Statements } from './read-database.ts';
import { CheckpointMoved, NoSuchGeneration } from './read-store.errors.ts';
import type { TableDefinition } from './read-store.port.ts';
import { physicalName } from './table-shape.ts';
import type { StoredRow } from './table-shape.ts';
import { createTable, deleteSome, TableWriter } from './table-writer.ts';

export interface RowChange {
  readonly key: StoredRow;
  /** Undefined: the row is deleted. */
  readonly row: StoredRow | undefined;
}

/** Everything of one batch; written in one transaction or not at all. */
export interface Commit {
  /** What must stand there now, or nothing is written. */
  readonly expected: Checkpoint;
  readonly position: Position;
  readonly events: number;
  readonly recordedAt?: string | undefined;
  readonly changes: ReadonlyMap<string, Iterable<RowChange>>;
  readonly parked?: readonly ParkedEvent[];
  /** Positions of events that are no longer parked. */
  readonly unparked?: readonly Pick<ParkedEvent, 'key' | 'position'>[];
  readonly skipped?: readonly SkippedEvent[];
  /** Last revision seen, by stream. */
  readonly revisions?: ReadonlyMap<string, number>;
}

/** The one writer of a file of read models. All its methods are synchronous: a transaction never waits for anything. */
export class SqliteReadWriter {
  readonly file: string;
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  readonly #statements: Statements;
  readonly #tables = new Map<string, TableWriter>();

  /** `maxPages`: the file never grows beyond so many pages of 8 KiB; left out: as far as the disk goes. Throws `data-newer`, `data-damaged`. */
  constructor(file: string, clock: Clock, limits: { readonly maxPages?: number } = {}) {
    this.file = file;
    this.#clock = clock;
    this.#db = openForWriting(file);
    if (limits.maxPages !== undefined) this.#db.exec(`PRAGMA max_page_count = ${Math.floor(limits.maxPages)}`);
    this.#statements = new Statements(this.#db, 1024);
  }

  /** Of one projection, or of all; the oldest first. */
  generations(projection?: string): readonly Generation[] {
    const where = projection === undefined ? '' : 'WHERE projection = ?';
    const params = projection === undefined ? [] : [projection];
    return this.#do(() => this.#all(`SELECT * FROM generation ${where} ORDER BY projection, generation`, ...params).map(toGeneration));
  }

  generation(ref: GenerationRef): Generation | undefined {
    const row = this.#do(() => this.#all('SELECT * FROM generation WHERE projection = ? AND generation = ?', ref.projection, ref.generation)[0]);
    return row === undefined ? undefined : toGeneration(row);
  }

  /** Makes the tables of the next generation, at START. */
  create(projection: string, wanted: Pick<Generation, 'version' | 'log' | 'tables'> & { readonly state: 'building' | 'live' }): Generation {
    return this.#transaction(() => {
      const last = Number(this.#all('SELECT max(generation) AS n FROM generation WHERE projection = ?', projection)[0]?.['n'] ?? 0);
      const ref = { projection, generation: last + 1 };
      const now = this.#clock.now();
      this.#run(
        'INSERT INTO generation (projection, generation, version, log, position, state, tables, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        projection, ref.generation, wanted.version, wanted.log, START, wanted.state, JSON.stringify(wanted.tables), now, now,
      );
      for (const table of wanted.tables) this.#db.exec(createTable(ref, table));
      return this.generation(ref) as Generation;
    });
  }

  /** Rows and checkpoint together. Throws `checkpoint-moved`, and then nothing was written. */
  commit(ref: GenerationRef, commit: Commit): Checkpoint {
    return this.#transaction(() => {
      const rows = this.#writeRows(ref, commit.changes);
      for (const parked of commit.parked ?? []) this.#park(ref, parked);
      for (const { key, position } of commit.unparked ?? []) this.#unpark(ref, key, position);
      for (const skipped of commit.skipped ?? []) this.#skip(ref, skipped);
      for (const [stream, revision] of commit.revisions ?? []) {
        this.#run('INSERT INTO stream_revision VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET revision = excluded.revision', ref.projection, ref.generation, stream, revision);
      }
      this.#moveCheckpoint(ref, commit, rows);
      return { position: commit.position, commits: commit.expected.commits + 1 };
    });
  }

  get(ref: GenerationRef, table: TableDefinition, key: StoredRow): StoredRow | undefined {
    return this.#do(() => this.#table(ref, table.name).get(key));
  }

  /** In log order within each key. */
  parked(ref: GenerationRef, key?: string): readonly ParkedEvent[] {
    const where = key === undefined ? '' : 'AND key = ?';
    const params = key === undefined ? [] : [key];
    return this.#do(() =>
      this.#all(`SELECT * FROM parked_event WHERE projection = ? AND generation = ? ${where} ORDER BY key, position`, ref.projection, ref.generation, ...params).map(toParked),
    );
  }

  parkedKeys(ref: GenerationRef): readonly string[] {
    const rows = this.#do(() => this.#all('SELECT DISTINCT key FROM parked_event WHERE projection = ? AND generation = ?', ref.projection, ref.generation));
    return rows.map((row) => row['key'] as string);
  }

  /** Of one version over one log: every generation of it leaves out the same events. */
  skipped(of: Pick<Generation, 'projection' | 'version' | 'log'>): readonly SkippedEvent[] {
    const rows = this.#do(() =>
      this.#all('SELECT *, skipped_at AS parked_at FROM skipped_event WHERE projection = ? AND version = ? AND log = ? ORDER BY position', of.projection, of.version, of.log),
    );
    return rows.map((row) => ({ ...toParked(row), reason: row['reason'] as string, skippedAt: row['skipped_at'] as number }));
  }

  lastRevisions(ref: GenerationRef): Map<string, number> {
    const rows = this.#do(() => this.#all('SELECT stream, revision FROM stream_revision WHERE projection = ? AND generation = ?', ref.projection, ref.generation));
    return new Map(rows.map((row) => [row['stream'] as string, row['revision'] as number]));
  }

  /** Survives a restart. */
  setPaused(ref: GenerationRef, reason: string | undefined): void {
    this.#do(() => this.#run('UPDATE generation SET paused = ? WHERE projection = ? AND generation = ?', reason ?? null, ref.projection, ref.generation));
  }

  /** One step: this one is live, the one before is kept, and what was kept until now is retired. */
  swap(ref: GenerationRef, verification: Verification | undefined): void {
    this.#transaction(() => {
      this.#run("UPDATE generation SET state = 'retiring' WHERE projection = ? AND state = 'kept' AND generation <> ?", ref.projection, ref.generation);
      this.#run("UPDATE generation SET state = 'kept' WHERE projection = ? AND state = 'live'", ref.projection);
      const done = this.#run(
        "UPDATE generation SET state = 'live', verification = ?, swapped_at = ? WHERE projection = ? AND generation = ? AND state IN ('building', 'kept')",
        verification === undefined ? null : JSON.stringify(verification), this.#clock.now(), ref.projection, ref.generation,
      );
      if (done !== 1) throw new NoSuchGeneration(ref.projection, ref.generation, 'it is neither being built nor kept');
    });
  }

  /** A kept generation is built on, or one that was being built is given up for later. */
  setState(ref: GenerationRef, from: Generation['state'], to: 'building' | 'kept' | 'retiring'): void {
    const done = this.#do(() => this.#run('UPDATE generation SET state = ? WHERE projection = ? AND generation = ? AND state = ?', to, ref.projection, ref.generation, from));
    if (done !== 1) throw new NoSuchGeneration(ref.projection, ref.generation, `it is not ${from}`);
  }

  /** Removes a part of what is retiring; false when there is nothing left to remove. Small steps, so that nobody waits long. */
  retireSome(maxRows: number): boolean {
    const next = this.generations().find((generation) => generation.state === 'retiring');
    if (next === undefined) return false;
    this.#transaction(() => {
      for (const table of next.tables) {
        const removed = this.#run(deleteSome(next, table), maxRows);
        if (removed === maxRows) return;
      }
      this.#forget(next);
    });
    return true;
  }

  /**
   * Copies the WAL back into the file once it is larger than `maxBytes`: to be called when nobody waits for this thread,
   * since it waits for the disk. Left to SQLite, a commit now and then would wait instead, before its rows are seen.
   */
  foldWal(maxBytes: number): void {
    const pages = Number(this.#do(() => this.#all('PRAGMA wal_checkpoint(NOOP)')[0]?.['log'] ?? 0));
    if (pages * PAGE_BYTES > maxBytes) this.#do(() => this.#all('PRAGMA wal_checkpoint(PASSIVE)'));
  }

  /** All content at this moment, in a connection of its own; writing goes on meanwhile. The caller closes it. */
  snapshot(): DatabaseSync {
    const db = openForReading(this.file);
    db.exec('BEGIN');
    db.prepare('SELECT count(*) FROM generation').get();
    return db;
  }

  close(): void {
    this.#statements.clear();
    this.#tables.clear();
    this.#db.close();
  }

  #writeRows(ref: GenerationRef, changes: Commit['changes']): number {
    let rows = 0;
    for (const [name, tableChanges] of changes) {
      const table = this.#table(ref, name);
      for (const { key, row } of tableChanges) {
        if (row === undefined) table.delete(key);
        else table.put(row);
        rows += 1;
      }
    }
    return rows;
  }

  #moveCheckpoint(ref: GenerationRef, commit: Commit, rows: number): void {
    const { expected } = commit;
    const moved = this.#run(
      `UPDATE generation SET position = ?, commits = commits + 1, rows_written = rows_written + ?, events = events + ?,
         recorded_at = coalesce(?, recorded_at), updated_at = ?
       WHERE projection = ? AND generation = ? AND position = ? AND commits = ?`,
      commit.position, rows, commit.events, commit.recordedAt ?? null, this.#clock.now(), ref.projection, ref.generation, expected.position, expected.commits,
    );
    if (moved === 1) return;
    const found = this.generation(ref);
    throw new CheckpointMoved({ projection: ref.projection, generation: ref.generation, expected: expected.position, found: found?.position });
  }

  #park(ref: GenerationRef, event: ParkedEvent): void {
    this.#run(
      'INSERT INTO parked_event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET error = excluded.error',
      ref.projection, ref.generation, event.key, event.position, event.stream, event.revision, event.type, event.error ?? null, event.parkedAt,
    );
  }

  #unpark(ref: GenerationRef, key: string, position: Position): void {
    this.#run('DELETE FROM parked_event WHERE projection = ? AND generation = ? AND key = ? AND position = ?', ref.projection, ref.generation, key, position);
  }

  #skip(ref: GenerationRef, event: SkippedEvent): void {
    this.#run(
      `INSERT INTO skipped_event SELECT projection, version, log, ?, ?, ?, ?, ?, ?, ?, ? FROM generation
       WHERE projection = ? AND generation = ? ON CONFLICT DO UPDATE SET reason = excluded.reason`,
      event.position, event.key, event.stream, event.revision, event.type, event.error ?? null, event.reason, event.skippedAt, ref.projection, ref.generation,
    );
  }

  #forget(generation: Generation): void {
    for (const table of generation.tables) this.#db.exec(`DROP TABLE ${physicalName(generation.projection, generation.generation, table.name)}`);
    for (const table of ['parked_event', 'stream_revision', 'generation']) {
      this.#run(`DELETE FROM ${table} WHERE projection = ? AND generation = ?`, generation.projection, generation.generation);
    }
    this.#tables.clear();
    this.#statements.clear();
  }

  #table(ref: GenerationRef, name: string): TableWriter {
    const physical = physicalName(ref.projection, ref.generation, name);
    let table = this.#tables.get(physical);
    if (table === undefined) {
      const definition = this.generation(ref)?.tables.find((candidate) => candidate.name === name);
      if (definition === undefined) throw new NoSuchGeneration(ref.projection, ref.generation, `it has no table ${name}`);
      table = new TableWriter(this.#statements, ref, definition);
      this.#tables.set(physical, table);
    }
    return table;
  }

  #transaction<T>(fn: () => T): T {
    return this.#do(() => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        const result = fn();
        this.#db.exec('COMMIT');
        return result;
      } catch (error) {
        // A full disk may have rolled it back already.
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #do<T>(fn: () => T): T {
    return guarded(this.file, fn);
  }

  #all(sql: string, ...params: (string | number)[]): Record<string, SQLOutputValue>[] {
    return this.#statements.prepare(sql).all(...params);
  }

  #run(sql: string, ...params: (string | number | null)[]): number {
    return Number(this.#statements.prepare(sql).run(...params).changes);
  }
}
