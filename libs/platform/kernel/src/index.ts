export * from './brand.ts';
export * from './clock.ts';
export * from './decider.ts';
export * from './errors.ts';
export * from './event.ts';
export * from './json.ts';
export * from './stream-name.ts';
export * from './unreachable.ts';
