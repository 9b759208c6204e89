export * from './actors.port.ts';
