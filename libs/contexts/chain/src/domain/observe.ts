import type { ObservedBlock, TransactionKind, Verification } from './chain.events.ts';
import type { FetchedBlock, RpcReceipt, RpcTransaction } from './rpc-types.ts';
import { isStandardType } from './transaction-types.ts';

/** What the chain's stream remembers of a block: everything but its body. `chainId` is decimal. */
export function observe(chainId: string, fetched: FetchedBlock, verification: Verification): ObservedBlock {
  const { transactions, ...header } = fetched.block;
  const kinds = { transfer: 0, call: 0, deploy: 0 };
  transactions.forEach((transaction, index) => {
    kinds[kindOf(transaction, fetched.receipts?.[index])] += 1;
  });
  return {
    chainId,
    number: Number(header.number),
    hash: header.hash,
    parentHash: header.parentHash,
    header: header,
    transactionCount: transactions.length,
    kinds,
    verification,
    receipts: fetched.receipts !== undefined,
  };
}

/**
 * A deploy has null for `to`; with a receiver, input makes a call of it and its absence a transfer. A type of unknown
 * shape may have no receiver field at all: it is a deploy only when its receipt names a new contract.
 */
export function kindOf(transaction: RpcTransaction, receipt: RpcReceipt | undefined): TransactionKind {
  const { to } = transaction;
  if (to === null || (to === undefined && (isStandardType(transaction['type']) || typeof receipt?.['contractAddress'] === 'string'))) return 'deploy';
  return transaction.input === '0x' ? 'transfer' : 'call';
}

/** ISO 8601 of a block's seconds; undefined where that is no time (a chain may count otherwise). */
export function blockTime(timestamp: string): string | undefined {
  const ms = Number(timestamp) * 1000;
  return ms < LATEST_MS ? new Date(ms).toISOString() : undefined;
}

/** The end of the year 9999, the last that ISO 8601 writes with four digits. */
const LATEST_MS = Date.UTC(10_000, 0, 1);
