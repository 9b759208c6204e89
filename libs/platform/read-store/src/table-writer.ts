import type { StatementSync } from 'node:sqlite';
import type { GenerationRef } from './generation.ts';
import type { Statements } from './read-database.ts';
import type { TableDefinition } from './read-store.port.ts';
import { physicalName } from './table-shape.ts';
import type { StoredCell, StoredRow } from './table-shape.ts';

/** Plain row ids unless it says otherwise: rows may be large, and each index would carry the whole key (measured: README). */
export function createTable(ref: GenerationRef, table: TableDefinition): string {
  const name = physicalName(ref.projection, ref.generation, table.name);
  const columns = Object.entries(table.columns).map(
    ([column, type]) => `"${column}" ${type.toUpperCase()}${table.key.includes(column) ? ' NOT NULL' : ''}`,
  );
  const indexes = (table.indexes ?? []).map((index, at) => `CREATE INDEX ${name}$i${at} ON ${name} (${list(index)});`);
  return `CREATE TABLE ${name} (${columns.join(', ')}, PRIMARY KEY (${list(table.key)})) STRICT${table.clustered === true ? ', WITHOUT ROWID' : ''}; ${indexes.join(' ')}`;
}

/** Removes some rows, whichever they are. One parameter: how many at most. */
export function deleteSome(ref: GenerationRef, table: TableDefinition): string {
  const name = physicalName(ref.projection, ref.generation, table.name);
  const row = table.clustered === true ? list(table.key) : 'rowid';
  return `DELETE FROM ${name} WHERE (${row}) IN (SELECT ${row} FROM ${name} LIMIT ?)`;
}

/** The prepared statements of one physical table. */
export class TableWriter {
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;
  readonly #get: StatementSync;

  constructor(statements: Statements, ref: GenerationRef, table: TableDefinition) {
    const name = physicalName(ref.projection, ref.generation, table.name);
    const columns = Object.keys(table.columns);
    const rest = columns.filter((column) => !table.key.includes(column));
    const onConflict = rest.length === 0 ? 'NOTHING' : `UPDATE SET ${rest.map((column) => `"${column}" = excluded."${column}"`).join(', ')}`;
    const isKey = table.key.map((column) => `"${column}" = ?`).join(' AND ');
    this.#upsert = statements.prepare(
      `INSERT INTO ${name} (${list(columns)}) VALUES (${columns.map(() => '?').join(', ')}) ON CONFLICT (${list(table.key)}) DO ${onConflict}`,
    );
    this.#delete = statements.prepare(`DELETE FROM ${name} WHERE ${isKey}`);
    this.#get = statements.prepare(`SELECT ${list(columns)} FROM ${name} WHERE ${isKey}`);
    this.#get.setReturnArrays(true);
  }

  put(row: StoredRow): void {
    this.#upsert.run(...(row as StoredCell[]));
  }

  delete(key: StoredRow): void {
    this.#delete.run(...(key as StoredCell[]));
  }

  get(key: StoredRow): StoredRow | undefined {
    return this.#get.get(...(key as StoredCell[])) as unknown as StoredRow | undefined;
  }
}

function list(columns: readonly string[]): string {
  return columns.map((column) => `"${column}"`).join(', ');
}
