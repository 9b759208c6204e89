import { constants, existsSync } from 'node:fs';
import { copyFile, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ChainfoldError } from '#platform/kernel';
import { BackupDamaged, BackupIncomplete, DataPresent } from './backup.errors.ts';
import { acquireDataDirectory, OWNER_FILES } from './data-directory.ts';
import { DataDamaged, dataErrorOf, DataNewer } from './data.errors.ts';
import { BACKUP_FORMAT, type BackupManifest, type BackupProgress, flushed, hashOfFile, MANIFEST_FILE, mustHaveRoom, OF_A_NEW_DISK, readWhole } from './log-backup.ts';
import { logFilePath } from './sqlite-log-file.ts';

/** What a restore writes until all of it is verified; one that was cut leaves it behind, and the next one begins it anew. */
const RESTORING = 'log.sqlite.restoring';

/** Reads a whole backup and compares it with its manifest. Throws `backup-incomplete`, `backup-damaged`, `data-newer`. */
export async function checkBackup(backup: string, onProgress: BackupProgress): Promise<BackupManifest> {
  const manifest = await readManifest(backup);
  await mustBeAsWritten(logFilePath(backup), backup, manifest, onProgress);
  return manifest;
}

/**
 * Puts a backup's log into an empty data directory, all of it verified there before it gets its name. Throws what
 * `checkBackup` throws, `data-present`, `data-directory-locked`, `disk-full`; then no log is there.
 */
export async function restoreLog(backup: string, directory: string, onProgress: BackupProgress): Promise<BackupManifest> {
  const manifest = await readManifest(backup);
  const owned = acquireDataDirectory(directory);
  const copy = join(directory, RESTORING);
  try {
    const [other] = (await readdir(directory)).filter((name) => name !== RESTORING && name !== OF_A_NEW_DISK && !OWNER_FILES.includes(name));
    if (other !== undefined) throw new DataPresent(directory, other);
    await mustHaveRoom(directory, manifest.bytes);
    await copyFile(logFilePath(backup), copy, constants.COPYFILE_FICLONE).catch((error: unknown) => {
      throw (error as { code?: string }).code === 'ENOENT' ? new BackupDamaged(backup, 'its log is missing', {}, error) : error;
    });
    onProgress('copied', manifest.bytes, manifest.bytes);
    await mustBeAsWritten(copy, backup, manifest, onProgress);
    await flushed(copy);
    await rename(copy, logFilePath(directory));
    await flushed(directory);
    return manifest;
  } catch (error) {
    await rm(copy, { force: true });
    throw dataErrorOf(error, directory) ?? error;
  } finally {
    owned.release();
  }
}

async function readManifest(backup: string): Promise<BackupManifest> {
  const file = join(backup, MANIFEST_FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as { code?: string };
    throw code === 'ENOENT' || code === 'ENOTDIR' ? new BackupIncomplete(backup) : (dataErrorOf(error, backup) ?? error);
  }
  try {
    const manifest = JSON.parse(text) as BackupManifest;
    if (manifest.format > BACKUP_FORMAT) throw new DataNewer(backup, manifest.format, BACKUP_FORMAT);
    return manifest;
  } catch (error) {
    throw error instanceof ChainfoldError ? error : new BackupDamaged(backup, 'its manifest can not be read', {}, error);
  }
}

async function mustBeAsWritten(file: string, backup: string, manifest: BackupManifest, onProgress: BackupProgress): Promise<void> {
  if (!existsSync(file)) throw new BackupDamaged(backup, 'its log is missing');
  const fileSha256 = await hashOfFile(file);
  if (fileSha256 !== manifest.fileSha256) throw new BackupDamaged(backup, 'a bit of its log is not as it was', { expected: manifest.fileSha256, found: fileSha256 });
  const found = await readWhole(file, manifest.bytes, onProgress).catch((error: unknown) => {
    throw error instanceof DataDamaged ? new BackupDamaged(backup, error.reason, {}, error) : error;
  });
  for (const part of ['identity', 'head', 'events', 'streams', 'sha256'] as const) {
    if (found[part] !== manifest[part]) throw new BackupDamaged(backup, `${part} differs from the manifest`, { expected: manifest[part], found: found[part] });
  }
}
