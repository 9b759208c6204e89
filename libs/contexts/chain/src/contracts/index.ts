export * from './chain-events.v1.ts';
