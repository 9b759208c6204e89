import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { GenerationRef } from './generation.ts';
import type { TableDefinition } from './read-store.port.ts';
import { physicalName } from './table-shape.ts';

const PAGE_ROWS = 500;

/** All rows of a generation as lines, in the order of their keys, a page at a time: the same content, the same lines. */
export function* contentPages(db: DatabaseSync, ref: GenerationRef, tables: readonly TableDefinition[]): Generator<ContentPage> {
  for (const table of [...tables].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const columns = Object.keys(table.columns).sort();
    const key = table.key.map((column) => `"${column}"`).join(', ');
    const from = `SELECT ${[...columns, ...table.key].map((column) => `"${column}"`).join(', ')} FROM ${physicalName(ref.projection, ref.generation, table.name)}`;
    const first = db.prepare(`${from} ORDER BY ${key} LIMIT ${PAGE_ROWS}`);
    const next = db.prepare(`${from} WHERE (${key}) > (${table.key.map(() => '?').join(', ')}) ORDER BY ${key} LIMIT ${PAGE_ROWS}`);
    for (const statement of [first, next]) {
      statement.setReturnArrays(true);
      statement.setReadBigInts(true);
    }
    let rows = first.all() as unknown as Stored[][];
    while (rows.length > 0) {
      yield { table: table.name, lines: rows.map((row) => `${table.name} ${JSON.stringify(row.slice(0, columns.length).map(printable))}\n`) };
      const last = (rows[rows.length - 1] as Stored[]).slice(columns.length);
      rows = next.all(...last) as unknown as Stored[][];
    }
  }
}

export interface ContentPage {
  readonly table: string;
  readonly lines: readonly string[];
}

export interface Content {
  readonly rows: { readonly [table: string]: number };
  readonly hash: string;
}

/** Counts and hashes page by page; yields between pages, so that a thread can do other work meanwhile. */
export function* hashContent(db: DatabaseSync, ref: GenerationRef, tables: readonly TableDefinition[]): Generator<void, Content> {
  const hash = createHash('sha256');
  const rows: Record<string, number> = Object.fromEntries(tables.map((table) => [table.name, 0]));
  for (const page of contentPages(db, ref, tables)) {
    for (const line of page.lines) hash.update(line);
    rows[page.table] = (rows[page.table] ?? 0) + page.lines.length;
    yield;
  }
  return { rows, hash: hash.digest('hex') };
}

type Stored = string | bigint | Uint8Array | null;

function printable(cell: Stored): string | null {
  if (cell === null) return null;
  if (typeof cell === 'bigint') return `i${cell}`;
  return typeof cell === 'string' ? `t${cell}` : `b${Buffer.from(cell).toString('hex')}`;
}
