import { keyText, TableShape } from '#platform/read-store';
import type { Row, StoredRow, TableDefinition } from '#platform/read-store';
import { RowBatch } from './row-batch.ts';

const accounts: TableDefinition = { name: 'accounts', columns: { id: 'text', balance: 'integer', note: 'text' }, key: ['id'] };
const tables = [accounts, { ...accounts, name: 'others' }];

describe('rows of one batch', () => {
  const shapes = new Map(tables.map((table) => [table.name, new TableShape('bank', table)]));
  /** As the last commit left them. */
  const committed = new Map<string, StoredRow>([['old', ['old', 7, null]]]);
  let reads: string[];
  let batch: RowBatch;

  const account = (id: string, balance: number, note: string | null = null): Row => ({ id, balance, note });
  const changes = (table = 'accounts'): unknown[] => [...(batch.changes.get(table) ?? [])].map(({ key, row }) => [key[0], row?.[1]]);

  beforeEach(() => {
    reads = [];
    batch = new RowBatch(shapes, (table, key) => {
      reads.push(`${table.name} ${String(key[0])}`);
      return table.name === 'accounts' ? committed.get(keyText(key)) : undefined;
    });
  });

  it('reads what the last commit left where the batch changed nothing', () => {
    expect(batch.get('accounts', { id: 'old' })).toEqual(account('old', 7));
    expect(batch.get('accounts', { id: 'nobody' })).toBeUndefined();
    expect(batch.get('others', { id: 'old' })).toBeUndefined();
  });

  it('reads its own writes and deletes without asking the store', () => {
    batch.put('accounts', account('new', 1));
    batch.delete('accounts', { id: 'old' });
    expect(batch.get('accounts', { id: 'new' })).toEqual(account('new', 1));
    expect(batch.get('accounts', { id: 'old' })).toBeUndefined();
    expect(reads).toEqual([]);
  });

  it('hands over only the last state of each row, and counts rows, not writes', () => {
    for (let balance = 0; balance < 50; balance += 1) batch.put('accounts', account('a', balance));
    batch.put('accounts', account('b', 1));
    batch.delete('accounts', { id: 'b' });
    expect(changes()).toEqual([['a', 49], ['b', undefined]]);
    expect(batch.rows).toBe(2);
  });

  it('takes back what a failing event wrote, however often it wrote it, and keeps what was settled', () => {
    batch.put('accounts', account('a', 1));
    batch.settle();
    batch.put('accounts', account('a', 2));
    batch.put('accounts', account('a', 3));
    batch.delete('accounts', { id: 'old' });
    batch.put('others', account('c', 4));
    batch.takeBack();
    expect(changes()).toEqual([['a', 1]]);
    expect(changes('others')).toEqual([]);
    expect(batch.rows).toBe(1);
    expect(batch.get('accounts', { id: 'old' })).toEqual(account('old', 7));
  });

  it('goes on after a failing event as if it had never come', () => {
    batch.put('accounts', account('a', 1));
    batch.takeBack();
    batch.put('accounts', account('a', 2));
    batch.settle();
    batch.takeBack();
    expect(changes()).toEqual([['a', 2]]);
  });

  it('gives what a later read of the table would give: absent is null, a bigint is a number', () => {
    batch.put('accounts', { id: 'a', balance: 5n });
    expect(batch.get('accounts', { id: 'a' })).toEqual(account('a', 5));
  });

  it.each([
    ['an unknown table', 'nowhere', account('a', 1)],
    ['an unknown column', 'accounts', { id: 'a', saldo: 1 }],
    ['an amount beyond 2^53', 'accounts', { id: 'a', balance: 2n ** 60n }],
    ['an empty key', 'accounts', { balance: 1 }],
  ])('refuses %s at once, so that it is charged to its event', (_what, table, row) => {
    expect(() => batch.put(table, row)).toThrow(expect.objectContaining({ code: 'invalid-row' }));
    expect(batch.rows).toBe(0);
  });
});
