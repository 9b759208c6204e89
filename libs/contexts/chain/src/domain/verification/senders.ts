import type { RpcBlock, RpcTransaction } from '../rpc-types.ts';
import type { Keccak256, RecoverSender } from './crypto.ts';
import { Mismatched } from './part-report.ts';
import type { RlpWriter } from './rlp.ts';
import { isSigned, parityOf, typeOf, writeSigningPayload } from './transaction-encoding.ts';

/** Recovering a sender costs about a millisecond, so some are picked; `seed` (any number) says which. */
export interface SenderSample {
  readonly count: number;
  readonly seed: number;
}

/** Places of the picked transactions, all of them signed in a known way; empty where the block has none. */
export function sampleOf(transactions: readonly RpcTransaction[], sample: SenderSample): readonly number[] {
  const signed: number[] = [];
  for (let index = 0; index < transactions.length; index += 1) {
    const transaction = transactions[index]!;
    if (typeof transaction === 'object' && isSigned(typeOf(transaction)) && isSignature(transaction)) signed.push(index);
  }
  if (signed.length <= sample.count) return signed;
  const stride = Math.floor(signed.length / sample.count);
  const start = Math.abs(Math.trunc(sample.seed)) % signed.length;
  return Array.from({ length: sample.count }, (_, pick) => signed[(start + pick * stride) % signed.length]!);
}

function isSignature(transaction: RpcTransaction): boolean {
  const { r, s } = transaction;
  return typeof r === 'string' && typeof s === 'string' && r !== '0x0' && s !== '0x0' && typeof (transaction['v'] ?? transaction['yParity']) === 'string';
}

/** Throws Mismatched where somebody else signed than the answer says. */
export function recoverSenders(block: RpcBlock, places: readonly number[], writer: RlpWriter, keccak256: Keccak256, recover: RecoverSender): void {
  for (const index of places) {
    const transaction = block.transactions[index]!;
    const mark = writer.size;
    writeSigningPayload(writer, transaction);
    const digest = keccak256(writer.since(mark)).slice();
    writer.rewind(mark);
    const { r, s } = transaction as unknown as { r: `0x${string}`; s: `0x${string}` };
    const signer = recover(digest, { r, s, yParity: parityOf(transaction) });
    if (signer !== transaction.from) throw new Mismatched(`transactions[${index}].from`, signer ?? 'nobody', transaction.from);
  }
}
