import { resolve } from 'node:path';
import { backupLog, checkBackup, restoreLog, type BackupManifest, type BackupProgress } from '#platform/event-store';
import { systemClock } from '#platform/kernel';
import type { Output } from '../output.ts';
import { settingsOf, type LoadProgram } from '../target.ts';

const MB = 1_000_000;

/**
 * Reads the log beside the process that writes it, as its own readers do: so no address takes a path to write to, and
 * copying and hashing cost the process nothing.
 */
export async function backup(load: LoadProgram, output: Output, target: string): Promise<void> {
  const directory = resolve(settingsOf(await load()).data.dir);
  const manifest = await withProgress(output, (onProgress) => backupLog(directory, resolve(target), systemClock, onProgress));
  output.result({ kind: 'backup', directory: resolve(target), ...manifest }, () => `Backed up ${inWords(manifest)}\nto ${resolve(target)}, read back from there.`);
}

export async function restore(load: LoadProgram, output: Output, from: string, options: { readonly dataDir?: string; readonly check?: boolean }): Promise<void> {
  if (options.check === true) {
    const checked = await withProgress(output, (onProgress) => checkBackup(resolve(from), onProgress));
    output.result({ kind: 'checked', ...checked }, () => `The backup is whole: ${inWords(checked)}`);
    return;
  }
  const directory = resolve(options.dataDir ?? settingsOf(await load()).data.dir);
  const restored = await withProgress(output, (onProgress) => restoreLog(resolve(from), directory, onProgress));
  output.result({ kind: 'restored', directory, ...restored }, () => `Restored ${inWords(restored)}\ninto ${directory}. Start with DATA_DIR=${directory}: the read models are built from it.`);
}

/** A bar for each step. */
async function withProgress<T>(output: Output, work: (onProgress: BackupProgress) => Promise<T>): Promise<T> {
  let bar: ReturnType<Output['progress']> | undefined;
  let current: string | undefined;
  let since = 0;
  try {
    return await work((step, done, total) => {
      if (step !== current) {
        bar?.end();
        bar = output.progress(step, 'MB');
        current = step;
        since = performance.now();
      }
      const rate = (done * 1_000) / Math.max(1, performance.now() - since);
      bar?.at(Math.round(done / MB), Math.round(total / MB), { rate: rate / MB, etaSeconds: rate > 0 ? (total - done) / rate : null });
    });
  } finally {
    bar?.end();
  }
}

function inWords({ events, streams, bytes, head, sha256, takenAt }: BackupManifest): string {
  return `${events} events of ${streams} streams (${(bytes / MB).toFixed(1)} MB), up to position ${head}, as of ${takenAt}; sha256 ${sha256}`;
}
