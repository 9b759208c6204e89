import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** Below it, compressing costs more time than the bytes are worth. */
const COMPRESS_FROM_CHARS = 1_024;
/** Lets the decoder finish in one go: with room for exactly the text it needs a second one. */
const DECODER_ROOM = 1_024;

/** A text that is compressed already, and its length in bytes. */
export interface PackedText {
  readonly raw: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** How the text of an append is kept: as it is, or compressed. */
export type AppendPayload = { readonly raw: null; readonly payload: string } | PackedText;

export function packText(text: string | PackedText): AppendPayload {
  if (typeof text !== 'string') return text;
  return text.length < COMPRESS_FROM_CHARS ? { raw: null, payload: text } : packBytes(Buffer.from(text));
}

/** The same of text as bytes. */
export function packBytes(bytes: Uint8Array): AppendPayload {
  if (bytes.length < COMPRESS_FROM_CHARS) return { raw: null, payload: Buffer.from(bytes).toString() };
  const payload = zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
    pledgedSrcSize: bytes.length,
    // Nearly all takes less than half, and then it is done in one go.
    chunkSize: bytes.length >> 1,
  });
  return { raw: bytes.length, payload: new Uint8Array(payload) };
}

export function textOf(text: string | PackedText): string {
  return typeof text === 'string' ? text : unpackText(text);
}

export function unpackText({ raw, payload }: AppendPayload): string {
  if (raw === null) return payload;
  return zstdDecompressSync(payload, { chunkSize: raw + DECODER_ROOM, maxOutputLength: raw }).toString('utf8');
}

const ZSTD_MAGIC = 0xfd_2f_b5_28;
/** Bytes of the length by the upper two bits of the descriptor (RFC 8878, 3.1.1.1.1.1). */
const LENGTH_BYTES = [0, 2, 4, 8] as const;

/** How many bytes a packed text says that it unpacks to; undefined where it is none that this library packs. */
export function packedLength(payload: Uint8Array): number | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (bytes.length < 14 || bytes.readUInt32LE(0) !== ZSTD_MAGIC) return undefined;
  const descriptor = bytes.readUInt8(4);
  const isSingle = (descriptor & 0x20) !== 0;
  const lengthBytes = LENGTH_BYTES[descriptor >> 6] || (isSingle ? 1 : 0);
  const at = 5 + (isSingle ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  if (lengthBytes === 0) return undefined;
  if (lengthBytes === 8) return Number(bytes.readBigUInt64LE(at));
  return lengthBytes === 2 ? bytes.readUInt16LE(at) + 256 : bytes.readUIntLE(at, lengthBytes);
}
