import type { RpcHeader } from '../rpc-types.ts';
import type { Keccak256 } from './crypto.ts';
import { hexOf, isHex } from './hex.ts';
import { FieldAbsent, Mismatched } from './part-report.ts';
import type { RlpWriter } from './rlp.ts';
import type { Fields } from './transaction-encoding.ts';
import type { Progress } from './transactions.ts';
import { orderedTrieRoot } from './trie.ts';

/** EIP-4895: index, validator, address, amount in Gwei. Throws what it finds. */
export function recomputeWithdrawals(header: RpcHeader, writer: RlpWriter, keccak256: Keccak256, progress: Progress): void {
  progress.path = '';
  const expected = header['withdrawalsRoot'];
  const withdrawals = header['withdrawals'];
  if (typeof expected !== 'string') throw new FieldAbsent('withdrawalsRoot');
  if (!Array.isArray(withdrawals)) throw new FieldAbsent('withdrawals');
  const list = withdrawals as readonly (Fields | null)[];
  const root = orderedTrieRoot(
    writer,
    list.length,
    (index) => {
      progress.path = `withdrawals[${index}].`;
      const withdrawal = list[index];
      if (withdrawal === null || typeof withdrawal !== 'object') throw new Mismatched(`withdrawals[${index}]`, 'a withdrawal', JSON.stringify(withdrawal));
      const mark = writer.size;
      writer.quantity(withdrawal, 'amount');
      writer.data(withdrawal, 'address');
      writer.quantity(withdrawal, 'validatorIndex');
      writer.quantity(withdrawal, 'index');
      writer.list(mark);
    },
    keccak256,
  );
  if (!isHex(root, expected)) throw new Mismatched('withdrawalsRoot', expected, hexOf(root));
}

/** Blocks from before Shanghai have neither list nor root. */
export function hasWithdrawals(header: RpcHeader): boolean {
  return (header['withdrawalsRoot'] ?? header['withdrawals'] ?? null) !== null;
}
