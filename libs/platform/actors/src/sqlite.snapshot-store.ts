import { rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { SnapshotStore, type SnapshotKey } from './snapshot-store.port.ts';

/** One file. Not synced to the disk on every write: after a power cut it may be old, which costs reading a few more events. */
export class SqliteSnapshotStore extends SnapshotStore {
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;

  constructor(file: string) {
    super();
    this.#database = openOrStartAnew(file);
    this.#get = this.#database.prepare('SELECT text FROM snapshot WHERE log = ? AND stream = ? AND state_version = ?');
    this.#put = this.#database.prepare('INSERT OR REPLACE INTO snapshot (log, stream, state_version, text) VALUES (?, ?, ?, ?)');
  }

  async get({ log, stream, stateVersion }: SnapshotKey): Promise<string | undefined> {
    const text = this.#get.get(log, stream, stateVersion)?.['text'];
    return typeof text === 'string' ? text : undefined;
  }

  async put({ log, stream, stateVersion }: SnapshotKey, text: string): Promise<void> {
    this.#put.run(log, stream, stateVersion, text);
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }
}

/** A file that can not be opened as ours is thrown away: it is a cache. */
function openOrStartAnew(file: string): DatabaseSync {
  try {
    return open(file);
  } catch {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    return open(file);
  }
}

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 1000');
    database.exec(`CREATE TABLE IF NOT EXISTS snapshot (
      log TEXT NOT NULL, stream TEXT NOT NULL, state_version INTEGER NOT NULL, text TEXT NOT NULL,
      PRIMARY KEY (log, stream, state_version)) STRICT, WITHOUT ROWID`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
