export { prepareEvent, type PreparedEvent } from './append-text.ts';
export * from './data-directory.ts';
export * from './data.errors.ts';
export * from './event-store.errors.ts';
export * from './event-store.port.ts';
export { MemoryEventStore, openMemoryEventStore } from './memory.event-store.ts';
export { openSqliteEventReader, SqliteEventReader, type SqliteEventReaderOptions } from './sqlite.event-reader.ts';
export { openSqliteEventStore, SqliteEventStore, type SqliteEventStoreOptions } from './sqlite.event-store.ts';
