import { START } from '#platform/kernel';
import type { Clock, Position } from '#platform/kernel';
import type { EventReader } from '#platform/event-store';
import type { SqliteReadWriter } from '#platform/read-store';
import type { GenerationLane } from './generation-lane.ts';
import type { Projection } from './projection.port.ts';
import type { ProjectionSettings, ProjectionState, ProjectionStatus, RebuildProgress } from './projection-status.ts';

/** One projection and the generations of it that move. */
export interface ProjectionEntry {
  readonly projection: Projection;
  /** Undefined while an older version is still served, which nobody can move on. */
  live: GenerationLane | undefined;
  building: GenerationLane | undefined;
  verifying: boolean;
  heldBack: string | undefined;
}

interface ReportSources {
  readonly reader: EventReader;
  readonly store: SqliteReadWriter;
  readonly clock: Clock;
  readonly settings: ProjectionSettings;
}

/** What an operator is told: state, place and lag of a projection, beside the head of the log. */
export class ProjectionReport {
  readonly #from: ReportSources;

  constructor(from: ReportSources) {
    this.#from = from;
  }

  statusOf(entry: ProjectionEntry, head: Position): ProjectionStatus {
    const { projection, live, building } = entry;
    const generations = this.#from.store.generations(projection.name);
    const shown = generations.find((generation) => generation.state === 'live') ?? generations[generations.length - 1];
    const position = live?.position ?? shown?.position ?? START;
    return {
      name: projection.name,
      version: live?.projection.version ?? shown?.version ?? projection.version,
      generation: live?.generation ?? shown?.generation ?? 0,
      state: stateOf(live ?? building, live !== undefined),
      position,
      lagEvents: this.#lagEvents(position, head, live?.atHead ?? false),
      pausedBecause: (live ?? building)?.paused,
      lagSeconds: live?.lagSeconds ?? secondsSince(shown?.recordedAt, this.#from.clock.now()),
      parkedKeys: live?.parkedKeys ?? 0,
      rowsWritten: live?.rowsWritten ?? shown?.rowsWritten ?? 0,
      eventsApplied: live?.eventsApplied ?? shown?.events ?? 0,
      lastError: live?.trouble ?? building?.trouble,
      rebuild: building === undefined ? undefined : this.#progressOf(entry, building, head),
      generations: generations
        .filter((generation) => generation.state !== 'retiring')
        .map(({ generation, version, state, position: at, verification }) => ({ generation, version, state, position: at, verification })),
    };
  }

  #progressOf(entry: ProjectionEntry, lane: GenerationLane, headPosition: Position): RebuildProgress {
    const { reader, settings } = this.#from;
    const head = reader.ordinal(headPosition);
    const at = reader.ordinal(lane.position);
    const busy = entry.verifying ? 'verifying' : entry.heldBack === undefined ? 'catching-up' : 'held-back';
    return {
      generation: lane.generation,
      version: lane.projection.version,
      state: lane.paused !== undefined ? 'paused' : lane.failed ? 'failed' : busy,
      reason: entry.heldBack,
      position: lane.position,
      progress: settings.countablePositions ? (head === 0n ? 1 : Math.min(1, Number(at) / Number(head))) : null,
      eventsApplied: lane.eventsApplied,
      parkedKeys: lane.parkedKeys,
      startedAt: lane.createdAt,
    };
  }

  #lagEvents(position: Position, head: Position, atHead: boolean): number | null {
    if (!this.#from.settings.countablePositions) return atHead ? 0 : null;
    const { reader } = this.#from;
    return Math.max(0, Number(reader.ordinal(head) - reader.ordinal(position)));
  }
}

function stateOf(lane: GenerationLane | undefined, isLive: boolean): ProjectionState {
  if (lane?.paused !== undefined) return 'paused';
  if (lane?.failed === true) return 'failed';
  return isLive && lane?.hasCaughtUp === true ? 'live' : 'building';
}

function secondsSince(time: string | undefined, now: number): number {
  return time === undefined ? 0 : Math.max(0, (now - Date.parse(time)) / 1000);
}
