import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** Below it, compressing costs more time than the bytes are worth. */
const COMPRESS_FROM_CHARS = 1_024;
/** Lets the decoder finish in one go: with room for exactly the text it needs a second one. */
const DECODER_ROOM = 1_024;

/** How the text of an append is kept: as it is, or compressed with its length in bytes. */
export type AppendPayload =
  | { readonly raw: null; readonly payload: string }
  | { readonly raw: number; readonly payload: Uint8Array };

export function packText(text: string | Uint8Array): AppendPayload {
  if (text.length < COMPRESS_FROM_CHARS) return { raw: null, payload: typeof text === 'string' ? text : Buffer.from(text).toString() };
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const payload = zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
    pledgedSrcSize: bytes.length,
    chunkSize: bytes.length,
  });
  return { raw: bytes.length, payload };
}

export function unpackText({ raw, payload }: AppendPayload): string {
  if (raw === null) return payload;
  return zstdDecompressSync(payload, { chunkSize: raw + DECODER_ROOM, maxOutputLength: raw }).toString('utf8');
}
