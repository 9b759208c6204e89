import { join, resolve } from 'node:path';
import { actorMetrics, ActorSystem, observeDepths, SqliteSnapshotStore } from '#platform/actors';
import { openSqliteEventStore, type EventStore, type EventVersions } from '#platform/event-store';
import type { Upcasters } from '#platform/kernel';
import { processMetrics } from '#platform/observability';
import { ProjectionHost } from '#platform/projections';
import { SqliteReadStore } from '#platform/read-store';
import type { Boot } from '#platform/runtime';
import { appendMetrics, observeProjections } from './backbone-metrics.ts';
import { logProjectionChange } from './projection-log.ts';

export interface BackboneOptions {
  /** URLs of the modules that hold the projections of the program's contexts. */
  readonly projections: readonly string[];
  /** Of the same contexts; their projections' modules export them too, for the thread that runs these. */
  readonly upcasters: Upcasters;
  /** Of every event that these contexts write. */
  readonly versions: EventVersions;
}

const READ_FILE = 'read.db';
const SNAPSHOT_FILE = 'snapshots.db';
const MAILBOXES_FINISH_WITHIN_MS = 5_000;

/** What every context of an embedded program stands on: the one log, its actors, the projections and what they wrote. */
export class Backbone {
  readonly store: EventStore;
  readonly actors: ActorSystem;
  readonly projections: ProjectionHost;
  readonly reads: SqliteReadStore;

  private constructor(store: EventStore, actors: ActorSystem, projections: ProjectionHost, reads: SqliteReadStore) {
    this.store = store;
    this.actors = actors;
    this.projections = projections;
    this.reads = reads;
  }

  /** Opens the files of the data directory, which is ours already, and puts every part under the program's lifecycle. */
  static async open({ settings, clock, log, lifecycle, health }: Boot<unknown>, options: BackboneOptions): Promise<Backbone> {
    const directory = resolve(settings.data.dir);
    const store = await openSqliteEventStore({ directory, upcasters: options.upcasters, versions: options.versions, onAppended: appendMetrics(processMetrics) });
    lifecycle.add({ name: 'event log', phase: 'files', stop: () => store.close() });
    const snapshots = new SqliteSnapshotStore(join(directory, SNAPSHOT_FILE));
    lifecycle.add({ name: 'snapshots', phase: 'files', stop: () => snapshots.close() });
    const reads = new SqliteReadStore(join(directory, READ_FILE));
    lifecycle.add({ name: 'read store', phase: 'files', stop: () => reads.close() });

    const actors = new ActorSystem({ store, clock, snapshots, hooks: actorMetrics(processMetrics), logger: log });
    observeDepths(processMetrics, actors);
    lifecycle.add({ name: 'actors', phase: 'actors', stop: async () => void (await actors.drain(MAILBOXES_FINISH_WITHIN_MS)) });

    const projections = new ProjectionHost({
      logDirectory: directory,
      readFile: reads.file,
      modules: options.projections,
      clock,
      onProgress: (projection, position) => reads.advanced(projection, position),
      onStateChange: (change) => logProjectionChange(log, change),
    });
    observeProjections(projections, processMetrics);
    lifecycle.add({ name: 'projections', phase: 'projections', start: () => projections.start(), stop: () => projections.close() });
    health.add('projections', () => {
      const { ready, reasons } = projections.readiness();
      return ready ? { status: 'up' } : { status: 'down', reason: reasons.join(' ') };
    });
    return new Backbone(store, actors, projections, reads);
  }
}
