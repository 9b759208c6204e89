import type { Hex, RpcBlock, RpcReceipt } from '../rpc-types.ts';
import { bloomOf, BLOOM_BYTES } from './bloom.ts';
import type { Keccak256 } from './crypto.ts';
import { hexOf, isHex } from './hex.ts';
import { FieldAbsent, Mismatched, shown, UnknownType } from './part-report.ts';
import { checkAmounts, checkPlaces } from './receipt-consistency.ts';
import type { RlpWriter } from './rlp.ts';
import { isSigned, OP_DEPOSIT, typeOf } from './transaction-encoding.ts';
import { unboundTail } from './transactions.ts';
import type { Progress } from './transactions.ts';
import { orderedTrieRoot } from './trie.ts';

/** Throws what it finds: the root, the bloom, or what receipts say of each other, the transactions and the block. */
export function recomputeReceipts(
  block: RpcBlock,
  receipts: readonly RpcReceipt[],
  writer: RlpWriter,
  keccak256: Keccak256,
  progress: Progress,
): void {
  progress.path = '';
  const expected = block['receiptsRoot'];
  if (typeof expected !== 'string') throw new FieldAbsent('receiptsRoot');
  if (receipts.length !== block.transactions.length) {
    throw new Mismatched('receipts', `${block.transactions.length} of them`, `${receipts.length} of them`);
  }
  checkPlaces(block, receipts);
  const bound = receipts.length - unboundTail(block, writer, keccak256);
  const bloom = new Uint8Array(BLOOM_BYTES);
  const root = orderedTrieRoot(
    writer,
    bound,
    (index) => {
      progress.path = `receipts[${index}].`;
      writeReceipt(writer, receipts[index]!, bloom, keccak256);
    },
    keccak256,
  );
  if (!isHex(root, expected)) throw unknownTypeIn(receipts) ?? new Mismatched('receiptsRoot', expected, hexOf(root));
  if (typeof block['logsBloom'] === 'string' && !isHex(bloom, block['logsBloom'])) {
    throw new Mismatched('logsBloom', block['logsBloom'], hexOf(bloom));
  }
  progress.path = '';
  checkAmounts(block, receipts, bound, writer, keccak256);
}

/**
 * EIP-658 put the status where the state root after each transaction had been, EIP-2718 the type in front. A type that
 * nobody here knows is tried in the same way, for most chains keep it.
 */
function writeReceipt(writer: RlpWriter, receipt: RpcReceipt, blockBloom: Uint8Array, keccak256: Keccak256): void {
  const type = typeOf(receipt);
  const mark = writer.size;
  if (type === OP_DEPOSIT && isGiven(receipt['depositReceiptVersion'])) {
    writer.quantity(receipt, 'depositReceiptVersion');
    writer.quantity(receipt, 'depositNonce');
  }
  writeLogs(writer, receipt);
  writeBloom(writer, receipt, blockBloom, keccak256);
  writer.quantity(receipt, 'cumulativeGasUsed');
  if (isGiven(receipt['status'])) writer.quantity(receipt, 'status');
  else if (isGiven(receipt['root'])) writer.data(receipt, 'root');
  else throw new FieldAbsent('status');
  writer.list(mark);
  if (type !== 0) writer.byte(type);
}

function writeLogs(writer: RlpWriter, receipt: RpcReceipt): void {
  const mark = writer.size;
  for (let at = receipt.logs.length - 1; at >= 0; at -= 1) {
    const log = receipt.logs[at]!;
    const logMark = writer.size;
    writer.data(log, 'data');
    const topicsMark = writer.size;
    for (let topic = log.topics.length - 1; topic >= 0; topic -= 1) writer.hexData(log.topics[topic]!, 'logs.topics');
    writer.list(topicsMark);
    writer.data(log, 'address');
    writer.list(logMark);
  }
  writer.list(mark);
}

function writeBloom(writer: RlpWriter, receipt: RpcReceipt, blockBloom: Uint8Array, keccak256: Keccak256): void {
  const mark = writer.size;
  const given = receipt['logsBloom'];
  if (isGiven(given)) writer.hexData(shown(given), 'logsBloom');
  else {
    writer.raw(bloomOf(receipt.logs, keccak256));
    writer.string(mark);
  }
  const encoded = writer.since(mark);
  if (encoded.length !== BLOOM_BYTES + 3) throw new Mismatched('logsBloom', '256 bytes', shown(given));
  for (let at = 0; at < BLOOM_BYTES; at += 1) blockBloom[at]! |= encoded[at + 3]!;
}

function unknownTypeIn(receipts: readonly RpcReceipt[]): UnknownType | undefined {
  const index = receipts.findIndex((receipt) => !isSigned(typeOf(receipt)) && typeOf(receipt) !== OP_DEPOSIT);
  return index === -1 ? undefined : new UnknownType(`receipts[${index}].type`);
}

function isGiven(value: unknown): value is Hex {
  return value !== undefined && value !== null;
}
