import type { BlockBodyEvent } from './chain.events.ts';
import type { RpcLog, RpcReceipt, RpcTransaction } from './rpc-types.ts';

/** An event stays below 256 KB of JSON with its envelope; what is cut is cut well below that. */
export const LARGEST_TX_BYTES = 240 * 1024;
/** Hex digits, or estimated bytes of logs, that TxFetched and each event behind it hold. */
const FIRST_PIECE = 64 * 1024;
const PIECE = 160 * 1024;
/** Of a text that is quoted again in JSON, where each character may take seven bytes. */
const TEXT_PIECE = 32 * 1024;
const LARGE_FIELD = 2 * 1024;
/** A log without its data. Part of the cut, which must be the same for every provider's answer: so a constant. */
const LOG_OVERHEAD = 1024;

type Part<Type> = Omit<Extract<BlockBodyEvent, { type: Type }>['data'], 'chainId' | 'blockNumber' | 'blockHash' | 'index' | 'part'>;
export type InputPart = Part<'TxInputContinued'>;
export type LogsPart = Part<'TxLogsContinued'>;

export interface Cut {
  readonly transaction: RpcTransaction;
  readonly receipt: RpcReceipt | undefined;
  readonly inputs: readonly InputPart[];
  readonly logs: readonly LogsPart[];
}

/** Does the JSON of both together fit into one event? Counts exactly only where a quick look can not tell. */
export function fitsOneEvent(transaction: RpcTransaction, receipt: RpcReceipt | undefined): boolean {
  // No character takes more than six bytes in JSON.
  if (6 * (charactersOf(transaction) + charactersOf(receipt)) <= LARGEST_TX_BYTES) return true;
  return jsonBytes({ transaction, receipt }) <= LARGEST_TX_BYTES;
}

/**
 * Cuts a transaction into pieces that fit. Where it is cut follows from what the roots bind (input, logs), so another
 * provider's answer is cut at the same places and may go on where one stopped.
 */
export function cut(transaction: RpcTransaction, receipt: RpcReceipt | undefined): Cut {
  const input = typeof transaction.input === 'string' ? transaction.input : undefined;
  const chunks = receipt === undefined ? [] : chunksOf(receipt.logs);
  const moved = { transaction: {}, receipt: {} };
  const small = withoutLarge(input === undefined ? transaction : { ...transaction, input: input.slice(0, 2 + FIRST_PIECE) as `0x${string}` }, moved.transaction);
  const smallReceipt = receipt === undefined ? undefined : withoutLarge({ ...receipt, logs: chunks[0]?.logs ?? [] }, moved.receipt);
  const inputs: InputPart[] = slices((input ?? '').slice(2 + FIRST_PIECE), PIECE).map((digits) => ({ input: digits }));
  if (Object.keys(moved.transaction).length + Object.keys(moved.receipt).length > 0) {
    for (const fields of slices(sortedJson(moved), TEXT_PIECE)) inputs.push({ input: '', fields });
  }
  return { transaction: small, receipt: smallReceipt, inputs, logs: chunks.slice(1) };
}

/** The first chunk goes with the receipt, the others follow. */
function chunksOf(logs: readonly RpcLog[]): LogsPart[] {
  const chunks: LogsPart[] = [];
  let chunk: RpcLog[] = [];
  let room = FIRST_PIECE;
  const close = (): void => {
    chunks.push({ logs: chunk });
    chunk = [];
    room = PIECE;
  };
  for (const log of logs) {
    const size = LOG_OVERHEAD + log.data.length;
    if (size > room) close();
    if (size <= room) {
      chunk.push(log);
      room -= size;
      continue;
    }
    const [first = '', ...rest] = slices(log.data.slice(2), PIECE - LOG_OVERHEAD);
    chunk.push({ ...log, data: `0x${first}` });
    close();
    for (const digits of rest) chunks.push({ logs: [{ address: log.address, topics: log.topics, data: `0x${digits}` }], continuesLog: true });
  }
  if (chunk.length > 0 || chunks.length === 0) chunks.push({ logs: chunk });
  return chunks;
}

/** What a reader needs to know the transaction by; small in any shape that passed the edge. */
const KEPT = new Set(['hash', 'transactionHash', 'transactionIndex', 'blockHash', 'blockNumber', 'from', 'to', 'type', 'input', 'logs']);

/** Null stands in the place of a moved field, so the order of fields is kept. */
function withoutLarge<T extends RpcTransaction | RpcReceipt>(from: T, moved: Record<string, unknown>): T {
  const fields = Object.entries(from).filter(([field]) => !KEPT.has(field));
  const sizes = new Map(fields.map(([field, value]) => [field, field.length + jsonBytes(value ?? null)]));
  const small = fields.reduce((sum, [field]) => sum + (sizes.get(field)! > LARGE_FIELD ? 0 : sizes.get(field)!), 0);
  const largest = small > FIRST_PIECE / 2 ? 0 : LARGE_FIELD;
  const kept: Record<string, unknown> = { ...from };
  for (const [field, value] of fields) {
    if (sizes.get(field)! <= largest) continue;
    moved[field] = value;
    kept[field] = null;
  }
  return kept as T;
}

function slices(text: string, length: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += length) pieces.push(text.slice(at, at + length));
  return pieces;
}

function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 3;
  if (typeof value !== 'object' || value === null) return 25;
  let sum = 2;
  if (Array.isArray(value)) for (const item of value) sum += charactersOf(item);
  else for (const field in value) sum += field.length + 4 + charactersOf((value as Record<string, unknown>)[field]);
  return sum;
}

/** The same text for the same value, whoever wrote its fields in which order: pieces of two answers must fit together. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_field, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Bytes of the JSON in UTF-8. */
export function jsonBytes(value: unknown): number {
  const text = JSON.stringify(value);
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    // JSON.stringify escapes lone surrogates, so two of them together are one character of four bytes.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}
