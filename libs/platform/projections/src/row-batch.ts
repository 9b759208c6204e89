import { InvalidRow, keyText } from '#platform/read-store';
import type { Row, RowChange, StoredRow, TableDefinition, TableShape } from '#platform/read-store';
import type { ProjectionBatch } from './projection.port.ts';

/** Reads a row as the last commit left it. */
export type ReadRow = (table: TableDefinition, key: StoredRow) => StoredRow | undefined;

/**
 * Rows of one batch before they are written: only the last state of each row goes to the table, and what a failing
 * event wrote can be taken back.
 */
export class RowBatch implements ProjectionBatch {
  readonly #shapes: ReadonlyMap<string, TableShape>;
  readonly #read: ReadRow;
  readonly #changes = new Map<string, Map<string, RowChange>>();
  #undo: { readonly table: Map<string, RowChange>; readonly key: string; readonly before: RowChange | undefined }[] = [];
  #rows = 0;

  constructor(shapes: ReadonlyMap<string, TableShape>, read: ReadRow) {
    this.#shapes = shapes;
    this.#read = read;
  }

  /** Rows that a commit writes. */
  get rows(): number {
    return this.#rows;
  }

  get changes(): ReadonlyMap<string, Iterable<RowChange>> {
    return new Map([...this.#changes].map(([table, rows]) => [table, rows.values()]));
  }

  put(table: string, row: Row): void {
    const shape = this.#shape(table);
    const stored = shape.store(row);
    this.#set(table, { key: shape.keyOf(stored), row: stored });
  }

  delete(table: string, key: Row): void {
    this.#set(table, { key: this.#shape(table).storeKey(key), row: undefined });
  }

  get(table: string, key: Row): Row | undefined {
    const shape = this.#shape(table);
    const stored = shape.storeKey(key);
    const changed = this.#changes.get(table)?.get(keyText(stored));
    const row = changed === undefined ? this.#read(shape.definition, stored) : changed.row;
    return row === undefined ? undefined : shape.load(row);
  }

  /** The event was applied: its rows stay. */
  settle(): void {
    this.#undo.length = 0;
  }

  /** The event failed: as if it had never been applied. */
  takeBack(): void {
    for (const { table, key, before } of this.#undo.reverse()) {
      if (before !== undefined) table.set(key, before);
      else if (table.delete(key)) this.#rows -= 1;
    }
    this.#undo = [];
  }

  #set(name: string, change: RowChange): void {
    let table = this.#changes.get(name);
    if (table === undefined) this.#changes.set(name, (table = new Map<string, RowChange>()));
    const key = keyText(change.key);
    const before = table.get(key);
    if (before === undefined) this.#rows += 1;
    this.#undo.push({ table, key, before });
    table.set(key, change);
  }

  #shape(table: string): TableShape {
    const shape = this.#shapes.get(table);
    if (shape === undefined) throw new InvalidRow('the projection has no such table', { table });
    return shape;
  }
}
