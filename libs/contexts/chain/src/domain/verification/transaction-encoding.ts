import type { JsonValue } from '#platform/kernel';
import type { RpcTransaction } from '../rpc-types.ts';
import { smallQuantity } from './hex.ts';
import { FieldAbsent, FieldNotHex, Mismatched, shown } from './part-report.ts';
import type { RlpWriter } from './rlp.ts';

export type Fields = { readonly [field: string]: JsonValue | undefined };
type WriteField = (writer: RlpWriter, from: Fields) => void;

const quantity =
  (field: string): WriteField =>
  (writer, from) =>
    writer.quantity(from, field);
const data =
  (field: string): WriteField =>
  (writer, from) =>
    writer.data(from, field);

/** Nothing where the transaction creates a contract. */
const to: WriteField = (writer, from) => {
  if (from['to'] === null || from['to'] === undefined) writer.byte(0x80);
  else writer.data(from, 'to');
};

/** Some nodes give `v` alone: 0 or 1, or as in the days of legacy 27 or 28. */
const yParity: WriteField = (writer, from) => {
  if (from['yParity'] !== undefined && from['yParity'] !== null) {
    writer.quantity(from, 'yParity');
    return;
  }
  const v = smallQuantity(from['v']);
  if (v === undefined) throw new FieldAbsent('yParity');
  writer.integer(v >= 27 ? v - 27 : v);
};

/** Left out by some nodes where it is empty; the hash tells whether that was so. */
function objects(from: Fields, field: string): readonly Fields[] {
  const list = from[field] ?? [];
  if (!Array.isArray(list)) throw new FieldNotHex(field, JSON.stringify(list));
  return list as readonly Fields[];
}

function listOf(field: string, fields: readonly WriteField[]): WriteField {
  return (writer, from) => {
    const mark = writer.size;
    for (const item of objects(from, field).toReversed()) writeList(writer, item, fields);
    writer.list(mark);
  };
}

function hashes(field: string): WriteField {
  return (writer, from) => {
    const mark = writer.size;
    for (const hash of objects(from, field).toReversed()) writer.hexData(shown(hash), field);
    writer.list(mark);
  };
}

function writeList(writer: RlpWriter, from: Fields, fields: readonly WriteField[]): void {
  const mark = writer.size;
  for (let at = fields.length - 1; at >= 0; at -= 1) fields[at]!(writer, from);
  writer.list(mark);
}

const accessList = listOf('accessList', [data('address'), hashes('storageKeys')]);
const feeMarket = [quantity('chainId'), quantity('nonce'), quantity('maxPriorityFeePerGas'), quantity('maxFeePerGas'), quantity('gas')];
const message = [to, quantity('value'), data('input')];
const signature = [yParity, quantity('r'), quantity('s')];
const authorizations = listOf('authorizationList', [quantity('chainId'), data('address'), quantity('nonce'), ...signature]);
const legacy = [quantity('nonce'), quantity('gasPrice'), quantity('gas'), ...message];

/** What each type signs, in order; the signature follows. EIP-155, 2930, 1559, 4844, 7702. */
const SIGNED: { readonly [type: number]: readonly WriteField[] } = {
  0: legacy,
  1: [quantity('chainId'), ...legacy, accessList],
  2: [...feeMarket, ...message, accessList],
  3: [...feeMarket, ...message, accessList, quantity('maxFeePerBlobGas'), hashes('blobVersionedHashes')],
  4: [...feeMarket, ...message, accessList, authorizations],
};

/** Of OP chains; nobody signs it. https://specs.optimism.io/protocol/deposits.html */
export const OP_DEPOSIT = 0x7e;
const opDeposit: readonly WriteField[] = [
  data('sourceHash'),
  data('from'),
  to,
  (writer, from) => (from['mint'] === undefined || from['mint'] === null ? writer.byte(0x80) : writer.quantity(from, 'mint')),
  quantity('value'),
  quantity('gas'),
  (writer, from) => writer.integer(from['isSystemTx'] === true ? 1 : 0),
  data('input'),
];

const COMPLETE: { readonly [type: number]: readonly WriteField[] } = {
  0: [...legacy, quantity('v'), quantity('r'), quantity('s')],
  1: [...SIGNED[1]!, ...signature],
  2: [...SIGNED[2]!, ...signature],
  3: [...SIGNED[3]!, ...signature],
  4: [...SIGNED[4]!, ...signature],
  [OP_DEPOSIT]: opDeposit,
};

