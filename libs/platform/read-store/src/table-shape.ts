import { InvalidRow } from './read-store.errors.ts';
import type { Cell, ColumnType, Row, TableDefinition } from './read-store.port.ts';

const NAME = /^[a-z][a-z0-9_]*$/;
const PROJECTION_NAME = /^[a-z][a-z0-9_-]*$/;

/** A value as the table holds it: never a bigint. */
export type StoredCell = string | number | Uint8Array | null;
export type StoredRow = readonly StoredCell[];

/** Unquoted, and never the same for two of (projection, generation, table): `$` can not stand in a table's name. */
export function physicalName(projection: string, generation: number, table: string): string {
  return `${projection.replaceAll('-', '$')}$${generation}$${table}`;
}

/** One table's definition made ready for rows: checks them and puts them into the order of the columns. */
export class TableShape {
  readonly definition: TableDefinition;
  readonly columns: readonly string[];
  readonly #types: readonly ColumnType[];
  readonly #keyAt: readonly number[];
  readonly #isKey: readonly boolean[];

  constructor(projection: string, definition: TableDefinition) {
    this.definition = definition;
    this.columns = Object.keys(definition.columns);
    this.#types = Object.values(definition.columns);
    this.#keyAt = definition.key.map((column) => this.columns.indexOf(column));
    this.#isKey = this.columns.map((column) => definition.key.includes(column));
    const named = [...(definition.indexes ?? []).flat(), ...definition.key];
    const wrong =
      [definition.name, ...this.columns].find((name) => !NAME.test(name)) ?? named.find((column) => !this.columns.includes(column));
    if (wrong !== undefined || definition.key.length === 0 || !PROJECTION_NAME.test(projection)) {
      throw new InvalidRow('the table is not defined well', { projection, table: definition.name, name: wrong ?? projection });
    }
  }

  /** Throws `invalid-row`. What comes out is what a later read of the table gives. */
  store(row: Row): StoredRow {
    for (const column in row) {
      if (!(column in this.definition.columns)) throw this.#invalid('there is no such column', column);
    }
    const stored: StoredCell[] = new Array<StoredCell>(this.columns.length);
    for (let at = 0; at < stored.length; at += 1) {
      const cell = this.#cell(row[this.columns[at] as string] ?? null, at);
      if (cell === null && this.#isKey[at] === true) throw this.#invalid('a key column is empty', this.columns[at] as string);
      stored[at] = cell;
    }
    return stored;
  }

  /** Values of the key columns of a row or of a bare key, in the order of the key. Throws `invalid-row`. */
  storeKey(key: Row): StoredRow {
    return this.#keyAt.map((at) => {
      const cell = this.#cell(key[this.columns[at] as string] ?? null, at);
      if (cell === null) throw this.#invalid('a key column is empty', this.columns[at] as string);
      return cell;
    });
  }

  keyOf(row: StoredRow): StoredRow {
    return this.#keyAt.map((at) => row[at] as StoredCell);
  }

  load(row: StoredRow): Row {
    const loaded: Record<string, Cell> = {};
    for (let at = 0; at < row.length; at += 1) loaded[this.columns[at] as string] = row[at] as Cell;
    return loaded;
  }

  #cell(cell: Cell, at: number): StoredCell {
    if (cell === null) return null;
    switch (this.#types[at] as ColumnType) {
      case 'text':
        if (typeof cell !== 'string') break;
        return cell.isWellFormed() ? cell : cell.toWellFormed();
      case 'integer': {
        const number = typeof cell === 'bigint' ? Number(cell) : cell;
        if (!Number.isSafeInteger(number)) break;
        return (number as number) + 0;
      }
      case 'blob':
        if (!(cell instanceof Uint8Array)) break;
        return cell;
    }
    throw this.#invalid(`not a value of type ${this.#types[at] as string} (integers beyond 2^53 go into text)`, this.columns[at] as string);
  }

  #invalid(reason: string, column: string): InvalidRow {
    return new InvalidRow(reason, { table: this.definition.name, column });
  }
}

/** Text that is the same for the same key only. */
export function keyText(key: StoredRow): string {
  if (key.length === 1 && typeof key[0] === 'string') return key[0];
  let text = '';
  for (const cell of key) {
    const part = typeof cell === 'string' ? cell : cell instanceof Uint8Array ? Buffer.from(cell).toString('latin1') : String(cell);
    text += `${part.length}:${part}`;
  }
  return text;
}
