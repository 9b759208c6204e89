export { answerLines } from './line-answer.ts';
export type { LiveBudget } from './live-events.ts';
export { HealthModule } from './health.module.ts';
export { OperationsModule, type OperationsOptions } from './operations.module.ts';
