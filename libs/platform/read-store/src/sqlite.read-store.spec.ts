import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { START, systemClock } from '#platform/kernel';
import type { Position } from '#platform/kernel';
import type { Generation } from './generation.ts';
import type { Row, TableDefinition } from './read-store.port.ts';
import { SqliteReadStore } from './sqlite.read-store.ts';
import { SqliteReadWriter } from './sqlite.read-writer.ts';
import { TableShape } from './table-shape.ts';
import type { StoredRow } from './table-shape.ts';

const BLOCKS: TableDefinition = {
  name: 'blocks',
  columns: { chain: 'text', number: 'integer', extra: 'blob' },
  key: ['chain', 'number'],
  indexes: [['number']],
};
const at = (n: number): Position => `xlog:${String(n).padStart(15, '0')}` as Position;

describe('the read store', () => {
  let dir: string;
  let file: string;
  let writer: SqliteReadWriter;
  let store: SqliteReadStore;
  let live: Generation;

  const commit = (rows: readonly Row[], position: Position, to = live): void => {
    const shape = new TableShape('chain-explorer', BLOCKS);
    const changes = rows.map((row) => ({ key: shape.keyOf(shape.store(row)), row: shape.store(row) }));
    const expected = writer.generation(to) as Generation;
    writer.commit(to, { expected, position, events: rows.length, changes: new Map([['blocks', changes]]) });
  };
  const create = (state: 'live' | 'building', tables = [BLOCKS], version = 1): Generation =>
    writer.create('chain-explorer', { version, log: 'xlog', tables, state });
  const count = (): unknown => store.read('chain-explorer', (view) => view.get(`SELECT count(*) AS n FROM ${view.table('blocks')}`)?.['n']);

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'chainfold-reads-'));
    file = join(dir, 'read.db');
    writer = new SqliteReadWriter(file, systemClock);
    store = new SqliteReadStore(file);
    live = create('live');
  });
  afterEach(() => {
    store.close();
    writer.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('answers from the live generation and says from when', () => {
    commit([{ chain: '1', number: 7n, extra: new Uint8Array([1]) }, { chain: '1', number: 8 }], at(9));
    const answer = store.read('chain-explorer', (view) => ({
      asOf: view.asOf,
      rows: view.all(`SELECT * FROM ${view.table('blocks')} WHERE chain = ? ORDER BY number`, '1'),
    }));
    expect(answer.asOf).toBe(at(9));
    expect(answer.rows.map((row) => [row['number'], row['extra']])).toEqual([[7, new Uint8Array([1])], [8, null]]);
  });

  it('keeps one moment through several reads, whatever is written meanwhile', () => {
    commit([{ chain: '1', number: 1 }], at(1));
    store.read('chain-explorer', (view) => {
      const before = view.get(`SELECT count(*) AS n FROM ${view.table('blocks')}`)?.['n'];
      commit([{ chain: '1', number: 2 }], at(2));
      expect(view.get(`SELECT count(*) AS n FROM ${view.table('blocks')}`)?.['n']).toBe(before);
      expect(store.read('chain-explorer', (nested) => nested.asOf)).toBe(view.asOf);
    });
    expect(count()).toBe(2);
  });

  it('refuses a read that waits, and goes on to answer others', () => {
    expect(() => store.read('chain-explorer', async () => 1)).toThrow(expect.objectContaining({ code: 'invalid-row' }) as Error);
    expect(count()).toBe(0);
  });

  it('is not ready without a live generation, nor for a query that only the next version can answer', () => {
    expect(() => store.read('nobody', (view) => view.asOf)).toThrow(expect.objectContaining({ code: 'projection-not-ready', retryable: true }) as Error);
    const miner = { ...BLOCKS, columns: { ...BLOCKS.columns, miner: 'text' as const } };
    create('building', [miner], 2);
    expect(() => store.read('chain-explorer', (view) => view.all(`SELECT miner FROM ${view.table('blocks')}`))).toThrow(
      expect.objectContaining({ code: 'projection-not-ready', facts: { projection: 'chain-explorer', liveVersion: 1, buildingVersion: 2 } }) as Error,
    );
  });

  it('shows the next generation from one read to the next when it is swapped in', () => {
    commit([{ chain: '1', number: 1 }], at(1));
    const next = create('building');
    commit([{ chain: '1', number: 1 }, { chain: '1', number: 2 }], at(2), next);
    expect(count()).toBe(1);
    writer.swap(next, undefined);
    expect(count()).toBe(2);
    writer.swap(live, undefined);
    expect(count()).toBe(1);
  });

  it('wakes a reader who waits for a position, and tells one who waits in vain', async () => {
    const waiting = store.waitFor('chain-explorer', at(3), 2_000, systemClock);
    commit([{ chain: '1', number: 1 }], at(3));
    store.advanced('chain-explorer', at(3));
    await waiting;
    await store.waitFor('chain-explorer', START, 0, systemClock);
    await expect(store.waitFor('chain-explorer', at(4), 30, systemClock)).rejects.toMatchObject({
      code: 'position-not-reached',
      facts: { wanted: at(4), reached: at(3) },
    });
  });

  it('notices progress by itself where nobody tells of it', async () => {
    const waiting = store.waitFor('chain-explorer', at(3), 2_000, systemClock);
    commit([{ chain: '1', number: 1 }], at(3));
    await waiting;
  });

  it('refuses a position of another log', async () => {
    await expect(store.waitFor('chain-explorer', 'xelse:000000000000001' as Position, 10, systemClock)).rejects.toMatchObject({ code: 'foreign-position' });
  });

  it('writes nothing for an owner whose checkpoint is not the one that stands there', () => {
    const stale = writer.generation(live) as Generation;
    commit([{ chain: '1', number: 1 }], at(1));
    const shape = new TableShape('chain-explorer', BLOCKS);
    const row = shape.store({ chain: '1', number: 2 });
    const late = { expected: stale, position: at(2), events: 1, changes: new Map([['blocks', [{ key: shape.keyOf(row), row }]]]) };
    expect(() => writer.commit(live, late)).toThrow(expect.objectContaining({ code: 'checkpoint-moved' }) as Error);
    expect(count()).toBe(1);
  });

  it('rolls rows and checkpoint back together when the disk is full, and goes on when there is room', () => {
    const limited = new SqliteReadWriter(file, systemClock, { maxPages: 40 });
    const big = new TableShape('chain-explorer', BLOCKS);
    const rows = Array.from({ length: 200 }, (_, number) => big.store({ chain: '1', number, extra: new Uint8Array(8_000) }));
    const batch = { expected: live, position: at(200), events: 200, changes: new Map([['blocks', rows.map((row) => ({ key: big.keyOf(row), row }))]]) };
    expect(() => limited.commit(live, batch)).toThrow('full');
    limited.close();
    expect([count(), store.read('chain-explorer', (view) => view.asOf)]).toEqual([0, START]);
    writer.commit(live, batch);
    expect(count()).toBe(200);
  });

  it.each([
    ['in the order of its key', true],
    ['beside an index of its key', false],
  ])('updates, deletes and retires a table that lies %s, bit by bit and to the last row', (_, clustered) => {
    const table: TableDefinition = { name: 'touches', columns: { who: 'blob', number: 'integer', roles: 'integer' }, key: ['who', 'number'], clustered };
    const shape = new TableShape('chain-explorer', table);
    const kept = writer.create('touched', { version: 1, log: 'xlog', tables: [table], state: 'building' });
    const rows = Array.from({ length: 500 }, (_row, number) => shape.store({ who: new Uint8Array([number % 7]), number, roles: 1 }));
    const changes = rows.map((row) => ({ key: shape.keyOf(row), row }));
    const after = writer.commit(kept, { expected: kept, position: at(1), events: 1, changes: new Map([['touches', changes]]) });
    const [first, second] = rows.map((row) => shape.keyOf(row)) as [StoredRow, StoredRow];
    const later = [{ key: first, row: shape.store({ who: new Uint8Array([0]), number: 0, roles: 3 }) }, { key: second, row: undefined }];
    writer.commit(kept, { expected: after, position: at(2), events: 1, changes: new Map([['touches', later]]) });
    expect([writer.get(kept, table, first)?.[2], writer.get(kept, table, second)]).toEqual([3, undefined]);
    writer.setState(kept, 'building', 'retiring');
    const left: unknown[] = [];
    const db = new DatabaseSync(file, { readOnly: true });
    for (let more = writer.retireSome(200); more; more = writer.retireSome(200)) {
      const stands = db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'touched$1$touches'").get()?.['n'] === 1;
      left.push(stands ? db.prepare('SELECT count(*) AS n FROM touched$1$touches').get()?.['n'] : 'gone');
    }
    db.close();
    expect(left).toEqual([299, 99, 'gone']);
    expect(writer.generations('touched')).toEqual([]);
  });

  it('refuses a file of a newer release and names both formats', () => {
    const db = new DatabaseSync(file, { timeout: 500 });
    db.exec('PRAGMA user_version = 7');
    db.close();
    expect(() => new SqliteReadWriter(file, systemClock)).toThrow(expect.objectContaining({ code: 'data-newer', facts: { file, found: 7, known: 1 } }) as Error);
  });

  it.each([
    ['is not a database', (path: string) => writeFileSync(path, 'this is no database, '.repeat(1_000))],
    ['is somebody else’s database', (path: string) => new DatabaseSync(path).exec('CREATE TABLE other (x)')],
  ])('refuses a file that %s and says how to go on', (_, spoil) => {
    const other = join(dir, 'other.db');
    spoil(other);
    expect(() => new SqliteReadStore(other)).toThrow(expect.objectContaining({ code: 'data-damaged', hint: expect.stringContaining('rebuilt from the log') as string }) as Error);
  });

  it('says that a file is damaged when its end is cut off', () => {
    commit(Array.from({ length: 500 }, (_, number) => ({ chain: '1', number, extra: new Uint8Array(500) })), at(500));
    store.close();
    writer.close();
    truncateSync(file, 4 * 8192);
    const read = (): unknown => {
      store = new SqliteReadStore(file);
      return store.read('chain-explorer', (view) => view.all(`SELECT * FROM ${view.table('blocks')}`));
    };
    expect(read).toThrow(expect.objectContaining({ code: 'data-damaged' }) as Error);
    rmSync(file);
    writer = new SqliteReadWriter(file, systemClock);
    store = new SqliteReadStore(file);
  });
});

describe('the shape of a table', () => {
  const shape = new TableShape('chain', BLOCKS);

  it.each([
    ['an unknown column', { chain: '1', number: 1, miner: 'x' }],
    ['an empty key', { chain: '1' }],
    ['text in an integer', { chain: '1', number: '1' }],
    ['a fraction', { chain: '1', number: 1.5 }],
    ['an integer beyond 2^53', { chain: '1', number: 2n ** 53n }],
    ['a number in a text', { chain: 1, number: 1 }],
  ])('refuses %s', (_, row) => {
    expect(() => shape.store(row as Row)).toThrow(expect.objectContaining({ code: 'invalid-row' }) as Error);
  });

  it('refuses a definition whose names would not be safe in a statement', () => {
    expect(() => new TableShape('chain', { ...BLOCKS, name: 'a; DROP TABLE b' })).toThrow('does not allow');
    expect(() => new TableShape('chain', { ...BLOCKS, key: ['nothing'] })).toThrow('does not allow');
  });
});
