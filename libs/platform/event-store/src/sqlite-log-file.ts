import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Upcasters } from '#platform/kernel';
import { DataDamaged, dataErrorOf, DataMissing, DataNewer, DataOlder, LogCutShort } from './data.errors.ts';
import { type EventVersions, noteEventVersions } from './event-versions.ts';
import { type HighWater, highWaterFile, readHighWater } from './high-water-mark.ts';

/** Raised when the layout below, or the text of an append, changes its shape. 2: rows have a sum. */
const FORMAT_VERSION = 2;
/** "cfld": marks the file as ours. */
const APPLICATION_ID = 0x63666c64;
const BUSY_MS = 5_000;

/**
 * A row per append. `kind` is its category and set of types, so routing, filtering and counting touch no payload;
 * the payload is text, or where that is long its zstd frame and `raw` the length of the text in bytes; `sum` is over all
 * that is read of the row (`row-checksum.ts`).
 */
const LAYOUT = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE kind (id INTEGER PRIMARY KEY, category TEXT NOT NULL, types TEXT NOT NULL, UNIQUE (category, types)) STRICT;
  CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE append (
    first INTEGER PRIMARY KEY, stream INTEGER NOT NULL, revision INTEGER NOT NULL, count INTEGER NOT NULL,
    kind INTEGER NOT NULL, raw INTEGER, payload ANY NOT NULL, sum INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX append_by_stream ON append (stream, revision);
  CREATE INDEX append_by_kind ON append (kind);
`;

export interface LogFile {
  readonly db: DatabaseSync;
  readonly identity: string;
}

export function logFilePath(directory: string): string {
  return join(directory, 'log.sqlite');
}

/** Creates the log where there is none. Throws `data-newer`, `data-damaged`, `data-cut-short`, `data-read-only`, `disk-full`. */
export function openLogToWrite(directory: string, maxBytes?: number, versions?: EventVersions, upcasters?: Upcasters): LogFile {
  const path = logFilePath(directory);
  return explained(path, () => {
    mkdirSync(directory, { recursive: true });
    refuseCutShort(directory, path);
    return closedOnError(new DatabaseSync(path, { timeout: BUSY_MS }), (db) => {
      if (isEmpty(db)) create(db);
      const identity = checkedIdentity(db, path);
      upgrade(db);
      if (versions !== undefined) noteEventVersions(db, path, versions, upcasters);
      // Again, for a log that was restored is one file without it.
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864');
      if (maxBytes !== undefined) db.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / pragma(db, 'page_size'))}`);
      return { db, identity };
    });
  });
}

/** Throws `data-missing`, `data-newer`, `data-older`, `data-damaged`, `data-read-only`. */
export function openLogToRead(directory: string): LogFile {
  const path = logFilePath(directory);
  if (!existsSync(path)) throw new DataMissing(path);
  return explained(path, () => openLogFile(path));
}

/** For reading, wherever it lies. Throws `data-missing`, `data-newer`, `data-older`, `data-damaged`, and what SQLite throws. */
export function openLogFile(path: string): LogFile {
  return closedOnError(new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS }), (db) => {
    // Whoever began to make it has not come to the end.
    if (isEmpty(db)) throw new DataMissing(path);
    const identity = checkedIdentity(db, path);
    const version = pragma(db, 'user_version');
    if (version < FORMAT_VERSION) throw new DataOlder(path, version, FORMAT_VERSION);
    return { db, identity };
  });
}

/** Looks without writing: opening a torn WAL to write would fold back what is whole of it and throw the rest away. */
function refuseCutShort(directory: string, path: string): void {
  const mark = readHighWater(directory);
  if (mark === undefined) return;
  if (!existsSync(path)) {
    if (mark.head > 0) throw new LogCutShort(path, 0, mark.head, highWaterFile(directory));
    return;
  }
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
  try {
    mustReach(mark, db, directory);
  } finally {
    db.close();
  }
}

/** Throws `data-cut-short` where the log ends before what was seen of it. `mark`: read before `db` began to read. */
export function mustReach(mark: HighWater | undefined, db: DatabaseSync, directory: string): void {
  const path = logFilePath(directory);
  if (mark === undefined || checkedIdentity(db, path) !== mark.identity) return;
  const head = (db.prepare(HEAD_OF_LOG).get()?.['head'] as number | undefined) ?? 0;
  if (head < mark.head) throw new LogCutShort(path, head, mark.head, highWaterFile(directory));
}

export const HEAD_OF_LOG = 'SELECT first + count - 1 AS head FROM append ORDER BY first DESC LIMIT 1';

/** Runs what touches the file at `path`; errors of SQLite come out as what they mean for the data. */
export function explained<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    // Short payloads are plain text: what is no JSON any more was changed behind our back.
    if (error instanceof SyntaxError) throw new DataDamaged(path, error.message, error);
    throw dataErrorOf(error, path) ?? error;
  }
}

function create(db: DatabaseSync): void {
  // WAL can not be switched on inside a transaction; everything else is in one, so a crash leaves an empty file.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE');
  db.exec(LAYOUT);
  db.prepare('INSERT INTO meta VALUES (?, ?), (?, ?)').run('identity', `x${randomBytes(8).toString('hex')}`, 'format', String(FORMAT_VERSION));
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}; COMMIT`);
}

/** Whole or not at all; an older version must not read what this one writes. */
function upgrade(db: DatabaseSync): void {
  if (pragma(db, 'user_version') === FORMAT_VERSION) return;
  db.exec('PRAGMA synchronous = FULL; BEGIN EXCLUSIVE');
  db.exec('ALTER TABLE append ADD COLUMN sum INTEGER');
  db.prepare("UPDATE meta SET value = ? WHERE key = 'format'").run(String(FORMAT_VERSION));
  db.exec(`PRAGMA user_version = ${FORMAT_VERSION}; COMMIT`);
}

function checkedIdentity(db: DatabaseSync, path: string): string {
  if (pragma(db, 'application_id') !== APPLICATION_ID) throw new DataDamaged(path, 'not a log of chainfold');
  const version = pragma(db, 'user_version');
  if (version > FORMAT_VERSION) throw new DataNewer(path, version, FORMAT_VERSION);
  const meta = new Map(db.prepare('SELECT key, value FROM meta').all().map((row) => [row['key'], row['value']]));
  const identity = meta.get('identity');
  if (typeof identity !== 'string' || meta.get('format') !== String(version)) throw new DataDamaged(path, 'its description of itself is incomplete');
  return identity;
}

function isEmpty(db: DatabaseSync): boolean {
  return db.prepare('SELECT 1 FROM sqlite_master LIMIT 1').get() === undefined && pragma(db, 'user_version') === 0;
}

function pragma(db: DatabaseSync, name: 'application_id' | 'user_version' | 'page_size'): number {
  return db.prepare(`PRAGMA ${name}`).get()![name] as number;
}

function closedOnError(db: DatabaseSync, use: (db: DatabaseSync) => LogFile): LogFile {
  try {
    return use(db);
  } catch (error) {
    db.close();
    throw error;
  }
}
