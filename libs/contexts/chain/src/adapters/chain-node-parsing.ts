import { isAscii } from 'node:buffer';
import { Breath } from '../application/breath.ts';

const SEPARATOR = Buffer.from(',{"jsonrpc":"2.0"');
/** What is looked for: no hex holds a j, so a search passes over nearly everything at once. */
const RARE = SEPARATOR.subarray(SEPARATOR.indexOf('j'));
const BEFORE_RARE = SEPARATOR.length - RARE.length;
/** Parsed in one go: a few milliseconds. */
const SMALL_BYTES = 300_000;
const [OPEN, CLOSE, SPACE] = [91, 93, 32];

/** Below it an item is parsed with the others. */
const LATE_BYTES = 2_000;
const BEGINS = /^\{"jsonrpc":"2\.0",(?:"id":(\d+),)?"result":/;
const ENDS = /(?:,"id":(\d+))?\}$/;
/** Of an item, from either side: its result lies between. */
const LONGEST_FRAME = 60;

/**
 * An item of a large batch that is parsed when it is asked for, so that of a batch only one block at a time takes the
 * many times larger memory of its objects. `result` is undefined where it is no JSON; each look parses again.
 */
export class LateItem {
  readonly id: number;
  readonly #item: Buffer;
  readonly #from: number;
  readonly #to: number;

  constructor(id: number, item: Buffer, from: number, to: number) {
    this.id = id;
    this.#item = item;
    this.#from = from;
    this.#to = to;
  }

  /** Where the id stands before the result, or behind it. */
  static of(item: Buffer): LateItem | undefined {
    if (item.length < LATE_BYTES) return undefined;
    const begins = BEGINS.exec(item.toString('latin1', 0, LONGEST_FRAME));
    const ends = ENDS.exec(item.toString('latin1', item.length - LONGEST_FRAME));
    const id = begins?.[1] ?? ends?.[1];
    if (begins === null || ends === null || id === undefined) return undefined;
    return new LateItem(Number(id), item, begins[0].length, item.length - (begins[1] === undefined ? ends[0].length : 1));
  }

  get bytes(): number {
    return this.#item.length;
  }

  /** What stands in the place of the result; something may follow it. */
  get raw(): Uint8Array {
    return this.#item.subarray(this.#from, this.#to);
  }

  get result(): unknown {
    // Something may follow the result within the item.
    return parse(this.#item.subarray(this.#from, this.#to)) ?? (parse(this.#item) as { result?: unknown } | undefined)?.result;
  }
}

/**
 * JSON of an answer; undefined when it is none. A large batch is parsed item by item, so that the thread serves others in
 * between. Within a JSON text the separator stands between items only: in a string its quotes would be escaped. Where a
 * node writes otherwise, the whole is parsed at once.
 */
export async function parseAnswer(answer: Buffer): Promise<unknown> {
  // geth ends its answers with a line break.
  const raw = answer.subarray(0, endOf(answer));
  if (raw.length < SMALL_BYTES || raw[0] !== OPEN || raw.at(-1) !== CLOSE) return parse(raw);
  const breath = new Breath();
  const items: unknown[] = [];
  for (let from = 1; from < raw.length; ) {
    const end = separatorFrom(raw, from);
    const to = end === -1 ? raw.length - 1 : end;
    const text = raw.subarray(from, to);
    const item = LateItem.of(text) ?? parse(text);
    if (item === undefined) return parse(raw);
    items.push(item);
    from = to + 1;
    if (end === -1) break;
    await breath.take();
  }
  return items;
}

function endOf(raw: Buffer): number {
  let end = raw.length;
  while (end > 0 && (raw[end - 1] as number) <= SPACE) end -= 1;
  return end;
}

function separatorFrom(raw: Buffer, from: number): number {
  for (let rare = raw.indexOf(RARE, from); rare !== -1; rare = raw.indexOf(RARE, rare + 1)) {
    const start = rare - BEFORE_RARE;
    if (start > from && raw.compare(SEPARATOR, 0, SEPARATOR.length, start, rare + RARE.length) === 0) return start;
  }
  return -1;
}

function parse(raw: Buffer): unknown {
  try {
    return JSON.parse(isAscii(raw) ? raw.toString('latin1') : raw.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
