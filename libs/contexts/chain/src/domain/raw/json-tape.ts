/** More keys that nobody here knows than any node has: beyond it is somebody who makes them up. */
const MOST_KEYS = 1_000;

/**
 * Where everything stands in a JSON text, found in one pass over its bytes and without making an object or a string.
 * Only JSON as `JSON.stringify` would write it again to the letter is taken, with hex in lower case: so a slice of the
 * bytes is what parsing, normalising and serialising would come to. All else (space, escapes, other than ASCII,
 * fractions, a key twice or that counts, upper-case hex, deep nesting) is left to the parser.
 *
 * A node is four integers: kind and key, first byte, end, the node behind it with all it holds. Of a text the quotes are
 * not counted, of lists and objects the brackets are.
 */
export class JsonTape {
  bytes: Uint8Array = EMPTY;
  #nodes = new Int32Array(4 * 4_096);
  #count = 0;
  #depth = 0;
  /** By key: the last object that has it. Objects of a long life outnumber 32 bits. */
  readonly #seenIn = new Float64Array(MOST_KEYS);
  #objects = 0;
  readonly #keys: KeyBook;

  constructor(keys: KeyBook) {
    this.#keys = keys;
  }

  /** False where this is no such JSON, and then nothing of the tape may be used. The first node is the whole. */
  scan(bytes: Uint8Array): boolean {
    this.bytes = bytes;
    this.#count = 0;
    this.#depth = 0;
    this.#keys.begin();
    if (this.#nodes.length > MOST_KEPT) this.#nodes = new Int32Array(4 * 4_096);
    return this.#value(0, 0) === bytes.length;
  }

  kind(node: number): number {
    return this.#nodes[node]! & 15;
  }

  key(node: number): number {
    return this.#nodes[node]! >> 4;
  }

  from(node: number): number {
    return this.#nodes[node + 1]!;
  }

  to(node: number): number {
    return this.#nodes[node + 2]!;
  }

  /** The next value beside this one, or what comes behind its parent. */
  after(node: number): number {
    return this.#nodes[node + 3]!;
  }

  /** The first value inside; beyond the last one when it equals `after`. */
  inside(node: number): number {
    return node + 4;
  }

  /** The values inside, last to first. */
  backwards(node: number): readonly number[] {
    const values: number[] = [];
    const end = this.after(node);
    for (let at = this.inside(node); at < end; at = this.after(at)) values.push(at);
    return values.reverse();
  }

  length(node: number): number {
    return this.#nodes[node + 2]! - this.#nodes[node + 1]!;
  }

  /** Where the value at `at` ends, or -1. */
  #value(at: number, key: number): number {
    const node = this.#open(key, at);
    const nodes = this.#nodes;
    let end: number;
    switch (this.bytes[at]) {
      case QUOTE:
        end = this.#text(at + 1);
        nodes[node]! |= TEXT;
        nodes[node + 1] = at + 1;
        nodes[node + 2] = end - 1;
        nodes[node + 3] = this.#count;
        return end;
      case OPEN_OBJECT:
        end = this.#object(at, node);
        break;
      case OPEN_ARRAY:
        end = this.#array(at);
        break;
      case SMALL_N:
        end = this.#literal(at, 'null');
        break;
      case SMALL_T:
        end = this.#literal(at, 'true');
        break;
      case SMALL_F:
        end = this.#literal(at, 'false');
        break;
      default:
        end = this.#number(at);
    }
    this.#close(node, KIND_BY_FIRST[this.bytes[at]!]!, end);
    return end;
  }

  #open(key: number, at: number): number {
    const node = this.#count;
    if (node + 4 > this.#nodes.length) {
      const larger = new Int32Array(this.#nodes.length * 2);
      larger.set(this.#nodes);
      this.#nodes = larger;
    }
    this.#nodes[node] = key << 4;
    this.#nodes[node + 1] = at;
    this.#count = node + 4;
    return node;
  }

  #close(node: number, kind: number, end: number): void {
    this.#nodes[node]! |= kind;
    this.#nodes[node + 2] = end;
    this.#nodes[node + 3] = this.#count;
  }

