import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { generateBranch, generateChain } from '../load/generated-chain.ts';
import type { RecordedBlock, RecordedChain } from '../load/recorded-chain.ts';

/** The data directory of the first release, as it left it when it ended: log, read models, snapshots. */
const FOLDER = join(import.meta.dirname, 'data-directory-1');
/** What is of a running process only. */
const OF_THE_MOMENT = /^owner\.lock|^address\.json|-shm$/;
/** The head when it ended, on the branch. */
export const OLD_HEAD = 9;
export const OLD_START = 4;

/** What the node had then: a line up to 8, left after 6 for a branch. */
export async function oldChain(): Promise<{ readonly chain: RecordedChain; readonly branch: readonly RecordedBlock[] }> {
  const chain = await generateChain({ seed: 21, blocks: OLD_HEAD, transactionsPerBlock: 2 });
  return { chain, branch: await generateBranch({ seed: 22, transactionsPerBlock: 1 }, chain.at(6) as RecordedBlock, 3) };
}

export function packDataDirectory(directory: string): void {
  mkdirSync(FOLDER, { recursive: true });
  for (const name of readdirSync(directory).filter((file) => !OF_THE_MOMENT.test(file))) writeFileSync(join(FOLDER, `${name}.zst`), zstdCompressSync(readFileSync(join(directory, name)), { params: { [constants.ZSTD_c_compressionLevel]: 19 } }), { flag: 'wx' });
}

export function unpackDataDirectory(directory: string): void {
  for (const packed of readdirSync(FOLDER)) writeFileSync(join(directory, packed.slice(0, -'.zst'.length)), zstdDecompressSync(readFileSync(join(FOLDER, packed))));
}
