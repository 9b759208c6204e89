export * from './fixtures.ts';
export * from './given.ts';
export * from './manual-clock.ts';
