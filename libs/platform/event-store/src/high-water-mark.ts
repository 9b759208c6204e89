import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'log.head';
const TEXT = /^(x[0-9a-f]+) (\d{16})\n$/;

export function highWaterFile(directory: string): string {
  return join(directory, FILE);
}

export interface HighWater {
  readonly identity: string;
  readonly head: number;
}

/** How far the log of a directory was seen to have come; undefined where nobody wrote it down. */
export function readHighWater(directory: string): HighWater | undefined {
  try {
    const [, identity, head] = TEXT.exec(readFileSync(highWaterFile(directory), 'latin1')) ?? [];
    return identity === undefined ? undefined : { identity, head: Number(head) };
  } catch {
    return undefined;
  }
}

/**
 * Writes down how far the log has come, in a file beside it. SQLite takes a WAL that is gone or torn for one that ended
 * there: without this witness acknowledged events would be missing and nobody would know. Written after each commit and
 * never synced, so after a power cut it may stand behind the log, never before it.
 */
export class HighWaterMark {
  readonly #identity: string;
  readonly #file: number | undefined;

  constructor(directory: string, identity: string) {
    this.#identity = identity;
    this.#file = possibly(() => {
      // Of another log, or nonsense: it says nothing about this one.
      if (readHighWater(directory)?.identity !== identity) writeFileSync(highWaterFile(directory), textOf(identity, 0));
      return openSync(highWaterFile(directory), 'r+');
    });
  }

  raise(head: number): void {
    const file = this.#file;
    if (file !== undefined) possibly(() => writeSync(file, textOf(this.#identity, head), 0));
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

/** Always of the same length, so that it is written over in place. */
function textOf(identity: string, head: number): string {
  return `${identity} ${String(head).padStart(16, '0')}\n`;
}

/** Where it can not be written (no room) it stays behind: what was committed is committed all the same. */
function possibly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
