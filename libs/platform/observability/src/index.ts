export * from './logger.ts';
export * from './metrics-module.ts';
export * from './metrics.ts';
export * from './nest-logger.ts';
export * from './open-log.ts';
export * from './redact-url.ts';
