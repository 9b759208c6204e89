export * from './faulty-event-store.ts';
export * from './fixtures.ts';
export * from './given.ts';
export * from './manual-clock.ts';
export * from './projected.ts';
export * from './projection-laws.ts';
export * from './tally.decider.ts';
export { countings, tally } from './tally.projection.ts';
