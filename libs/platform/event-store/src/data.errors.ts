import { basename } from 'node:path';
import { ChainfoldError } from '#platform/kernel';

/** What can be wrong with a file or directory of data, told so that an operator knows the way out. */
export class DataNewer extends ChainfoldError {
  /** `event`: the versions are of this one, not of the file. */
  constructor(path: string, found: number, known: number, event?: string) {
    super('The data was written by a newer version', {
      code: 'data-newer',
      kind: 'unavailable',
      facts: { path, ...(event !== undefined && { event }), found, known },
      hint: 'Start the newer version again, or point DATA_DIR to another directory.',
    });
  }
}

/** Only who may write can bring it up to date. */
export class DataOlder extends ChainfoldError {
  constructor(path: string, found: number, known: number) {
    super('The data was written by an older version and has not been brought up to date', {
      code: 'data-older',
      kind: 'unavailable',
      facts: { path, found, known },
      hint: 'Start the service once: that brings it up to date.',
    });
  }
}

export class DataDamaged extends ChainfoldError {
  readonly reason: string;

  constructor(path: string, reason: string, cause?: unknown) {
    super('The data can not be read: the file is damaged or not ours', {
      code: 'data-damaged',
      kind: 'unavailable',
      facts: { path, reason },
      hint: 'Put a copy of the file back, or move it away to start with an empty one. Nothing was changed.',
      cause,
    });
    this.reason = reason;
  }
}

/** What SQLite can not notice: a WAL that is gone or torn looks like one that ended there. */
export class LogCutShort extends ChainfoldError {
  constructor(path: string, head: number, was: number, witness: string) {
    super('The newest events of the log are missing', {
      code: 'data-cut-short',
      kind: 'unavailable',
      facts: { path, head, was, witness },
      hint: `Put ${basename(path)} and ${basename(path)}-wal back as they were, both of the same moment (a directory is not copied while its owner runs: use chainfold backup); to go on without the missing events, remove ${basename(witness)}. Nothing was changed.`,
    });
  }
}

export class DataReadOnly extends ChainfoldError {
  constructor(path: string, cause?: unknown) {
    super('The data can not be written', {
      code: 'data-read-only',
      kind: 'unavailable',
      facts: { path },
      hint: 'Give this user the right to write there, or point DATA_DIR to another directory.',
      cause,
    });
  }
}

export class DiskFull extends ChainfoldError {
  constructor(path: string, cause?: unknown) {
    super('There is no room left for the data', {
      code: 'disk-full',
      kind: 'unavailable',
      retryable: true,
      facts: { path },
      hint: 'Free some room on that disk; nothing half-written was left behind.',
      cause,
    });
  }
}

export class DataMissing extends ChainfoldError {
  constructor(path: string) {
    super('There is no data yet', {
      code: 'data-missing',
      kind: 'missing',
      facts: { path },
      hint: 'Start the service once, or point DATA_DIR to its directory.',
    });
  }
}

export class DataDirectoryLocked extends ChainfoldError {
  constructor(path: string, owner: { readonly pid?: number; readonly url?: string }) {
    super('Another process works on this data directory', {
      code: 'data-directory-locked',
      kind: 'conflict',
      facts: { path, ...owner },
      hint: 'Stop that process, or use another DATA_DIR.',
    });
  }
}

/** Primary result codes, https://www.sqlite.org/rescode.html */
const SQLITE = { perm: 3, busy: 5, readOnly: 8, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 } as const;

/** What an error of SQLite or of the file system means for the data at `path`; undefined when it is none of these. */
export function dataErrorOf(error: unknown, path: string): ChainfoldError | undefined {
  if (!(error instanceof Error) && !isPlain(error)) return undefined;
  const { errcode, code, message } = error as { errcode?: number; code?: string; message: string };
  if (errcode !== undefined) {
    switch (errcode & 0xff) {
      case SQLITE.full:
        return new DiskFull(path, error);
      case SQLITE.busy:
        return new DataDirectoryLocked(path, {});
      case SQLITE.perm:
      case SQLITE.readOnly:
      case SQLITE.cantOpen:
        return new DataReadOnly(path, error);
      case SQLITE.corrupt:
      case SQLITE.notADatabase:
        return new DataDamaged(path, message, error);
      default:
        return undefined;
    }
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') return new DiskFull(path, error);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST') return new DataReadOnly(path, error);
  if (code !== undefined && (code.startsWith('ERR_ZLIB') || code.startsWith('ZSTD'))) return new DataDamaged(path, message, error);
  return undefined;
}

function isPlain(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'message' in error;
}
