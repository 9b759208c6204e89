import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { anvilDump, anvilInstance } from './anvil-rpc.ts';
import type { AnvilStateFiles } from './anvil-state.ts';

/** Enough to recognise our own anvil later: a pid alone may by then belong to anybody. */
interface Identity {
  readonly pid: number;
  readonly url: string;
  readonly instance: string;
}

const GRACE_MS = 8_000;

/** Remembers which anvil belongs to a data directory, so that one left behind by a killed parent is found and ended. */
export class AnvilIdentityFile {
  readonly #path: string;
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    this.#path = join(dir, 'anvil.pid.json');
  }

  async remember(identity: Identity): Promise<void> {
    await writeFile(this.#path, JSON.stringify(identity));
  }

  async forget(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  /** Ends our anvil of an earlier run, its chain saved first. Answers its pid when there was one. */
  async endOrphan(files: AnvilStateFiles): Promise<number | undefined> {
    const identity = await this.#read();
    if (identity === undefined || !isAlive(identity.pid)) return undefined;
    if ((await anvilInstance(identity.url)) === identity.instance) {
      const dump = await anvilDump(identity.url).catch(() => undefined);
      if (dump !== undefined) await files.save(dump);
    } else if (!runsOn(identity.pid, this.#dir)) {
      return undefined;
    }
    await endProcess(identity.pid);
    await this.forget();
    return identity.pid;
  }

  async #read(): Promise<Identity | undefined> {
    try {
      const identity = JSON.parse(await readFile(this.#path, 'utf8')) as Identity;
      return Number.isSafeInteger(identity.pid) && identity.pid > 1 ? identity : undefined;
    } catch {
      return undefined;
    }
  }
}

/** A process that has ended but whose parent has not yet looked (a zombie) counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

/** It is ending already, so it answers no more, but its command line names our directory. Known on Linux only. */
function runsOn(pid: number, dir: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.some((word) => word.startsWith(dir));
  } catch {
    return false;
  }
}

/** Politely first: anvil writes its chain out on SIGTERM. */
async function endProcess(pid: number): Promise<void> {
  signal(pid, 'SIGTERM');
  for (let waited = 0; waited < GRACE_MS && isAlive(pid); waited += 50) await delay(50);
  if (isAlive(pid)) signal(pid, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone between the look and the signal.
  }
}
