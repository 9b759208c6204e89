export * from './projection.errors.ts';
export * from './projection.port.ts';
export * from './projection-host.ts';
export * from './projection-runner.ts';
export * from './projection-status.ts';
