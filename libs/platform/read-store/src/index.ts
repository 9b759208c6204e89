export * from './content.ts';
export * from './generation.ts';
export { isTransientSqlite, sqliteCode } from './read-database.ts';
export * from './read-store.errors.ts';
export * from './read-store.port.ts';
export * from './sqlite.read-store.ts';
export * from './sqlite.read-writer.ts';
export { keyText, TableShape } from './table-shape.ts';
export type { StoredCell, StoredRow } from './table-shape.ts';
