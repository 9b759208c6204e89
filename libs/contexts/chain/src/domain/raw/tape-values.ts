import type { JsonTape } from './json-tape.ts';
import { TEXT } from './json-tape.ts';

/** What a block of bytes is not read by: what to do about it is for the parser and the verification of objects to say. */
export class NotPlain extends Error {}

/** One for all: that it comes is said, not where. */
const NOT_PLAIN = new NotPlain('not plain');

export function plain(condition: boolean): asserts condition {
  if (!condition) throw NOT_PLAIN;
}

/** The same text in both places, be they on one tape or on two. */
export function isSame(tape: JsonTape, node: number, otherTape: JsonTape, otherNode: number): boolean {
  if (node < 0 || otherNode < 0 || tape.kind(node) !== TEXT || otherTape.kind(otherNode) !== TEXT) return false;
  const length = tape.length(node);
  if (otherTape.length(otherNode) !== length) return false;
  const { bytes } = tape;
  const others = otherTape.bytes;
  const from = tape.from(node);
  const beside = otherTape.from(otherNode) - from;
  for (let at = from; at < from + length; at += 1) if (bytes[at] !== others[at + beside]) return false;
  return true;
}

export const HASH_CHARACTERS = 66;
export const ADDRESS_CHARACTERS = 42;

export function isAddress(tape: JsonTape, node: number): boolean {
  if (node < 0 || tape.kind(node) !== TEXT || tape.length(node) !== ADDRESS_CHARACTERS) return false;
  const { bytes } = tape;
  const from = tape.from(node);
  if (bytes[from] !== 0x30 || bytes[from + 1] !== 0x78) return false;
  for (let at = from + 2; at < from + ADDRESS_CHARACTERS; at += 1) if (digitOf(bytes[at]!) < 0) return false;
  return true;
}

const LONGEST_SMALL = 16;

/** A quantity that can be counted with; -1 for anything else. */
export function smallAt(tape: JsonTape, node: number): number {
  if (node < 0 || tape.kind(node) !== TEXT) return -1;
  const { bytes } = tape;
  const from = tape.from(node);
  const to = tape.to(node);
  if (to - from < 3 || to - from > LONGEST_SMALL || bytes[from] !== 0x30 || bytes[from + 1] !== 0x78) return -1;
  let value = 0;
  for (let at = from + 2; at < to; at += 1) {
    const digit = digitOf(bytes[at]!);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return Number.isSafeInteger(value) ? value : -1;
}

/** `digest` written as hex in lower case. */
export function isDigest(tape: JsonTape, node: number, digest: Uint8Array): boolean {
  if (node < 0 || tape.kind(node) !== TEXT || tape.length(node) !== 2 + 2 * digest.length) return false;
  const { bytes } = tape;
  let at = tape.from(node) + 2;
  if (bytes[at - 2] !== 0x30 || bytes[at - 1] !== 0x78) return false;
  for (let place = 0; place < digest.length; place += 1, at += 2) {
    const byte = digest[place]!;
    if (bytes[at] !== DIGIT[byte >> 4] || bytes[at + 1] !== DIGIT[byte & 15]) return false;
  }
  return true;
}

function digitOf(character: number): number {
  if (character >= 48 && character <= 57) return character - 48;
  return character >= 97 && character <= 102 ? character - 87 : -1;
}

const DIGIT = Uint8Array.from('0123456789abcdef', (character) => character.charCodeAt(0));
