import type { JsonValue } from '#platform/kernel';
import type { TransactionKind } from '../domain/chain.events.ts';
import type { RpcReceipt, RpcTransaction } from '../domain/rpc-types.ts';
import { apiForm, extraOf, RECEIPT, TRANSACTION } from './node-form.ts';
import type { TransactionFacts } from './transaction-chunk.ts';

/** Fields that the summary of a list shows; the others are of the transaction's own page. */
const SUMMARY = ['type', 'from', 'to', 'value', 'input', 'nonce', 'gas'] as const;

/** A transaction as nodes of any chain give it, with its receipt, as one flat object in the form of the API. */
export function transactionForm(transaction: RpcTransaction, receipt: RpcReceipt | undefined, kind: TransactionKind): { readonly [field: string]: unknown } {
  const sent = apiForm(transaction, TRANSACTION);
  if (receipt === undefined) return { ...sent.known, ...receiverOf(transaction, kind), receipt: 'not-captured', ...extraOf(sent.extra) };
  const done = apiForm(receipt, RECEIPT);
  const extra: { [field: string]: JsonValue } = { ...sent.extra };
  for (const [field, value] of Object.entries(done.extra)) extra[differs(extra, field, value) ? `receipt.${field}` : field] = value;
  const known: { [field: string]: unknown } = { ...sent.known };
  for (const [field, value] of Object.entries(done.known)) {
    if (field === 'transactionHash' && value === transaction.hash) continue;
    if (differs(known, field, value)) extra[`receipt.${field}`] = receipt[field] ?? null;
    else known[field] = value;
  }
  return { ...known, ...receiverOf(transaction, kind), status: known.status ?? null, receipt: 'captured', ...extraOf(extra) };
}

export function summaryForm(transaction: RpcTransaction, facts: TransactionFacts): { readonly [field: string]: unknown } {
  const picked: { [field: string]: JsonValue | undefined } = {};
  for (const field of SUMMARY) picked[field] = transaction[field];
  const common = { ...apiForm(picked, TRANSACTION).known, ...receiverOf(transaction, facts.kind), kind: facts.kind };
  if (!facts.receipt) return { ...common, receipt: 'not-captured' };
  const outcome = apiForm(facts.outcome, RECEIPT).known;
  const { gasUsed, status } = outcome;
  return {
    ...common,
    contractAddress: outcome.contractAddress ?? null,
    ...(gasUsed === undefined ? {} : { gasUsed }),
    status: status ?? null,
  };
}

/** Types that batch several calls have no receiver, and are no deploys. */
function receiverOf(transaction: RpcTransaction, kind: TransactionKind): { readonly to?: string | null } {
  if (typeof transaction.to === 'string') return { to: transaction.to };
  return kind === 'deploy' || transaction.to === null ? { to: null } : {};
}

function differs(object: { readonly [field: string]: unknown }, field: string, value: unknown): boolean {
  return Object.hasOwn(object, field) && JSON.stringify(object[field]) !== JSON.stringify(value);
}
