import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DataDirectoryLocked } from './data.errors.ts';
import { explained } from './sqlite-log-file.ts';

/**
 * The lock is a lock of the operating system that SQLite holds on this file, so it is gone with the process however
 * that ends. Never open the file otherwise: closing any other handle on it would let the lock go (POSIX).
 */
const LOCK_FILE = 'owner.lock';
const ADDRESS_FILE = 'address.json';
/** What is there of an owner, whatever else is. */
export const OWNER_FILES: readonly string[] = [LOCK_FILE, `${LOCK_FILE}-journal`, ADDRESS_FILE, `${ADDRESS_FILE}.new`];
/** A command that only looks who the owner is holds the lock for a moment; an owner outlives this. */
const PATIENCE_MS = 500;
const SQLITE_BUSY = 5;

/** A lock whose last reference is dropped would be closed by the garbage collector, and with it the lock let go. */
const held = new Set<DatabaseSync>();

/** Who works on a data directory, and where it can be asked. */
export interface DataDirectoryOwner {
  readonly pid?: number;
  readonly url?: string;
}

/** Creates the directory where there is none and makes it ours. Throws `data-directory-locked`, `data-read-only`, `disk-full`. */
export function acquireDataDirectory(path: string): DataDirectory {
  const lock = explained(path, () => {
    mkdirSync(path, { recursive: true });
    return takeLock(path, 'BEGIN EXCLUSIVE');
  });
  if (lock === undefined) throw new DataDirectoryLocked(path, readAddress(path));
  try {
    const directory = new DataDirectory(path, lock);
    explained(path, () => directory.announce());
    held.add(lock);
    return directory;
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** The living owner of a directory; undefined when nobody works on it, whatever an address left behind says. */
export function ownerOfDataDirectory(path: string): DataDirectoryOwner | undefined {
  let probe: DatabaseSync | undefined;
  try {
    probe = takeLock(path, 'BEGIN; SELECT 1 FROM sqlite_master');
  } catch {
    return undefined;
  }
  if (probe === undefined) return readAddress(path);
  probe.close();
  return undefined;
}

export class DataDirectory {
  readonly path: string;
  readonly #lock: DatabaseSync;
  #released = false;

  constructor(path: string, lock: DatabaseSync) {
    this.path = path;
    this.#lock = lock;
  }

  /** Tells commands beside this process where to ask. Whole or not at all. */
  announce(url?: string): void {
    const file = join(this.path, ADDRESS_FILE);
    writeFileSync(`${file}.new`, `${JSON.stringify({ pid: process.pid, ...(url !== undefined && { url }) })}\n`);
    renameSync(`${file}.new`, file);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    rmSync(join(this.path, ADDRESS_FILE), { force: true });
    held.delete(this.#lock);
    this.#lock.close();
  }
}

/** Undefined when somebody else holds it. */
function takeLock(path: string, how: string): DatabaseSync | undefined {
  const forOwner = how === 'BEGIN EXCLUSIVE';
  const lock = new DatabaseSync(join(path, LOCK_FILE), { timeout: forOwner ? PATIENCE_MS : 0, readOnly: !forOwner });
  try {
    lock.exec(how);
    return lock;
  } catch (error) {
    lock.close();
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY) return undefined;
    throw error;
  }
}

function readAddress(path: string): DataDirectoryOwner {
  try {
    const { pid, url } = JSON.parse(readFileSync(join(path, ADDRESS_FILE), 'utf8')) as DataDirectoryOwner;
    return { ...(typeof pid === 'number' && { pid }), ...(typeof url === 'string' && { url }) };
  } catch {
    return {};
  }
}
