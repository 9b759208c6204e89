import { isAscii } from 'node:buffer';
import { Breath } from '../application/breath.ts';

const SEPARATOR = Buffer.from(',{"jsonrpc":"2.0"');
/** What is looked for: no hex holds a j, so a search passes over nearly everything at once. */
const RARE = SEPARATOR.subarray(SEPARATOR.indexOf('j'));
const BEFORE_RARE = SEPARATOR.length - RARE.length;
/** Parsed in one go: a few milliseconds. */
const SMALL_BYTES = 300_000;
const [OPEN, CLOSE, CLOSE_ITEM] = [91, 93, 125];

/** Below it an item is parsed with the others. */
const LATE_BYTES = 2_000;
const RESULT_FOLLOWS = /^\{"jsonrpc":"2\.0","id":(\d+),"result":/;
const LONGEST_BEGINNING = 60;

/**
 * An item of a large batch that is parsed when it is asked for, so that of a batch only one block at a time takes the
 * many times larger memory of its objects. `result` is undefined where it is no JSON; each look parses again.
 */
export class LateItem {
  readonly id: number;
  readonly #item: Buffer;
  readonly #from: number;

  constructor(id: number, item: Buffer, from: number) {
    this.id = id;
    this.#item = item;
    this.#from = from;
  }

  static of(item: Buffer): LateItem | undefined {
    if (item.length < LATE_BYTES) return undefined;
    const begins = RESULT_FOLLOWS.exec(item.toString('latin1', 0, LONGEST_BEGINNING));
    return begins === null ? undefined : new LateItem(Number(begins[1]), item, begins[0].length);
  }

  get bytes(): number {
    return this.#item.length;
  }

  /** What stands in the place of the result; something may follow it. Undefined where the item does not end as one. */
  get raw(): Uint8Array | undefined {
    return this.#item.at(-1) === CLOSE_ITEM ? this.#item.subarray(this.#from, -1) : undefined;
  }

  get result(): unknown {
    const alone = parse(this.#item.subarray(this.#from, -1));
    // Something may follow the result within the item.
    return alone ?? (parse(this.#item) as { result?: unknown } | undefined)?.result;
  }
}

/**
 * JSON of an answer; undefined when it is none. A large batch is parsed item by item, so that the thread serves others in
 * between. Within a JSON text the separator stands between items only: in a string its quotes would be escaped. Where a
 * node writes otherwise, the whole is parsed at once.
 */
export async function parseAnswer(raw: Buffer): Promise<unknown> {
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
