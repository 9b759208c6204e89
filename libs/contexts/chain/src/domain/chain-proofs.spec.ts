import { withProofs } from './chain-proofs.ts';
import type { ObservedBlock } from './chain.events.ts';

function block(transactionCount: number, verification: ObservedBlock['verification'], withdrawals: readonly unknown[] = []): ObservedBlock {
  return { transactionCount, verification, header: { withdrawals } } as unknown as ObservedBlock;
}

describe('what a chain has proven of its rules', () => {
  const all = { header: 'verified', transactions: 'verified', receipts: 'verified', withdrawals: 'verified', senders: 'verified' } as const;

  it('is nothing that an empty block recomputes on any chain', () => {
    expect(withProofs([], block(0, all))).toEqual(['header']);
    expect(withProofs(['header'], block(2, all))).toEqual(['header', 'transactions', 'receipts', 'senders']);
    expect(withProofs([], block(0, all, [{}]))).toEqual(['header', 'withdrawals']);
  });

  it('is nothing that did not verify, and is never taken back', () => {
    expect(withProofs(['transactions'], block(2, { header: 'unverifiable', transactions: 'unverifiable', receipts: 'verified' }))).toEqual(['transactions', 'receipts']);
  });
});
