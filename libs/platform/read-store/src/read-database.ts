import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { ReadDataDamaged, ReadDataNewer } from './read-store.errors.ts';

/** Raised when the control tables change shape. Another format is never guessed at: the file can be rebuilt. */
export const READ_FORMAT = 1;
const APPLICATION_ID = 0x63_66_72_64;
export const PAGE_BYTES = 8192;
/** Whoever writes folds the WAL back between commits (`foldWal`); this is the limit if nobody does. */
const WAL_PAGES = (128 * 1024 * 1024) / PAGE_BYTES;

const CONTROL = `
CREATE TABLE generation (
  projection TEXT NOT NULL, generation INTEGER NOT NULL, version INTEGER NOT NULL,
  log TEXT NOT NULL, position TEXT NOT NULL, commits INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL CHECK (state IN ('building', 'live', 'kept', 'retiring')),
  tables TEXT NOT NULL, rows_written INTEGER NOT NULL DEFAULT 0, events INTEGER NOT NULL DEFAULT 0,
  paused TEXT, verification TEXT, recorded_at TEXT,
  created_at INTEGER NOT NULL, swapped_at INTEGER, updated_at INTEGER NOT NULL,
  PRIMARY KEY (projection, generation)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_live ON generation (projection) WHERE state = 'live';
CREATE UNIQUE INDEX one_building ON generation (projection) WHERE state = 'building';
CREATE TABLE parked_event (
  projection TEXT NOT NULL, generation INTEGER NOT NULL, key TEXT NOT NULL, position TEXT NOT NULL,
  stream TEXT NOT NULL, revision INTEGER NOT NULL, type TEXT NOT NULL, error TEXT, parked_at INTEGER NOT NULL,
  PRIMARY KEY (projection, generation, key, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE skipped_event (
  projection TEXT NOT NULL, version INTEGER NOT NULL, log TEXT NOT NULL, position TEXT NOT NULL, key TEXT NOT NULL,
  stream TEXT NOT NULL, revision INTEGER NOT NULL, type TEXT NOT NULL, error TEXT, reason TEXT NOT NULL, skipped_at INTEGER NOT NULL,
  PRIMARY KEY (projection, version, log, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE stream_revision (
  projection TEXT NOT NULL, generation INTEGER NOT NULL, stream TEXT NOT NULL, revision INTEGER NOT NULL,
  PRIMARY KEY (projection, generation, stream)
) STRICT, WITHOUT ROWID;
`;

/** Opens the file for writing, making it where it is absent. Throws `data-newer`, `data-damaged`. */
export function openForWriting(file: string): DatabaseSync {
  return guarded(file, () => {
    const db = new DatabaseSync(file, { timeout: 250 });
    return closedOnFailure(db, () => {
      // Losing the last commits in a power cut is harmless: rows and checkpoint go together and the log has the rest.
      db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
        PRAGMA wal_autocheckpoint = ${WAL_PAGES}; PRAGMA journal_size_limit = ${WAL_PAGES * PAGE_BYTES};
        PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;`);
      db.exec('BEGIN IMMEDIATE');
      prepareFormat(db, file);
      db.exec('COMMIT');
    });
  });
}

/** Opens the file for queries only. Make it first with `openForWriting`. */
export function openForReading(file: string): DatabaseSync {
  return guarded(file, () => {
    const db = new DatabaseSync(file, { readOnly: true, timeout: 250 });
    return closedOnFailure(db, () => {
      db.exec('PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;');
      checkFormat(db, file);
    });
  });
}

function closedOnFailure(db: DatabaseSync, prepare: () => void): DatabaseSync {
  try {
    prepare();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function prepareFormat(db: DatabaseSync, file: string): void {
  const empty = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] === 0;
  if (!empty) return checkFormat(db, file);
  db.exec(`${CONTROL} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${READ_FORMAT};`);
}

function checkFormat(db: DatabaseSync, file: string): void {
  const found = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (db.prepare('PRAGMA application_id').get()?.['application_id'] !== APPLICATION_ID) {
    throw new ReadDataDamaged(file, 'this is not a file of read models');
  }
  if (found > READ_FORMAT) throw new ReadDataNewer(file, found, READ_FORMAT);
}

/** Runs `fn`; what SQLite says about a broken file comes out as `data-damaged`. */
export function guarded<T>(file: string, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    const code = sqliteCode(error);
    if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) throw new ReadDataDamaged(file, (error as Error).message, error);
    throw error;
  }
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
/** Busy, locked, out of memory, I/O, disk full, can not open: somebody may put it right without touching the data. */
const TRANSIENT = new Set([5, 6, 7, 10, 13, 14]);

/** Primary result code when `error` came from SQLite. https://sqlite.org/rescode.html */
export function sqliteCode(error: unknown): number | undefined {
  const code: unknown = typeof error === 'object' && error !== null && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code & 0xff : undefined;
}

export function isTransientSqlite(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== undefined && TRANSIENT.has(code);
}

/** Prepared statements by their text, the least recently used dropped: names of tables change with generations. */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #max: number;
  readonly #byText = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, max = 256) {
    this.#db = db;
    this.#max = max;
  }

  prepare(sql: string): StatementSync {
    let statement = this.#byText.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      if (this.#byText.size >= this.#max) this.#byText.delete(this.#byText.keys().next().value as string);
    } else {
      this.#byText.delete(sql);
    }
    this.#byText.set(sql, statement);
    return statement;
  }

  clear(): void {
    this.#byText.clear();
  }
}
