import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const unzip = promisify(gunzip);

/** What of anvil's state file we look at; the rest passes through. */
interface AnvilState {
  readonly best_block_number: number | string;
  readonly blocks: readonly { readonly header: { readonly number: string } }[];
  readonly transactions: readonly { readonly block_number: number | string }[];
}

/**
 * The chain on disk. anvil rewrites its own state file in place, so a crash in the middle of it loses the chain; here
 * every save is a new file that takes the old one's place in one step. The file that anvil leaves when it is asked to
 * end (`parting`) is taken only if it is whole and further on.
 */
export class AnvilStateFiles {
  /** anvil reads this one at its start. */
  readonly loading: string;
  /** anvil writes this one when SIGTERM or SIGINT ends it. */
  readonly parting: string;
  readonly #dir: string;
  readonly #saved: string;
  readonly #keepBlocks: number;

  /** `keepBlocks`: older ones are left out when the chain is loaded, so that the file stays small over months. */
  constructor(dir: string, keepBlocks: number) {
    this.#dir = dir;
    this.#saved = join(dir, 'state.json.gz');
    this.loading = join(dir, 'loading.json');
    this.parting = join(dir, 'parting.json');
    this.#keepBlocks = keepBlocks;
  }

  /** Gzipped JSON as `anvil_dumpState` gives it. Durable when it resolves. */
  async save(gzipped: Uint8Array): Promise<void> {
    const next = `${this.#saved}.next`;
    const file = await open(next, 'w');
    try {
      await file.writeFile(gzipped);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, this.#saved);
  }

  /** Lays out the newest whole state for loading. Undefined when there is none: a new chain begins. */
  async prepare(): Promise<{ head: number; blocks: number } | undefined> {
    await mkdir(this.#dir, { recursive: true });
    const states = await Promise.all([this.#read(this.#saved, true), this.#read(this.parting, false)]);
    const found = states.filter((state) => state !== undefined).sort((a, b) => headOf(b) - headOf(a))[0];
    if (found === undefined) {
      await rm(this.loading, { force: true });
      return undefined;
    }
    const trimmed = trim(found, this.#keepBlocks);
    await writeFile(this.loading, JSON.stringify(trimmed));
    return { head: headOf(trimmed), blocks: trimmed.blocks.length };
  }

  /** The loaded chain was saved again, so the files it came from are of no more use. */
  async loaded(): Promise<void> {
    await Promise.all([rm(this.loading, { force: true }), rm(this.parting, { force: true })]);
  }

  async forget(): Promise<void> {
    await Promise.all([this.#saved, this.loading, this.parting].map((path) => rm(path, { force: true })));
  }

  async #read(path: string, gzipped: boolean): Promise<AnvilState | undefined> {
    if (!existsSync(path)) return undefined;
    try {
      const bytes = await readFile(path);
      const state = JSON.parse((gzipped ? await unzip(bytes) : bytes).toString('utf8')) as AnvilState;
      return Array.isArray(state.blocks) && Number.isSafeInteger(headOf(state)) ? state : undefined;
    } catch {
      // Cut short by a crash while it was written; the other file stands.
      return undefined;
    }
  }
}

function headOf(state: AnvilState): number {
  return Number(state.best_block_number);
}

/** Without blocks more than `keep` below the head, and without branches that a reorg left behind with them. The genesis block anvil makes anew. */
function trim(state: AnvilState, keep: number): AnvilState {
  const lowest = headOf(state) - keep;
  return {
    ...state,
    blocks: state.blocks.filter((block) => Number(block.header.number) > lowest || Number(block.header.number) === 0),
    transactions: state.transactions.filter((transaction) => Number(transaction.block_number) > lowest),
  };
}
