import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** Level 1: on JSON of nodes the higher ones cost more and give nothing. No checksum: the file of the store has its own. */
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 0 } };

export function packText(text: string): Uint8Array {
  return zstdCompressSync(text, FAST);
}

export function unpackText(packed: unknown): string {
  return zstdDecompressSync(packed as Uint8Array).toString('utf8');
}

export function packJson(value: unknown): Uint8Array {
  return packText(JSON.stringify(value));
}

export function unpackJson<T>(packed: unknown): T {
  return JSON.parse(unpackText(packed)) as T;
}
