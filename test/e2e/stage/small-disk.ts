import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of its own, small enough to be filled. Only root on Linux can have one. */
export class SmallDisk {
  readonly directory: string;
  readonly #ballast: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.#ballast = join(directory, 'ballast');
  }

  /** Undefined where this user can not mount one. */
  static mount(megabytes: number): SmallDisk | undefined {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
    const directory = mkdtempSync(join(tmpdir(), 'chainfold-small-disk-'));
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory]).status === 0) return new SmallDisk(directory);
    rmdirSync(directory);
    return undefined;
  }

  /** Takes every byte that is left. */
  fill(): void {
    const file = openSync(this.#ballast, 'a');
    try {
      for (const piece = Buffer.alloc(4_096); ; ) writeSync(file, piece);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  makeRoom(): void {
    rmSync(this.#ballast, { force: true });
  }

  /** No process may have a file open there to write. */
  protect(readOnly: boolean): void {
    const mode = readOnly ? 'ro' : 'rw';
    if (spawnSync('mount', ['-o', `remount,${mode}`, this.directory]).status !== 0) throw new Error(`could not be made ${mode}`);
  }

  /** No process may work there any more. */
  unmount(): void {
    spawnSync('umount', [this.directory]);
    rmdirSync(this.directory);
  }
}

/** A suite that needs such a disk. Where there can be none it is reported as not run, by name. */
export function describeWithSmallDisk(name: string, megabytes: number, suite: (mount: () => SmallDisk) => void): void {
  const probe = SmallDisk.mount(1);
  probe?.unmount();
  if (probe === undefined) {
    describe.skip(`${name} (not run: only root on Linux can mount a small disk)`, () => {
      it('needs a small disk', () => undefined);
    });
    return;
  }
  describe(name, () => suite(() => SmallDisk.mount(megabytes) as SmallDisk));
}
