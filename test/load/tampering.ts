type Fields = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

/** One thing told otherwise in a node's answer about a block, or in the one about its receipts. */
export interface Tampering {
  /** Of what it is, without places: `block.gasLimit`, `transaction(0x4).authorizationList.nonce`, `log.data`. */
  readonly field: string;
  readonly how: 'changed' | 'left out' | 'one less' | 'one twice' | 'swapped';
  readonly answer: 'block' | 'receipts';
  /** Where: `transactions[3].value`, `receipts[3].logs[0].data`; of the block's own fields the name alone. */
  readonly place: string;
  /** The answer with this one thing changed; the rest is shared with what was given. */
  tell(answer: unknown): unknown;
}

export interface Answers {
  /** Result of eth_getBlockBy… with full transactions. */
  readonly block: unknown;
  /** Result of eth_getBlockReceipts. */
  readonly receipts: unknown;
}

/**
 * Every lie of one thing about a block, from the fields that are there: one byte of each value, each field left out, and
 * each list with its last item missing, its last one twice, or its first two swapped.
 */
export function* tamperings({ block, receipts }: Answers): Generator<Tampering> {
  yield* ofValue(block, { answer: 'block', field: 'block', path: [] });
  yield* ofValue(receipts, { answer: 'receipts', field: 'receipts', path: [] });
}

/**
 * Bound by no root, and told nowhere else: such a field is kept as the node says. `from` of a transaction is bound by its
 * signature, which is recovered in a sample only; where there are receipts it must be what they say.
 */
export const NOT_COMMITTED: readonly string[] = [
  ...['block.size changed', 'block.totalDifficulty changed', 'block.uncles[] changed', 'block.uncles one twice'],
  ...['0x2', '0x3', '0x4'].map((type) => `transaction(${type}).gasPrice changed`),
  ...['0x0', '0x1', '0x2', '0x3', '0x4'].map((type) => `receipt(${type}).effectiveGasPrice changed`),
  'receipt(0x3).blobGasPrice changed',
];

/** The value, the same one told beside it (of a receipt, of its transaction), or the hash that binds it. */
export function isNamed({ place, field }: Tampering, named: string): boolean {
  // Logs are counted through the block, so where one is missing the next one tells.
  if (field.endsWith('.logs') && /^receipts\[\d+\]\.logs\[\d+\]\.logIndex$/.test(named)) return true;
  const at = /^(?:transactions|receipts)(\[\d+\])/.exec(place)?.[1];
  if (at !== undefined) return new RegExp(`^(?:transactions|receipts)\\${at}`).test(named) || named === (place.startsWith('t') ? 'transactionsRoot' : 'receiptsRoot');
  if (/^withdrawals?\b|^block\.withdrawals\b/.test(field)) return /^withdrawals/.test(named);
  if (field === 'block.transactions' || field === 'receipts') return /^(?:transactions|receipts)\b/.test(named);
  if (field === 'block.uncles') return named === 'uncles';
  // The first transaction says what the hash and the number of its block are.
  return ['hash', `transactions[0].block${place === 'hash' ? 'Hash' : 'Number'}`, place].includes(named);
}

interface Spot {
  readonly answer: Tampering['answer'];
  readonly field: string;
  readonly path: Path;
}

function* ofValue(value: unknown, spot: Spot): Generator<Tampering> {
  if (Array.isArray(value)) {
    yield* ofList(value, spot);
    for (const [at, item] of value.entries()) yield* ofValue(item, { ...spot, field: itemOf(spot.field, item), path: [...spot.path, at] });
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, one] of Object.entries(value)) {
      const inside = { ...spot, field: `${spot.field}.${name}`, path: [...spot.path, name] };
      yield made(inside, 'left out', () => undefined);
      yield* ofValue(one, inside);
    }
  } else yield made(spot, 'changed', otherwise);
}

function* ofList(list: readonly unknown[], spot: Spot): Generator<Tampering> {
  if (list.length === 0) return;
  yield made(spot, 'one less', (told) => (told as unknown[]).slice(0, -1));
  yield made(spot, 'one twice', (told) => [...(told as unknown[]), (told as unknown[]).at(-1)]);
  if (list.length > 1 && JSON.stringify(list[0]) !== JSON.stringify(list[1])) yield made(spot, 'swapped', (told) => swapped(told as unknown[]));
}

function swapped([first, second, ...rest]: readonly unknown[]): unknown[] {
  return [second, first, ...rest];
}

function made({ answer, field, path }: Spot, how: Tampering['how'], change: (value: unknown) => unknown): Tampering {
  return { answer, field, how, place: placeOf(answer, path), tell: (told) => changedAt(told, path, change) };
}

/** Another byte of the same length, where there is one. */
function otherwise(value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (value === null) return `0x${'11'.repeat(20)}`;
  const text = value as string;
  if (text === '0x') return '0x11';
  const at = 1 + (text.length >> 1);
  return `${text.slice(0, at)}${text[at] === '7' ? '5' : '7'}${text.slice(at + 1)}`;
}

function changedAt(value: unknown, path: Path, change: (value: unknown) => unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  const changed = changedAt((value as Fields)[step], rest, change);
  if (Array.isArray(value)) return value.with(step as number, changed);
  if (changed !== undefined) return { ...(value as Fields), [step]: changed };
  return Object.fromEntries(Object.entries(value as Fields).filter(([name]) => name !== step));
}

const ITEMS: Readonly<Record<string, string>> = { 'block.transactions': 'transaction', 'block.withdrawals': 'withdrawal', receipts: 'receipt' };

/** Transactions and receipts by their type; a log is a log in any receipt. */
function itemOf(list: string, item: unknown): string {
  if (list.endsWith('.logs')) return 'log';
  const name = ITEMS[list];
  if (name === undefined) return `${list}[]`;
  return name === 'withdrawal' ? name : `${name}(${(item as { type?: string }).type ?? '0x0'})`;
}

function placeOf(answer: Tampering['answer'], path: Path): string {
  const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return answer === 'receipts' ? `receipts${place}` : place.slice(1);
}