  /** Behind the closing quote. */
  #text(start: number): number {
    const { bytes } = this;
    let at = start;
    let upper = false;
    for (;;) {
      const odd = ODDITY[bytes[at]!]!;
      if (odd !== 0) {
        if (odd === ENDS) break;
        if (odd !== UPPER) return -1;
        upper = true;
      }
      at += 1;
    }
    // Upper-case hex becomes lower case at the edge.
    if (upper && bytes[start] === ZERO && (bytes[start + 1]! | 32) === SMALL_X) return -1;
    return at + 1;
  }

  #object(start: number, node: number): number {
    const { bytes } = this;
    if ((this.#depth += 1) > MOST_LEVELS) return -1;
    let at = start + 1;
    if (bytes[at] === CLOSE_OBJECT) return this.#leave(at);
    for (;;) {
      if (bytes[at] !== QUOTE) return -1;
      const end = this.#text(at + 1);
      if (end < 0 || bytes[end] !== COLON) return -1;
      const key = this.#keys.idOf(bytes, at + 1, end - 1);
      if (key < 0) return -1;
      at = this.#value(end + 1, key);
      if (at < 0) return -1;
      if (bytes[at] === CLOSE_OBJECT) return this.#hasKeyTwice(node) ? -1 : this.#leave(at);
      if (bytes[at] !== COMMA) return -1;
      at += 1;
    }
  }

  #hasKeyTwice(object: number): boolean {
    this.#objects += 1;
    for (let at = this.inside(object); at < this.#count; at = this.after(at)) {
      const key = this.key(at);
      if (this.#seenIn[key] === this.#objects) return true;
      this.#seenIn[key] = this.#objects;
    }
    return false;
  }

  #array(start: number): number {
    const { bytes } = this;
    if ((this.#depth += 1) > MOST_LEVELS) return -1;
    let at = start + 1;
    if (bytes[at] === CLOSE_ARRAY) return this.#leave(at);
    for (;;) {
      at = this.#value(at, 0);
      if (at < 0) return -1;
      if (bytes[at] === CLOSE_ARRAY) return this.#leave(at);
      if (bytes[at] !== COMMA) return -1;
      at += 1;
    }
  }

  #leave(at: number): number {
    this.#depth -= 1;
    return at + 1;
  }

  #literal(at: number, text: string): number {
    for (let place = 1; place < text.length; place += 1) if (this.bytes[at + place] !== text.charCodeAt(place)) return -1;
    return at + text.length;
  }

  /** Whole numbers that every JSON library writes alike. */
  #number(start: number): number {
    const { bytes } = this;
    let at = start;
    while (bytes[at]! >= ZERO && bytes[at]! <= NINE) at += 1;
    const digits = at - start;
    if (digits === 0 || digits > MOST_DIGITS || (bytes[start] === ZERO && digits > 1)) return -1;
    const next = bytes[at];
    return next === COMMA || next === CLOSE_OBJECT || next === CLOSE_ARRAY ? at : -1;
  }
}

export const [NULL, TRUE, FALSE, NUMBER, TEXT, OBJECT, ARRAY] = [0, 1, 2, 3, 4, 5, 6] as const;

const EMPTY = new Uint8Array(0);
const MOST_LEVELS = 16;
const MOST_DIGITS = 15;
/** Of what a large block took, so much is kept for the next. */
const MOST_KEPT = 4 * 262_144;
const [QUOTE, BACKSLASH, COMMA, COLON, ZERO, NINE] = [34, 92, 44, 58, 48, 57] as const;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [123, 125, 91, 93] as const;
const [SMALL_N, SMALL_T, SMALL_F, SMALL_X] = [110, 116, 102, 120] as const;
const KIND_BY_FIRST = new Uint8Array(256).fill(NUMBER);
KIND_BY_FIRST.set([OBJECT], OPEN_OBJECT);
KIND_BY_FIRST.set([ARRAY], OPEN_ARRAY);
KIND_BY_FIRST.set([NULL], SMALL_N);
KIND_BY_FIRST.set([TRUE], SMALL_T);
KIND_BY_FIRST.set([FALSE], SMALL_F);
/** Of each byte within a text. */
const [ENDS, UPPER, REFUSED] = [1, 2, 3] as const;
const ODDITY = new Uint8Array(256).fill(REFUSED);
for (let byte = 32; byte < 127; byte += 1) ODDITY[byte] = byte >= 65 && byte <= 90 ? UPPER : 0;
ODDITY[QUOTE] = ENDS;
ODDITY[BACKSLASH] = REFUSED;


/** Gives each key a small number; those that are known beforehand have theirs for ever. */
export class KeyBook {
  readonly #known: readonly string[];
  readonly #ids = new Map<string, number>();
  readonly #texts: Uint8Array[] = [EMPTY];
  /** Objects of one kind have their keys in one order: after this key came that one. */
  readonly #follow = new Int32Array(MOST_KEYS);
  #last = 0;

  constructor(known: readonly string[]) {
    this.#known = known;
    for (const key of known) this.#add(key);
  }

  /** A new text; where the book is full, the keys that were not known beforehand are forgotten. */
  begin(): void {
    this.#last = 0;
    if (this.#texts.length < MOST_KEYS) return;
    this.#texts.length = 0;
    this.#texts.push(EMPTY);
    this.#ids.clear();
    this.#follow.fill(0);
    for (const key of this.#known) this.#add(key);
  }

  /** -1 for a key that a parser would put elsewhere, and for too many of them. */
  idOf(bytes: Uint8Array, from: number, to: number): number {
    const likely = this.#follow[this.#last]!;
    const id = likely !== 0 && isText(this.#texts[likely]!, bytes, from, to) ? likely : this.#lookUp(bytes, from, to);
    if (id < 0) return -1;
    this.#follow[this.#last] = id;
    this.#last = id;
    return id;
  }

  #lookUp(bytes: Uint8Array, from: number, to: number): number {
    let key = '';
    for (let at = from; at < to; at += 1) key += String.fromCharCode(bytes[at]!);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#texts.length >= MOST_KEYS || /^\d/.test(key)) return -1;
    return this.#add(key);
  }

  #add(key: string): number {
    const id = this.#texts.length;
    this.#ids.set(key, id);
    this.#texts.push(Uint8Array.from(key, (character) => character.charCodeAt(0)));
    return id;
  }
}

function isText(text: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let at = 0; at < text.length; at += 1) if (text[at] !== bytes[from + at]) return false;
  return true;
}
