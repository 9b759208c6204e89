import type { RpcBlock, RpcTransaction } from '../rpc-types.ts';
import type { Keccak256 } from './crypto.ts';
import { bytesOf, hexOf, isHex, smallQuantity } from './hex.ts';
import { FieldAbsent, Mismatched, shown, UnknownType } from './part-report.ts';
import type { RlpWriter } from './rlp.ts';
import { checkSignatureFields, hasSidecar, isKnownType, KNOWN_TYPES, typeOf, writeTransaction, writeWithSidecar } from './transaction-encoding.ts';
import { orderedTrieRoot } from './trie.ts';

/** The place that an error while encoding belongs to. */
export interface Progress {
  path: string;
}

/** Throws what it finds: a transaction whose own hash or place is not the one it is told with, or another root. */
export function recomputeTransactions(block: RpcBlock, writer: RlpWriter, keccak256: Keccak256, progress: Progress): void {
  const { transactions } = block;
  progress.path = '';
  const expected = block['transactionsRoot'];
  if (typeof expected !== 'string') throw new FieldAbsent('transactionsRoot');
  for (let index = 0; index < transactions.length; index += 1) checkPlace(block, transactions[index]!, index);
  const stranger = transactions.findIndex((transaction) => !isKnownType(typeOf(transaction)));
  if (stranger !== -1) {
    checkHashes(transactions, writer, keccak256, progress);
    throw new UnknownType(`transactions[${stranger}].type`);
  }
  const bound = transactions.length - unboundTail(block, writer, keccak256);
  const write = (index: number): void => {
    progress.path = `transactions[${index}].`;
    writeChecked(transactions[index]!, index, writer, keccak256);
  };
  const root = orderedTrieRoot(writer, bound, write, keccak256);
  if (isHex(root, expected)) return;
  if (!transactions.some(hasSidecar) || !isHex(rootWithSidecars(transactions, bound, writer, keccak256), expected)) {
    throw new Mismatched('transactionsRoot', expected, hexOf(root));
  }
}

/** Whose every transaction hashes as it should, but whose root binds the blobs too: anvil's, which no other node would take. */
function rootWithSidecars(transactions: readonly RpcTransaction[], bound: number, writer: RlpWriter, keccak256: Keccak256): Uint8Array {
  const write = (index: number): void => {
    const transaction = transactions[index]!;
    if (hasSidecar(transaction)) writeWithSidecar(writer, transaction);
    else writeTransaction(writer, transaction, typeOf(transaction));
  };
  return orderedTrieRoot(writer, bound, write, keccak256);
}

/** Leaves in the writer what the root binds, once the transaction's own hash is seen to follow from it. */
function writeChecked(transaction: RpcTransaction, index: number, writer: RlpWriter, keccak256: Keccak256): void {
  const mark = writer.size;
  const type = typeOf(transaction);
  writeTransaction(writer, transaction, type);
  const hash = keccak256(writer.since(mark));
  if (!isHex(hash, transaction.hash)) throw new Mismatched(`transactions[${index}].hash`, transaction.hash, hexOf(hash));
  checkSignatureFields(transaction, type, index);
}

/**
 * Where a type is unknown the root can not be recomputed, but the hash of each other transaction can. And a known one
 * must not pass unseen under the name of an unknown type.
 */
function checkHashes(transactions: readonly RpcTransaction[], writer: RlpWriter, keccak256: Keccak256, progress: Progress): void {
  const mark = writer.size;
  transactions.forEach((transaction, index) => {
    progress.path = `transactions[${index}].`;
    writer.rewind(mark);
    if (isKnownType(typeOf(transaction))) {
      writeChecked(transaction, index, writer, keccak256);
      return;
    }
    const disguised = KNOWN_TYPES.find((type) => hashesAs(transaction, type, writer, keccak256));
    if (disguised !== undefined) throw new Mismatched(`transactions[${index}].type`, `0x${disguised.toString(16)}`, shown(transaction['type']));
  });
  writer.rewind(mark);
}

function hashesAs(transaction: RpcTransaction, type: number, writer: RlpWriter, keccak256: Keccak256): boolean {
  const mark = writer.size;
  try {
    writeTransaction(writer, transaction, type);
    return isHex(keccak256(writer.since(mark)), transaction.hash);
  } catch {
    return false; // It lacks what that type has.
  } finally {
    writer.rewind(mark);
  }
}

function checkPlace(block: RpcBlock, transaction: RpcTransaction | string | null, index: number): void {
  const path = `transactions[${index}]`;
  if (typeof transaction === 'string') throw new FieldAbsent(path);
  if (typeof transaction !== 'object' || transaction === null) throw new Mismatched(path, 'a transaction', shown(transaction));
  if (transaction.blockHash !== block.hash) throw new Mismatched(`${path}.blockHash`, block.hash, shown(transaction.blockHash));
  if (transaction.blockNumber !== block.number) throw new Mismatched(`${path}.blockNumber`, block.number, shown(transaction.blockNumber));
  if (smallQuantity(transaction.transactionIndex) !== index) {
    throw new Mismatched(`${path}.transactionIndex`, `0x${index.toString(16)}`, shown(transaction.transactionIndex));
  }
  if (!isTimeOf(block, transaction['blockTimestamp'])) throw new Mismatched(`${path}.blockTimestamp`, block.timestamp, shown(transaction['blockTimestamp']));
}

/** Whether what some nodes repeat in transactions and logs is the time of their block. */
export function isTimeOf(block: RpcBlock, time: unknown): boolean {
  return time === block.timestamp || time === undefined || time === null || smallQuantity(time) === smallQuantity(block.timestamp);
}

const BOR_PREFIX = new TextEncoder().encode('matic-bor-receipt-');

/**
 * Polygon's nodes put the state sync behind the transactions of a block though no root binds it; its hash is derived
 * from the block, which proves what it is. How many such there are: 0 or 1. bor, core/types/bor_receipt.go.
 */
export function unboundTail(block: RpcBlock, writer: RlpWriter, keccak256: Keccak256): 0 | 1 {
  const last = block.transactions.at(-1);
  if (last === undefined || typeof last === 'string' || !isZero(last['r']) || !isZero(last['s']) || typeOf(last) !== 0) return 0;
  const mark = writer.size;
  writer.raw(bytesOf(block.hash));
  writer.raw(bytesOf(`0x${block.number.slice(2).padStart(16, '0')}`));
  writer.raw(BOR_PREFIX);
  const derived = keccak256(writer.since(mark));
  writer.rewind(mark);
  return isHex(derived, last.hash) ? 1 : 0;
}

function isZero(value: unknown): boolean {
  return value === undefined || value === null || value === '0x0' || value === '0x';
}
