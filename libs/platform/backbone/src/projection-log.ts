import type { Logger } from '#platform/observability';
import type { StateChange } from '#platform/projections';

const RESTARTS = 'It is started again by itself, with growing pauses; reads answer what was projected before.';
const STANDS_STILL = 'GET /api/v1/projections tells its last error. Rebuild it (`chainfold rebuild <name>`) once the cause is gone; events are in the log and nothing is lost.';
const PAUSED = 'It stands still until somebody resumes it: POST /api/v1/projections/<name>/resume.';

/** One line per change, as loud as it matters, with the way out where somebody has to do something. */
export function logProjectionChange(log: Pick<Logger, 'info' | 'warn' | 'error'>, { projection, state, generation, reason }: StateChange): void {
  const facts = { projection: projection ?? 'all', state, ...(generation === undefined ? {} : { generation }), ...(reason === undefined ? {} : { reason }) };
  switch (state) {
    case 'failed':
      return log.error({ ...facts, hint: STANDS_STILL }, `projection ${projection} stands still`);
    case 'paused':
      return log.warn({ ...facts, hint: PAUSED }, `projection ${projection} is paused`);
    case 'stopped':
      if (reason !== undefined) return log.error({ ...facts, hint: RESTARTS }, 'the thread of the projections stopped');
      return log.info(facts, 'the thread of the projections is closed');
    case 'started':
      return log.info(facts, 'the thread of the projections runs');
    case 'building':
    case 'live':
      return log.info(facts, `projection ${projection} is ${state}`);
  }
}
