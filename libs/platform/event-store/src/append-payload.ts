import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** Below it, compressing costs more time than the bytes are worth. */
const COMPRESS_FROM_BYTES = 1_024;
/** Lets the decoder finish in one go: with room for exactly the text it needs a second one. */
const DECODER_ROOM = 1_024;

/** How the text of an append is kept: `raw` is its length in bytes when it is compressed, null when it is not. */
export interface AppendPayload {
  readonly raw: number | null;
  readonly payload: Uint8Array;
}

export function packText(text: string): AppendPayload {
  const bytes = Buffer.from(text);
  if (bytes.length < COMPRESS_FROM_BYTES) return { raw: null, payload: bytes };
  const payload = zstdCompressSync(bytes, {
    // The checksum makes a damaged payload an error instead of wrong events.
    params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
    pledgedSrcSize: bytes.length,
    chunkSize: bytes.length,
  });
  return { raw: bytes.length, payload };
}

export function unpackText({ raw, payload }: AppendPayload): string {
  if (raw === null) return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8');
  return zstdDecompressSync(payload, { chunkSize: raw + DECODER_ROOM, maxOutputLength: raw }).toString('utf8');
}
