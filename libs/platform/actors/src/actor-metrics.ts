import type { Metrics } from '#platform/observability';
import type { ActorHooks } from './actor-hooks.ts';
import type { ActorSystem } from './actor-system.ts';

const PER_APPEND = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] as const;

/** Hooks that count into the metrics of the process; once per process. */
export function actorMetrics(metrics: Metrics): ActorHooks {
  const commands = metrics.counter('chainfold_actors_commands_total', 'Commands told, by how they ended.', ['category', 'outcome']);
  const commandSeconds = metrics.histogram('chainfold_actors_command_duration_seconds', 'From the mailbox to the answer.', ['category']);
  const appendSeconds = metrics.histogram('chainfold_actors_append_duration_seconds', 'Of an append, as the actor waits for it.', ['category']);
  const batch = metrics.histogram('chainfold_actors_append_commands', 'Commands that share an append.', ['category'], PER_APPEND);
  const events = metrics.counter('chainfold_actors_events_total', 'Events written.', ['category']);
  const conflicts = metrics.counter('chainfold_actors_conflicts_total', 'Appends that found another owner.', ['category']);
  const indeterminate = metrics.counter('chainfold_actors_indeterminate_appends_total', 'Appends that the log gave no answer to.', ['category']);
  const loadSeconds = metrics.histogram('chainfold_actors_load_duration_seconds', 'Of reading and folding a stream.', ['category']);
  const loaded = metrics.counter('chainfold_actors_loaded_events_total', 'Events read to fold streams.', ['category']);
  const snapshots = metrics.counter('chainfold_actors_snapshots_total', 'Snapshots, by what became of them.', ['category', 'outcome']);
  const passivated = metrics.counter('chainfold_actors_passivated_total', 'Actors that left memory.', ['category', 'reason']);
  const quarantines = metrics.counter('chainfold_actors_quarantines_total', 'Streams found that can not be folded. Above zero is an alarm.');
  return {
    told: (category, outcome, seconds) => {
      commands.inc({ category, outcome });
      commandSeconds.observe(seconds, { category });
    },
    appended: (category, count, written, seconds) => {
      appendSeconds.observe(seconds, { category });
      batch.observe(count, { category });
      events.add(written, { category });
    },
    conflict: (category) => conflicts.inc({ category }),
    indeterminate: (category) => indeterminate.inc({ category }),
    loaded: (category, read, seconds) => {
      loadSeconds.observe(seconds, { category });
      loaded.add(read, { category });
    },
    snapshot: (category, outcome) => snapshots.inc({ category, outcome }),
    passivated: (category, reason) => passivated.inc({ category, reason }),
    quarantined: () => quarantines.inc(),
  };
}

/** Gauges of what waits and who is in memory, looked up when somebody asks. */
export function observeDepths(metrics: Metrics, system: ActorSystem): void {
  const gauge = (name: string, help: string, field: 'resident' | 'quarantined' | 'commands' | 'bytes'): void => {
    metrics.observed(name, help, ['category'], () => system.depths().map((kind) => ({ value: kind[field], labels: { category: kind.category } })));
  };
  gauge('chainfold_actors_mailbox_commands', 'Commands that wait or are being worked on.', 'commands');
  gauge('chainfold_actors_mailbox_bytes', 'Size of those commands.', 'bytes');
  gauge('chainfold_actors_resident_actors', 'Actors in memory.', 'resident');
  gauge('chainfold_actors_quarantined_actors', 'Actors in memory whose stream can not be written.', 'quarantined');
}
