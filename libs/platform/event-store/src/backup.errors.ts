import { ChainfoldError } from '#platform/kernel';

export class BackupTargetTaken extends ChainfoldError {
  constructor(path: string) {
    super('A backup is written into a directory of its own, and something is there already', {
      code: 'backup-target-exists',
      kind: 'conflict',
      facts: { path },
      hint: 'Name a directory that does not exist yet. One without manifest.json is a backup that was cut short: it may be deleted.',
    });
  }
}

export class BackupTargetInside extends ChainfoldError {
  constructor(path: string, directory: string) {
    super('That is inside the data directory, which a backup must outlive', {
      code: 'backup-target-inside',
      kind: 'invalid',
      facts: { path, dataDirectory: directory },
      hint: 'Name a directory elsewhere, best on another disk.',
    });
  }
}

export class BackupTargetUnwritable extends ChainfoldError {
  constructor(path: string, cause: unknown) {
    super('The backup can not be written there', { code: 'backup-target-unwritable', kind: 'unavailable', facts: { path }, hint: 'Give this user the right to write there, or name another directory.', cause });
  }
}

export class BackupIncomplete extends ChainfoldError {
  constructor(path: string) {
    super('That is no whole backup: it has no manifest, which is written last', {
      code: 'backup-incomplete',
      kind: 'missing',
      facts: { path },
      hint: 'Name the directory that `chainfold backup` wrote. If this is one, it was cut short: take another.',
    });
  }
}

export class BackupDamaged extends ChainfoldError {
  constructor(path: string, reason: string, facts: { readonly expected?: string | number; readonly found?: string | number } = {}, cause?: unknown) {
    super('The backup is not what was written', {
      code: 'backup-damaged',
      kind: 'unavailable',
      facts: { path, reason, ...facts },
      hint: 'Take another copy of it, or an older backup. Nothing was put in place.',
      cause,
    });
  }
}

export class DataPresent extends ChainfoldError {
  constructor(path: string, found: string) {
    super('There is something in that data directory already, and a restore replaces nothing', {
      code: 'data-present',
      kind: 'conflict',
      facts: { path, found },
      hint: 'Restore into an empty or new directory (--data-dir), or move away what is there.',
    });
  }
}
