export * from './read-store.port.ts';
