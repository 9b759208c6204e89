import { ChainfoldError } from '#platform/kernel';
import type { Clock, Position } from '#platform/kernel';
import type { EventReader } from '#platform/event-store';
import { TableShape } from '#platform/read-store';
import type { Checkpoint, Generation, ParkedEvent, SkippedEvent, SqliteReadWriter } from '#platform/read-store';
import { Continuity } from './continuity.ts';
import type { Projection } from './projection.port.ts';
import type { ProjectionSettings } from './projection-status.ts';
import { RowBatch } from './row-batch.ts';

/** What a generation works with, whoever drives it. */
export interface GenerationParts {
  readonly reader: EventReader;
  readonly store: SqliteReadWriter;
  readonly clock: Clock;
  readonly settings: ProjectionSettings;
}

export interface LedgerEntry {
  readonly position: Position;
  readonly events: number;
  readonly recordedAt: string | undefined;
  readonly batch: RowBatch;
  readonly parked?: readonly ParkedEvent[];
  readonly unparked?: readonly ParkedEvent[];
  readonly skipped?: readonly SkippedEvent[];
}

/** Place, counts, parked and skipped events of one generation as its last commit left them. Only here it commits. */
export class GenerationLedger {
  readonly projection: Projection;
  readonly parts: GenerationParts;
  readonly identity: Generation;
  readonly #shapes: ReadonlyMap<string, TableShape>;
  readonly #onCommitted: () => void;
  #checkpoint: Checkpoint;
  #continuity: Continuity;
  #lastRecordedAt: string | undefined;
  #rowsWritten: number;
  #events: number;
  parkedKeys = new Set<string>();
  skippedPositions = new Set<Position>();

  constructor(projection: Projection, identity: Generation, parts: GenerationParts, onCommitted: () => void) {
    this.projection = projection;
    this.identity = identity;
    this.parts = parts;
    this.#shapes = new Map(projection.tables.map((table) => [table.name, new TableShape(projection.name, table)]));
    this.#onCommitted = onCommitted;
    this.#checkpoint = identity;
    this.#continuity = new Continuity(projection, parts.reader, new Map());
    this.#lastRecordedAt = identity.recordedAt;
    this.#rowsWritten = identity.rowsWritten;
    this.#events = identity.events;
  }

  get position(): Position {
    return this.#checkpoint.position;
  }
  get continuity(): Continuity {
    return this.#continuity;
  }
  get lastRecordedAt(): string | undefined {
    return this.#lastRecordedAt;
  }
  get rowsWritten(): number {
    return this.#rowsWritten;
  }
  get events(): number {
    return this.#events;
  }

  /** What the store knows is the truth: after a failure nothing that was in memory is trusted. */
  load(): void {
    const { store, reader } = this.parts;
    const generation = store.generation(this.identity);
    if (generation === undefined) {
      const facts = { projection: this.projection.name, generation: this.identity.generation };
      throw new ChainfoldError('The generation is gone', { code: 'no-such-generation', kind: 'missing', facts });
    }
    this.#checkpoint = generation;
    this.parkedKeys = new Set(store.parkedKeys(generation));
    this.skippedPositions = new Set(store.skipped(generation).map((event) => event.position));
    this.#continuity = new Continuity(this.projection, reader, store.lastRevisions(generation));
  }

  batch(): RowBatch {
    return new RowBatch(this.#shapes, (table, key) => this.parts.store.get(this.identity, table, key));
  }

  parked(key?: string): readonly ParkedEvent[] {
    return this.parts.store.parked(this.identity, key);
  }

  /** Throws `checkpoint-moved`, and then nothing was written. */
  commit({ batch, ...entry }: LedgerEntry): void {
    const revisions = this.#continuity.takeChanged();
    const writes = batch.rows + (entry.parked?.length ?? 0) + (entry.unparked?.length ?? 0) + revisions.size;
    if (writes === 0 && entry.position === this.position) return;
    const { store } = this.parts;
    this.#checkpoint = store.commit(this.identity, { ...entry, expected: this.#checkpoint, changes: batch.changes, revisions });
    this.#rowsWritten += batch.rows;
    this.#events += entry.events;
    this.#lastRecordedAt = entry.recordedAt ?? this.#lastRecordedAt;
    this.#onCommitted();
  }
}
