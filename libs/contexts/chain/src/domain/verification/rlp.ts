import type { JsonValue } from '#platform/kernel';
import { FieldAbsent, FieldNotHex } from './part-report.ts';

type Fields = { readonly [field: string]: JsonValue | undefined };

const INVALID = 0x1000;
/** Value of each character as a hex digit. All 65,536 code units, so the hot loop needs no bounds check. */
const NIBBLE = new Uint16Array(65_536).fill(INVALID);
for (let value = 0; value < 16; value += 1) {
  NIBBLE[value.toString(16).charCodeAt(0)] = value;
  NIBBLE[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}
/** The same of bytes of text, small enough to stay near. */
const NIBBLE_OF_BYTE = NIBBLE.slice(0, 256);
const encoder = new TextEncoder();
const LONG = 128;
const KEPT = 1024 * 1024;
const X = 'x'.charCodeAt(0);

/**
 * Recursive length prefix, written from the end to the front: a list's header is put before its payload once the
 * payload stands there, so nothing is measured first or copied. Fields of a list are therefore written last to first.
 * Yellow Paper, appendix B.
 */
export class RlpWriter {
  #buffer = new Uint8Array(256 * 1024);
  #size = 0;
  #text = new Uint8Array(0);

  /** Bytes written so far; a mark to come back to. */
  get size(): number {
    return this.#size;
  }

  /** Forgets what was written since `mark`. */
  rewind(mark: number): void {
    this.#size = mark;
  }

  /** Begins anew, without the memory that an uncommonly large block took. */
  reset(): void {
    this.#size = 0;
    if (this.#buffer.length > KEPT) this.#buffer = new Uint8Array(KEPT);
    if (this.#text.length > KEPT) this.#text = new Uint8Array(0);
  }

  /** What was written since `mark`; valid until the next write. */
  since(mark: number): Uint8Array {
    return this.#buffer.subarray(this.#buffer.length - this.#size, this.#buffer.length - mark);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#size += 1;
    this.#buffer[this.#buffer.length - this.#size] = value;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#size += bytes.length;
    this.#buffer.set(bytes, this.#buffer.length - this.#size);
  }

  /** An integer as RLP has it: big endian without leading zeros. */
  integer(value: number): void {
    const mark = this.#size;
    for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) this.byte(rest & 0xff);
    this.string(mark);
  }

  /** A field with DATA: its bytes as they are. Throws FieldAbsent or FieldNotHex. */
  data(from: Fields, field: string): void {
    this.hexData(textOf(from, field), field);
  }

  /** A field with a QUANTITY: its bytes without leading zeros. Throws FieldAbsent or FieldNotHex. */
  quantity(from: Fields, field: string): void {
    this.hexQuantity(textOf(from, field), field);
  }

  hexData(hex: string, field: string): void {
    const mark = this.#size;
    if ((hex.length & 1) !== 0) throw new FieldNotHex(field, hex);
    this.#digits(hex, 2, field);
    this.string(mark);
  }

  hexQuantity(hex: string, field: string): void {
    const mark = this.#size;
    let first = 2;
    while (first < hex.length && hex.charCodeAt(first) === 0x30) first += 1;
    this.#digits(hex, first, field);
    this.string(mark);
  }

  /** DATA of which the text stands from `from` to before `to`, `0x` first. Throws FieldNotHex. */
  dataBytes(text: Uint8Array, from: number, to: number): void {
    const mark = this.#size;
    if (((to - from) & 1) !== 0) throw new FieldNotHex('data', '');
    this.#digitBytes(text, from, from + 2, to);
    this.string(mark);
  }

  /** A QUANTITY in the same way, without its leading zeros. */
  quantityBytes(text: Uint8Array, from: number, to: number): void {
    const mark = this.#size;
    let first = from + 2;
    while (first < to && text[first] === 0x30) first += 1;
    this.#digitBytes(text, from, first, to);
    this.string(mark);
  }

  /** Makes a string item of the bytes since `mark`. */
  string(mark: number): void {
    const length = this.#size - mark;
    if (length === 1 && this.#buffer[this.#buffer.length - this.#size]! < 0x80) return;
    this.#header(length, 0x80);
  }

  /** Makes a list of the items since `mark`. */
  list(mark: number): void {
    this.#header(this.#size - mark, 0xc0);
  }

  #header(length: number, offset: number): void {
    if (length < 56) {
      this.byte(offset + length);
      return;
    }
    let bytes = 0;
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) {
      this.byte(rest & 0xff);
      bytes += 1;
    }
    this.byte(offset + 55 + bytes);
  }

  #digits(hex: string, first: number, field: string): void {
    if (hex.length < 2 || hex.charCodeAt(1) !== X || hex.charCodeAt(0) !== 0x30) throw new FieldNotHex(field, hex);
    const bytes = (hex.length - first + 1) >> 1;
    this.#reserve(bytes);
    this.#size += bytes;
    const buffer = this.#buffer;
    let at = buffer.length - this.#size;
    if (bytes > LONG) {
      this.#longDigits(hex, first, at, field);
      return;
    }
    let read = first;
    let seen = 0;
    if (((hex.length - first) & 1) !== 0) {
      const digit = NIBBLE[hex.charCodeAt(read)]!;
      seen |= digit;
      buffer[at] = digit;
      at += 1;
      read += 1;
    }
    for (; read < hex.length; read += 2) {
      const high = NIBBLE[hex.charCodeAt(read)]!;
      const low = NIBBLE[hex.charCodeAt(read + 1)]!;
      seen |= high | low;
      buffer[at] = (high << 4) | low;
      at += 1;
    }
    if ((seen & INVALID) !== 0) throw new FieldNotHex(field, hex);
  }

  /** Turning a long text into bytes at once and looking at those is twice as fast as asking it for each character. */
  #longDigits(hex: string, first: number, start: number, field: string): void {
    if (this.#text.length < hex.length) this.#text = new Uint8Array(hex.length * 2);
    const text = this.#text;
    const { read, written } = encoder.encodeInto(hex, text);
    if (read !== hex.length || written !== hex.length) throw new FieldNotHex(field, hex);
    if (!this.#fill(text, first, hex.length, start)) throw new FieldNotHex(field, hex);
  }

  #digitBytes(text: Uint8Array, from: number, first: number, to: number): void {
    if (to - from < 2 || text[from] !== 0x30 || text[from + 1] !== X) throw new FieldNotHex('data', '');
    const bytes = (to - first + 1) >> 1;
    this.#reserve(bytes);
    this.#size += bytes;
    if (!this.#fill(text, first, to, this.#buffer.length - this.#size)) throw new FieldNotHex('data', '');
  }

  /** The digits of `text` from `first` to before `to` as bytes at `start`; false where they are none. */
  #fill(text: Uint8Array, first: number, to: number, start: number): boolean {
    const buffer = this.#buffer;
    let at = start;
    let seen = 0;
    let digit = first;
    if (((to - first) & 1) !== 0) {
      seen = NIBBLE_OF_BYTE[text[digit]!]!;
      buffer[at++] = seen;
      digit += 1;
    }
    for (; digit < to; digit += 2) {
      const high = NIBBLE_OF_BYTE[text[digit]!]!;
      const low = NIBBLE_OF_BYTE[text[digit + 1]!]!;
      seen |= high | low;
      buffer[at++] = (high << 4) | low;
    }
    return (seen & INVALID) === 0;
  }

  #reserve(bytes: number): void {
    if (this.#size + bytes <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#size + bytes));
    larger.set(this.since(0), larger.length - this.#size);
    this.#buffer = larger;
  }
}

function textOf(from: Fields, field: string): string {
  const value = from[field];
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) throw new FieldAbsent(field);
  throw new FieldNotHex(field, JSON.stringify(value));
}
