export * from './projection.port.ts';
