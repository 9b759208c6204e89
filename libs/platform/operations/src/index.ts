export { answerLines } from './line-answer.ts';
export type { LiveBudget } from './live-events.ts';
export { OperationsModule, type OperationsOptions } from './operations.module.ts';
