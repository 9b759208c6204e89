import type { Metrics } from '#platform/observability';
import type { ProjectionHost } from '#platform/projections';

/** What the log tells of each append, whoever made it: actors, and the threads that bring bodies of blocks. */
export function appendMetrics(metrics: Metrics): (events: number, seconds: number) => void {
  const duration = metrics.histogram('chainfold_log_append_duration_seconds', 'From handing events to the log until they are durable.');
  const durable = metrics.counter('chainfold_log_events_total', 'Events made durable by this process.');
  return (events, seconds) => {
    duration.observe(seconds);
    durable.add(events);
  };
}

/** Lag and trouble of every projection, looked up when somebody asks. */
export function observeProjections(host: ProjectionHost, metrics: Metrics): void {
  const gauge = (name: string, help: string, valueOf: (status: ReturnType<ProjectionHost['status']>[number]) => number | null): void => {
    metrics.observed(name, help, ['projection'], () =>
      host.status().flatMap((status) => {
        const value = valueOf(status);
        return value === null ? [] : [{ value, labels: { projection: status.name } }];
      }),
    );
  };
  gauge('chainfold_projections_lag_events', 'Events of the log that the projection has not seen.', (status) => status.lagEvents);
  gauge('chainfold_projections_lag_seconds', 'How old the answers of the projection may be.', (status) => status.lagSeconds);
  gauge('chainfold_projections_parked_keys', 'Keys that wait behind an event that could not be applied. Above zero is an alarm.', (status) => status.parkedKeys);
  gauge('chainfold_projections_up', 'Whether the projection moves.', (status) => (status.state === 'live' || status.state === 'building' ? 1 : 0));
}
