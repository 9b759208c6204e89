export { OperationsModule, type OperationsOptions } from './operations.module.ts';
export type { LiveBudget } from './live-events.ts';
