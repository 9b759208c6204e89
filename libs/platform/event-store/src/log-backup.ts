import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, open, readdir, realpath, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { backup as copyPages, DatabaseSync } from 'node:sqlite';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '#platform/kernel';
import { BackupTargetInside, BackupTargetTaken, BackupTargetUnwritable } from './backup.errors.ts';
import { DataDamaged, dataErrorOf, DataReadOnly, DiskFull } from './data.errors.ts';
import { type LogContents, readContents } from './log-contents.ts';
import { readHighWater } from './high-water-mark.ts';
import { logFilePath, mustReach, openLogToRead } from './sqlite-log-file.ts';

export const BACKUP_FORMAT = 1;
export const MANIFEST_FILE = 'manifest.json';

/** What the manifest of a backup says. It is written last, so a backup that was cut has none. */
export interface BackupManifest extends LogContents {
  readonly format: number;
  /** Of the copy of the log, as a file. */
  readonly bytes: number;
  readonly fileSha256: string;
  readonly takenAt: string;
}

/** Bytes done, of all; each step of a backup or a restore goes through all of them. */
export type BackupProgress = (step: 'copied' | 'checked', done: number, total: number) => void;

/** Copied between two looks at anything else. */
const PAGES_AT_ONCE = 100;

/**
 * Copies the log as it stands at this moment into a new directory, also while another process writes it, and reads the
 * copy back. Throws `data-missing` and its like, `backup-target-*`, `disk-full`; then nothing of it is left.
 */
export async function backupLog(directory: string, target: string, clock: Clock, onProgress: BackupProgress): Promise<BackupManifest> {
  const { db } = openLogToRead(directory);
  try {
    await mustBeOutside(target, directory);
    const made = await makeEmpty(target);
    try {
      return await writeBackup(db, directory, target, clock, onProgress);
    } catch (error) {
      for (const name of ['log.sqlite', 'log.sqlite-journal', `${MANIFEST_FILE}.new`, MANIFEST_FILE]) await rm(join(target, name), { force: true });
      if (made) await rm(target, { recursive: true, force: true });
      throw writingError(target, ofTheLog(directory, error));
    }
  } finally {
    db.close();
  }
}

async function writeBackup(db: DatabaseSync, directory: string, target: string, clock: Clock, onProgress: BackupProgress): Promise<BackupManifest> {
  const takenAt = new Date(clock.now()).toISOString();
  // The moment of the backup. Without it SQLite begins anew at every commit of the writer, and never ends beside a busy one.
  const mark = readHighWater(directory);
  db.exec('BEGIN');
  mustReach(mark, db, directory);
  const { bytes } = db.prepare('SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) AS bytes, (SELECT max(first) FROM append) AS head').get() as { bytes: number };
  await mustHaveRoom(target, bytes);
  const file = logFilePath(target);
  await copyPages(db, file, { rate: PAGES_AT_ONCE, progress: ({ totalPages, remainingPages }) => onProgress('copied', bytes * (1 - remainingPages / totalPages), bytes) });
  onProgress('copied', bytes, bytes);
  asOneFile(file);
  const manifest = { format: BACKUP_FORMAT, ...(await readWhole(file, bytes, onProgress)), bytes, fileSha256: await hashOfFile(file), takenAt };
  await flushed(file);
  await writeLast(target, manifest);
  return manifest;
}

/** Without files beside it: it may be copied anywhere, and read from where nothing can be written. */
function asOneFile(file: string): void {
  const copy = new DatabaseSync(file);
  copy.exec('PRAGMA journal_mode = DELETE');
  copy.close();
}

export async function readWhole(file: string, bytes: number, onProgress: BackupProgress): Promise<LogContents> {
  let done = 0;
  const contents = await readContents(file, (read) => onProgress('checked', (done += read), bytes));
  onProgress('checked', bytes, bytes);
  return contents;
}

/** Unlike the hash of the contents it knows every bit, also those that mean nothing. */
export async function hashOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function writeLast(target: string, manifest: BackupManifest): Promise<void> {
  const file = join(target, MANIFEST_FILE);
  const handle = await open(`${file}.new`, 'wx');
  try {
    await handle.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  await flushed(target);
}

/** A file, or the names in a directory, are on the disk. */
export async function flushed(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Half a copy helps nobody, and a disk that is full harms everybody on it: told before the first byte. */
export async function mustHaveRoom(target: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(target);
  if (bavail * bsize < bytes) throw new DiskFull(target, new Error(`it needs ${bytes} bytes, ${bavail * bsize} are free`));
}

/** Stands in the root of many a file system that is just made. */
export const OF_A_NEW_DISK = 'lost+found';

/** Answers whether the directory was made. */
async function makeEmpty(target: string): Promise<boolean> {
  if (existsSync(target)) {
    const names = await readdir(target).catch(() => ['what is no directory']);
    if (names.some((name) => name !== OF_A_NEW_DISK)) throw new BackupTargetTaken(target);
    return false;
  }
  await mkdir(target, { recursive: true }).catch((error: unknown) => {
    throw writingError(target, error);
  });
  return true;
}

async function mustBeOutside(target: string, directory: string): Promise<void> {
  const data = await realpath(directory);
  let at = resolve(target);
  while (!existsSync(at)) at = dirname(at);
  const way = relative(data, await realpath(at));
  if (way !== '..' && !way.startsWith(`..${sep}`) && resolve(way) !== way) throw new BackupTargetInside(target, directory);
}

/** What is found wrong in the copy was wrong before. */
function ofTheLog(directory: string, error: unknown): unknown {
  return error instanceof DataDamaged ? new DataDamaged(logFilePath(directory), error.reason, error) : error;
}

function writingError(target: string, error: unknown): unknown {
  const meaning = dataErrorOf(error, target);
  return meaning instanceof DataReadOnly ? new BackupTargetUnwritable(target, error) : (meaning ?? error);
}
