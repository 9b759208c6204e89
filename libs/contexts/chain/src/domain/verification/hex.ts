import type { Hex } from '../rpc-types.ts';

const BYTE = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

/** Lower case, two digits a byte. */
export function hexOf(bytes: Uint8Array): Hex {
  let digits = '';
  for (const byte of bytes) digits += BYTE[byte]!;
  return `0x${digits}`;
}

/** Is this hash written as `hex`? Makes no text, for it is asked of every transaction. */
export function isHex(bytes: Uint8Array, hex: string): boolean {
  if (hex.length !== 2 + 2 * bytes.length) return false;
  for (let at = 0; at < bytes.length; at += 1) {
    const digits = BYTE[bytes[at]!]!;
    if (digits.charCodeAt(0) !== hex.charCodeAt(2 + 2 * at) || digits.charCodeAt(1) !== hex.charCodeAt(3 + 2 * at)) return false;
  }
  return true;
}

/** Of hex that passed the edge. */
export function bytesOf(hex: string): Uint8Array {
  const bytes = new Uint8Array((hex.length - 2) >> 1);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = (digit(hex, 2 + 2 * at) << 4) | digit(hex, 3 + 2 * at);
  return bytes;
}

/** `a` to `f` end in 1 to 6 and have the bit of 64, which digits have not. */
function digit(hex: string, at: number): number {
  const code = hex.charCodeAt(at);
  return (code & 15) + (code >> 6) * 9;
}

/** A quantity that must be small enough to count with; undefined for anything else. */
export function smallQuantity(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length < 3 || value.length > 16 || !value.startsWith('0x')) return undefined;
  const quantity = Number(value);
  return Number.isSafeInteger(quantity) ? quantity : undefined;
}
