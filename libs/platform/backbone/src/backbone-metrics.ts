import type { EventStore } from '#platform/event-store';
import type { Metrics } from '#platform/observability';
import type { ProjectionHost } from '#platform/projections';

/** The same store, its appends timed. */
export function observeStore(store: EventStore, metrics: Metrics): EventStore {
  const seconds = metrics.histogram('chainfold_log_append_duration_seconds', 'From handing events to the log until they are durable.');
  const events = metrics.counter('chainfold_log_events_total', 'Events made durable by this process.');
  const appendAll: EventStore['appendAll'] = async (appends) => {
    const from = performance.now();
    const appended = await store.appendAll(appends);
    seconds.observe((performance.now() - from) / 1_000);
    appends.forEach((append, index) => appended[index]?.repeated !== true && events.add(append.events.length));
    return appended;
  };
  return new Proxy(store, {
    get(target, property) {
      if (property === 'appendAll') return appendAll;
      if (property === 'append') return async (append: Parameters<EventStore['append']>[0]) => (await appendAll([append]))[0];
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
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
