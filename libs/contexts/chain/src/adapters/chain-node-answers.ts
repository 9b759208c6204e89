import { normaliseBlock, normaliseHeader, normaliseReceipts } from '../domain/normalise.ts';
import type { RpcBlock, RpcHeader, RpcReceipt } from '../domain/rpc-types.ts';
import { NodeAnswerInvalid } from '../ports/chain-node.errors.ts';
import { isObject } from './chain-node-refusals.ts';

/** Results of calls as values of ours. Each throws `node-answer-invalid`. */
export function readHeader(result: unknown): RpcHeader {
  return normaliseHeader(result);
}

export function readBlock(result: unknown): RpcBlock {
  return normaliseBlock(result);
}

export function readReceipts(result: unknown, block: RpcBlock): readonly RpcReceipt[] {
  return normaliseReceipts(result, block);
}

/** Of another block than this one: the two halves came from replicas on different branches. */
export function belongElsewhere(receipts: unknown, block: RpcBlock): boolean {
  if (!Array.isArray(receipts)) return false;
  const first: unknown = receipts[0];
  return isObject(first) && typeof first['blockHash'] === 'string' && first['blockHash'].toLowerCase() !== block.hash;
}

/** Seen before its receipts were: transactions, and not one receipt. */
export function notIndexedYet(receipts: unknown, block: RpcBlock): boolean {
  return receipts === null || (Array.isArray(receipts) && receipts.length === 0 && block.transactions.length > 0);
}

export function readQuantity(result: unknown, label: string): bigint {
  if (typeof result !== 'string' || !/^0x[0-9a-f]{1,64}$/i.test(result)) throw new NodeAnswerInvalid(label, 'not a quantity');
  return BigInt(result);
}
