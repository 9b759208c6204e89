import type { JsonValue } from '#platform/kernel';

/**
 * How a field of a node reads in the API. A value of another form than its field should have (null too) is not lost:
 * it goes to `extra`, verbatim, as do fields that nobody told us of.
 */
export type FieldForm = 'quantity' | 'integer' | 'time' | 'data' | 'list' | 'status' | 'withdrawals' | 'authorizations' | 'logs' | 'nullable' | 'flag';
export type FieldForms = { readonly [field: string]: FieldForm };
export type NodeObject = { readonly [field: string]: JsonValue | undefined };

const QUANTITY = /^0x[0-9a-f]+$/;
const DATA = /^0x[0-9a-f]*$/;
/** Of the year 9999, the last that ISO 8601 writes with four digits. Beyond it a time is its number, as a decimal string. */
const LAST_SECOND = 253_402_300_799n;

export interface ApiForm {
  readonly known: { [field: string]: unknown };
  readonly extra: { [field: string]: JsonValue };
}

export function apiForm(object: NodeObject, forms: FieldForms): ApiForm {
  const known: ApiForm['known'] = {};
  const extra: ApiForm['extra'] = {};
  for (const [field, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const form = Object.hasOwn(forms, field) ? forms[field] : undefined;
    const converted = form === undefined ? undefined : convert(value, form);
    // Not by assignment: a node may name a field __proto__. A known one is named in `forms`.
    if (converted === undefined) define(extra, field, value);
    else known[field] = converted;
  }
  return { known, extra };
}

/** Left out when it is empty. */
export function extraOf(extra: ApiForm['extra']): { extra?: ApiForm['extra'] } {
  return Object.keys(extra).length === 0 ? {} : { extra };
}

/** ISO 8601 of seconds since the epoch. */
export function isoTime(quantity: string): string {
  const seconds = BigInt(quantity);
  return seconds > LAST_SECOND ? seconds.toString() : new Date(Number(seconds) * 1000).toISOString();
}

function define<T>(target: { [field: string]: T }, field: string, value: T): void {
  Object.defineProperty(target, field, { value, enumerable: true, configurable: true, writable: true });
}

function convert(value: JsonValue, form: FieldForm): unknown {
  switch (form) {
    case 'quantity':
      return isQuantity(value) ? BigInt(value).toString() : undefined;
    case 'integer':
      return isQuantity(value) && BigInt(value) <= Number.MAX_SAFE_INTEGER ? Number(value) : undefined;
    case 'time':
      return isQuantity(value) ? isoTime(value) : undefined;
    case 'data':
      return isData(value) ? value : undefined;
    case 'nullable':
      return value === null || isData(value) ? value : undefined;
    case 'list':
      return Array.isArray(value) ? value : undefined;
    case 'flag':
      return typeof value === 'boolean' ? value : undefined;
    case 'status':
      return value === '0x1' ? 'success' : value === '0x0' ? 'reverted' : undefined;
    case 'withdrawals':
      return listOf(value, WITHDRAWAL);
    case 'authorizations':
      return listOf(value, AUTHORIZATION);
    case 'logs':
      return listOf(value, LOG);
  }
}

function listOf(value: JsonValue, forms: FieldForms): unknown[] | undefined {
  if (!Array.isArray(value) || !value.every(isObject)) return undefined;
  return value.map((item) => {
    const { known, extra } = apiForm(item, forms);
    return { ...known, ...extraOf(extra) };
  });
}

function isQuantity(value: JsonValue): value is string {
  return typeof value === 'string' && QUANTITY.test(value);
}

function isData(value: JsonValue): value is string {
  return typeof value === 'string' && DATA.test(value);
}

function isObject(value: JsonValue): value is NodeObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const WITHDRAWAL: FieldForms = { index: 'integer', validatorIndex: 'integer', address: 'data', amount: 'quantity' };

const AUTHORIZATION: FieldForms = { chainId: 'quantity', address: 'data', nonce: 'quantity', yParity: 'quantity', r: 'quantity', s: 'quantity' };

const LOG: FieldForms = {
  address: 'data',
  topics: 'list',
  data: 'data',
  blockNumber: 'integer',
  blockHash: 'data',
  blockTimestamp: 'time',
  transactionHash: 'data',
  transactionIndex: 'integer',
  logIndex: 'integer',
  removed: 'flag',
};

/** https://ethereum.github.io/execution-apis/ */
export const HEADER: FieldForms = {
  number: 'integer',
  hash: 'data',
  parentHash: 'data',
  timestamp: 'time',
  sha3Uncles: 'data',
  miner: 'data',
  stateRoot: 'data',
  transactionsRoot: 'data',
  receiptsRoot: 'data',
  logsBloom: 'data',
  gasLimit: 'quantity',
  gasUsed: 'quantity',
  extraData: 'data',
  mixHash: 'data',
  nonce: 'data',
  size: 'integer',
  uncles: 'list',
  difficulty: 'quantity',
  totalDifficulty: 'quantity',
  baseFeePerGas: 'quantity',
  withdrawalsRoot: 'data',
  withdrawals: 'withdrawals',
  blobGasUsed: 'quantity',
  excessBlobGas: 'quantity',
  parentBeaconBlockRoot: 'data',
  requestsHash: 'data',
};

export const TRANSACTION: FieldForms = {
  hash: 'data',
  blockHash: 'data',
  blockNumber: 'integer',
  blockTimestamp: 'time',
  transactionIndex: 'integer',
  type: 'integer',
  chainId: 'quantity',
  nonce: 'quantity',
  from: 'data',
  to: 'nullable',
  value: 'quantity',
  input: 'data',
  gas: 'quantity',
  gasPrice: 'quantity',
  maxFeePerGas: 'quantity',
  maxPriorityFeePerGas: 'quantity',
  maxFeePerBlobGas: 'quantity',
  blobVersionedHashes: 'list',
  accessList: 'list',
  authorizationList: 'authorizations',
  v: 'quantity',
  yParity: 'quantity',
  r: 'quantity',
  s: 'quantity',
};

export const RECEIPT: FieldForms = {
  transactionHash: 'data',
  transactionIndex: 'integer',
  blockHash: 'data',
  blockNumber: 'integer',
  from: 'data',
  to: 'nullable',
  type: 'integer',
  status: 'status',
  root: 'data',
  gasUsed: 'quantity',
  cumulativeGasUsed: 'quantity',
  effectiveGasPrice: 'quantity',
  contractAddress: 'nullable',
  logs: 'logs',
  logsBloom: 'data',
  blobGasUsed: 'quantity',
  blobGasPrice: 'quantity',
};
