import type { Projection } from '#platform/projections';

/** What a chain explorer's projection writes for each transaction: one row with three ordered ways to find it. */
const transactions: Projection = {
  name: 'bench-transactions',
  version: 1,
  types: ['TxFetched'],
  tables: [
    {
      name: 'transactions',
      columns: { block: 'integer', idx: 'integer', hash: 'text', sender: 'text', recipient: 'text', kind: 'text', value_wei: 'text' },
      key: ['block', 'idx'],
      indexes: [['sender', 'block', 'idx']],
    },
  ],
  keyOf: (event) => event.stream,
  apply(event, batch) {
    const { blockNumber, index, kind, transaction } = event.data as { blockNumber: number; index: number; kind: string; transaction: Record<string, string> };
    batch.put('transactions', {
      block: blockNumber,
      idx: index,
      hash: transaction['hash'] ?? null,
      sender: transaction['from'] ?? null,
      recipient: transaction['to'] ?? null,
      kind,
      value_wei: transaction['value'] ?? null,
    });
  },
};

/** Folds only: what reading, unpacking and handing over an event costs by itself. */
const counts: Projection = {
  name: 'bench-counts',
  version: 1,
  types: ['TxFetched', 'TradeExecuted'],
  tables: [{ name: 'counts', columns: { type: 'text', count: 'integer' }, key: ['type'] }],
  keyOf: (event) => event.type,
  apply(event, batch) {
    const before = batch.get('counts', { type: event.type }) as { count?: number } | undefined;
    batch.put('counts', { type: event.type, count: (before?.count ?? 0) + 1 });
  },
};

/** Several small rows for each small event: the table is the limit, not the log. */
const rows: Projection = {
  name: 'bench-rows',
  version: 1,
  types: ['TradeExecuted'],
  tables: [{ name: 'trades', columns: { account: 'integer', n: 'integer', leg: 'integer', price: 'text', quantity: 'text' }, key: ['account', 'n', 'leg'] }],
  keyOf: (event) => event.stream,
  apply(event, batch) {
    const { price, quantity } = event.data as Record<string, string>;
    for (let leg = 0; leg < 4; leg += 1) batch.put('trades', { account: 42, n: event.revision, leg, price: price ?? null, quantity: quantity ?? null });
  },
};

export const benchProjections = { transactions, counts, rows } as const;
export const projections: readonly Projection[] = [transactions];
