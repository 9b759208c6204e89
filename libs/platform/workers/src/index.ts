export { errorMessage } from './error-schema.ts';
export type { Agreement } from './agreement.ts';
export { MessageBody } from './message-body.ts';
export { OwnerConnection } from './owner-connection.ts';
export { Attachments, Worker } from './worker-guard.ts';
export type { WorkerSession } from './worker-session.ts';
export { WorkersDoor } from './workers-door.ts';
export { OwnerUnknown } from './workers.errors.ts';
export { workersSettings } from './workers.settings.ts';
