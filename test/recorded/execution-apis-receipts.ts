import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** What our own geth 1.16.9 answered to eth_getBlockReceipts over the chain of fixtures/execution-apis: a line for each block from 0. */
const file = join(import.meta.dirname, 'execution-apis-receipts.jsonl.zst');
const { ZSTD_c_compressionLevel: level, ZSTD_c_windowLog: window, ZSTD_d_windowLogMax: widest } = constants;
const WINDOW = 25;

/** The answers as the node wrote them, byte by byte; the place is the number of the block. */
export function recordedReceipts(): readonly string[] {
  return zstdDecompressSync(readFileSync(file), { params: { [widest]: WINDOW } }).toString().split('\n');
}

export function recordReceipts(answers: readonly string[]): void {
  writeFileSync(file, zstdCompressSync(answers.join('\n'), { params: { [level]: 19, [window]: WINDOW } }));
}
