import { Breath } from '../application/breath.ts';

const SEPARATOR = Buffer.from(',{"jsonrpc":"2.0"');
/** What is looked for: no hex holds a j, so a search passes over nearly everything at once. */
const RARE = SEPARATOR.subarray(SEPARATOR.indexOf('j'));
const BEFORE_RARE = SEPARATOR.length - RARE.length;
/** Parsed in one go: a few milliseconds. */
const SMALL_BYTES = 300_000;
const [OPEN, CLOSE] = [91, 93];

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
    const item = parse(raw.subarray(from, to));
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
    return JSON.parse(raw.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
