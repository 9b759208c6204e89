import { unreachable } from '#platform/kernel';
import type { BlockBodyEvent, ObservedBlock, TransactionKind } from './chain.events.ts';
import type { FetchedBlock, Hex, RpcLog, RpcReceipt, RpcTransaction } from './rpc-types.ts';

export interface StoredTransaction {
  readonly index: number;
  readonly kind: TransactionKind;
  readonly transaction: RpcTransaction;
  readonly receipt: RpcReceipt | undefined;
}

export interface StoredBody {
  readonly transactions: readonly StoredTransaction[];
  /** Undefined while the body is half written. */
  readonly completed: { readonly count: number; readonly digest: string } | undefined;
}

type Of<Type> = Extract<BlockBodyEvent, { type: Type }>['data'];
type Stored = Pick<BlockBodyEvent, 'type' | 'data'>;

/** The transactions of a block as the node gave them, out of the events of its stream in order. */
export function reassembleBody(events: Iterable<Stored>): StoredBody {
  const transactions: StoredTransaction[] = [];
  let completed: StoredBody['completed'];
  let first: Of<'TxFetched'> | undefined;
  let inputs: Of<'TxInputContinued'>[] = [];
  let logs: Of<'TxLogsContinued'>[] = [];
  const close = (): void => {
    if (first !== undefined) transactions.push(reassembleTransaction(first, inputs, logs));
    first = undefined;
    inputs = [];
    logs = [];
  };
  for (const stored of events) {
    const event = stored as BlockBodyEvent;
    switch (event.type) {
      case 'TxFetched':
        close();
        first = event.data;
        break;
      case 'TxInputContinued':
        inputs.push(event.data);
        break;
      case 'TxLogsContinued':
        logs.push(event.data);
        break;
      case 'BlockCompleted':
        completed = { count: event.data.count, digest: event.data.digest };
        break;
      default:
        unreachable(event);
    }
  }
  close();
  return { transactions, completed };
}

/** One transaction out of its first event and those that continue it, each sort in order of `part`. */
export function reassembleTransaction(
  first: Of<'TxFetched'>,
  inputs: readonly Pick<Of<'TxInputContinued'>, 'input' | 'fields'>[],
  logs: readonly Pick<Of<'TxLogsContinued'>, 'logs' | 'continuesLog'>[],
): StoredTransaction {
  const { index, kind } = first;
  let { transaction, receipt } = first;
  if (inputs.some(({ input }) => input !== '')) {
    transaction = { ...transaction, input: (transaction.input + inputs.map(({ input }) => input).join('')) as Hex };
  }
  const text = inputs.map(({ fields }) => fields ?? '').join('');
  if (text !== '') {
    const moved = JSON.parse(text) as { readonly transaction: Partial<RpcTransaction>; readonly receipt: Partial<RpcReceipt> };
    transaction = { ...transaction, ...moved.transaction };
    if (receipt !== undefined) receipt = { ...receipt, ...moved.receipt };
  }
  if (receipt !== undefined && logs.length > 0) receipt = { ...receipt, logs: joinLogs(receipt.logs, logs) };
  return { index, kind, transaction, receipt };
}

/** All logs of a receipt out of those of its first event and of the parts behind it. */
export function joinLogs(first: readonly RpcLog[], parts: readonly Pick<Of<'TxLogsContinued'>, 'logs' | 'continuesLog'>[]): readonly RpcLog[] {
  const all = [...first];
  let pieces: string[] = [];
  const finish = (): void => {
    const last = all.at(-1);
    if (pieces.length > 0 && last !== undefined) all[all.length - 1] = { ...last, data: (last.data + pieces.join('')) as Hex };
    pieces = [];
  };
  for (const { logs, continuesLog } of parts) {
    if (continuesLog === true) {
      pieces.push((logs[0]?.data ?? '0x').slice(2));
      continue;
    }
    finish();
    for (const log of logs) all.push(log);
  }
  finish();
  return all;
}

/**
 * A block as it was fetched, out of what the log holds of it, so that it can be verified again from stored data alone.
 * An empty block has no body.
 */
export function storedBlock(observed: ObservedBlock, body: StoredBody): FetchedBlock {
  return {
    block: { ...observed.header, transactions: body.transactions.map(({ transaction }) => transaction) },
    receipts: observed.receipts ? body.transactions.flatMap(({ receipt }) => (receipt === undefined ? [] : [receipt])) : undefined,
    bytes: 0,
  };
}