/** Answers from before EIP-2718 name no type. */
export function typeOf(transaction: Fields): number {
  const type = transaction['type'];
  if (type === undefined || type === null) return 0;
  return smallQuantity(type) ?? Number.NaN;
}

/** Does a private key stand behind transactions of this type, in a way that is known here? */
export function isSigned(type: number): boolean {
  return SIGNED[type] !== undefined;
}

export const KNOWN_TYPES: readonly number[] = Object.keys(COMPLETE).map(Number);

export function isKnownType(type: number): boolean {
  return COMPLETE[type] !== undefined;
}

/** The bytes that the transactions root binds, as of a known type. Throws FieldAbsent, FieldNotHex. */
export function writeTransaction(writer: RlpWriter, transaction: RpcTransaction, type: number): void {
  writeList(writer, transaction, COMPLETE[type]!);
  if (type !== 0) writer.byte(type);
}

/** A block holds blob transactions without their blobs. A node that tells of the blobs too is a development node that keeps them in the block. */
export function hasSidecar(transaction: RpcTransaction): boolean {
  return typeOf(transaction) === 3 && Array.isArray(transaction['blobs']) && Array.isArray(transaction['cellProofs']);
}

/** A blob transaction as it travels between nodes, EIP-7594: what the transactions root of such a development node binds. */
export function writeWithSidecar(writer: RlpWriter, transaction: RpcTransaction): void {
  const mark = writer.size;
  for (const field of ['cellProofs', 'commitments', 'blobs']) hashes(field)(writer, transaction);
  writer.integer(1);
  writeList(writer, transaction, COMPLETE[3]!);
  writer.list(mark);
  writer.byte(3);
}

/** The bytes whose hash was signed. EIP-155 puts chain id and two zeros in the place of a legacy signature. */
export function writeSigningPayload(writer: RlpWriter, transaction: RpcTransaction): void {
  const type = typeOf(transaction);
  const mark = writer.size;
  const v = type === 0 ? bigQuantity(transaction['v']) : 0n;
  if (v >= 35n) {
    writer.byte(0x80);
    writer.byte(0x80);
    writer.hexQuantity(`0x${((v - 35n) / 2n).toString(16)}`, 'v');
  }
  const fields = SIGNED[type]!;
  for (let at = fields.length - 1; at >= 0; at -= 1) fields[at]!(writer, transaction);
  writer.list(mark);
  if (type !== 0) writer.byte(type);
}

/** Which of the two points the signature means. */
export function parityOf(transaction: RpcTransaction): 0 | 1 {
  const given = smallQuantity(transaction['yParity']);
  if (given !== undefined) return given === 0 ? 0 : 1;
  const v = bigQuantity(transaction['v']);
  return (v >= 27n ? (v + 1n) % 2n : v) === 0n ? 0 : 1;
}

/** `v`, `yParity` and `chainId` say the same thing twice and the root binds it once, so they must agree. */
export function checkSignatureFields(transaction: RpcTransaction, type: number, index: number): void {
  const parity = transaction['yParity'];
  const v = transaction['v'];
  if (type !== 0) {
    if (typeof parity !== 'string' || typeof v !== 'string' || v === parity) return;
    const number = smallQuantity(v);
    const same = smallQuantity(parity);
    if (number !== undefined && (number === same || number - 27 === same)) return;
    throw new Mismatched(`transactions[${index}].v`, parity, v);
  }
  if (typeof parity !== 'string' && typeof transaction['chainId'] !== 'string') return;
  const number = bigQuantity(v);
  const odd = (number + 1n) % 2n;
  if (typeof parity === 'string' && number >= 27n && bigQuantity(parity) !== odd) throw new Mismatched(`transactions[${index}].yParity`, `0x${odd}`, parity);
  const chainId = transaction['chainId'];
  if (typeof chainId !== 'string' || number < 35n || bigQuantity(chainId) === (number - 35n) / 2n) return;
  throw new Mismatched(`transactions[${index}].chainId`, `0x${((number - 35n) / 2n).toString(16)}`, chainId);
}

/** Chain ids of legacy signatures may exceed 2^53. */
function bigQuantity(value: unknown): bigint {
  const text = shown(value);
  if (!/^0x[0-9a-f]+$/i.test(text)) throw new FieldNotHex('v', text);
  return BigInt(text);
}
