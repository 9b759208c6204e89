import { BlockShapeInvalid } from './chain.errors.ts';
import type { RpcBlock, RpcHeader, RpcReceipt } from './rpc-types.ts';
import { isStandardType } from './transaction-types.ts';

/**
 * The edge between a node's JSON and everything else: hex becomes lower case, and what others rely on is proven to be
 * there. All else stays as the node gave it, known or not. The parsed JSON is taken over and changed in place, for
 * copying a block of megabytes costs more than looking at it. All throw BlockShapeInvalid (`node-answer-invalid`).
 */
export function normaliseHeader(json: unknown, path = 'block'): RpcHeader {
  const header = lowered(json, path);
  mustBe(isHash, header['hash'], `${path}.hash`, 'a hash');
  mustBe(isHash, header['parentHash'], `${path}.parentHash`, 'a hash');
  mustBe(isCountable, header['number'], `${path}.number`, 'a quantity below 2^53');
  mustBe(isQuantity, header['timestamp'], `${path}.timestamp`, 'a quantity');
  return header as unknown as RpcHeader;
}

/** With its transactions, whole and in order. */
export function normaliseBlock(json: unknown, path = 'block'): RpcBlock {
  const block = normaliseHeader(json, path) as RpcBlock;
  const { transactions } = block as { transactions: unknown };
  if (!Array.isArray(transactions)) throw new BlockShapeInvalid(`${path}.transactions`, 'a list', transactions);
  transactions.forEach((transaction: unknown, index) => checkTransaction(block, transaction, index, `${path}.transactions[${index}]`));
  return block;
}

/** One for each transaction of this block, in order. */
export function normaliseReceipts(json: unknown, block: RpcBlock, path = 'receipts'): readonly RpcReceipt[] {
  if (!Array.isArray(json)) throw new BlockShapeInvalid(path, 'a list', json);
  const receipts = json as unknown[];
  if (receipts.length !== block.transactions.length) {
    throw new BlockShapeInvalid(path, `a list of ${block.transactions.length}, one for each transaction`, json);
  }
  receipts.forEach((receipt, index) => {
    const fields = lowered(receipt, `${path}[${index}]`);
    const transaction = block.transactions[index]!;
    if (fields['transactionHash'] !== transaction.hash) throw new BlockShapeInvalid(`${path}[${index}].transactionHash`, transaction.hash, fields['transactionHash']);
    if (fields['blockHash'] !== block.hash) throw new BlockShapeInvalid(`${path}[${index}].blockHash`, block.hash, fields['blockHash']);
    mustBe(isIndex(index), fields['transactionIndex'], `${path}[${index}].transactionIndex`, `0x${index.toString(16)}`);
    checkLogs(fields['logs'], `${path}[${index}].logs`);
  });
  return receipts as readonly RpcReceipt[];
}

type Fields = Record<string, unknown>;

function checkTransaction(block: RpcHeader, json: unknown, index: number, path: string): void {
  if (typeof json !== 'object' || json === null) throw new BlockShapeInvalid(path, 'a whole transaction', json);
  const transaction = json as Fields;
  mustBe(isHash, transaction['hash'], `${path}.hash`, 'a hash');
  if (transaction['blockHash'] !== block.hash) throw new BlockShapeInvalid(`${path}.blockHash`, block.hash, transaction['blockHash']);
  if (transaction['blockNumber'] !== block.number) throw new BlockShapeInvalid(`${path}.blockNumber`, block.number, transaction['blockNumber']);
  mustBe(isIndex(index), transaction['transactionIndex'], `${path}.transactionIndex`, `0x${index.toString(16)}`);
  mustBe(isAddress, transaction['from'], `${path}.from`, 'an address');
  const { to, input } = transaction;
  // Empty text is not null: a creation must be told from a call beyond doubt.
  if (to !== null && to !== undefined) mustBe(isAddress, to, `${path}.to`, 'an address or null');
  // Types that batch several calls have neither; those that everybody knows always have one.
  if (input !== undefined || isStandardType(transaction['type'])) mustBe(isData, input, `${path}.input`, 'data');
}

function checkLogs(json: unknown, path: string): void {
  if (!Array.isArray(json)) throw new BlockShapeInvalid(path, 'a list', json);
  json.forEach((log: unknown, at) => {
    if (typeof log !== 'object' || log === null) throw new BlockShapeInvalid(`${path}[${at}]`, 'a log', log);
    const { address, topics, data } = log as Fields;
    mustBe(isAddress, address, `${path}[${at}].address`, 'an address');
    mustBe(isData, data, `${path}[${at}].data`, 'data');
    if (!Array.isArray(topics) || !topics.every(isHash)) throw new BlockShapeInvalid(`${path}[${at}].topics`, 'a list of hashes', topics);
  });
}

const MOST_LEVELS = 32;
const HEX = /^0x[0-9a-f]*$/;

function lowered(json: unknown, path: string): Fields {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new BlockShapeInvalid(path, 'an object', json);
  lowerHex(json as Fields, path, 0);
  return json as Fields;
}

/** Almost every node writes lower case already, and then nothing is written. */
function lowerHex(holder: Fields | unknown[], path: string, level: number): void {
  if (level > MOST_LEVELS) throw new BlockShapeInvalid(path, `at most ${MOST_LEVELS} levels`, holder);
  if (Array.isArray(holder)) {
    for (let at = 0; at < holder.length; at += 1) {
      const value = holder[at];
      if (typeof value === 'string') {
        const lower = lowerIfHex(value);
        if (lower !== value) holder[at] = lower;
      } else if (typeof value === 'object' && value !== null) lowerHex(value as Fields, path, level + 1);
    }
    return;
  }
  for (const field in holder) {
    const value = holder[field];
    if (typeof value === 'string') {
      const lower = lowerIfHex(value);
      if (lower !== value) setField(holder, field, lower);
    } else if (typeof value === 'object' && value !== null) lowerHex(value as Fields, path, level + 1);
  }
}

function lowerIfHex(value: string): string {
  if (!value.startsWith('0x') && !value.startsWith('0X')) return value;
  const lower = value.toLowerCase();
  return lower !== value && HEX.test(lower) ? lower : value;
}

/** `__proto__` is a field like any other in JSON. */
function setField(holder: Fields, field: string, value: string): void {
  if (field !== '__proto__') holder[field] = value;
  else Object.defineProperty(holder, field, { value, enumerable: true, configurable: true, writable: true });
}

function mustBe(test: (value: string) => boolean, value: unknown, path: string, expected: string): void {
  if (typeof value !== 'string' || !test(value)) throw new BlockShapeInvalid(path, expected, value);
}

const isHash = (value: unknown): value is string => typeof value === 'string' && value.length === 66 && HEX.test(value);
const isAddress = (value: string): boolean => value.length === 42 && HEX.test(value);
const isData = (value: string): boolean => (value.length & 1) === 0 && HEX.test(value);
const isQuantity = (value: string): boolean => value.length > 2 && value.length <= 66 && HEX.test(value);
const isCountable = (value: string): boolean => isQuantity(value) && Number.isSafeInteger(Number(value));
const isIndex =
  (index: number) =>
  (value: string): boolean =>
    isQuantity(value) && Number(value) === index;
