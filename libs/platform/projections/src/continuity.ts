import { categoryOf } from '#platform/kernel';
import type { RecordedEvent } from '#platform/kernel';
import type { EventReader } from '#platform/event-store';
import { GapDetected } from './projection.errors.ts';
import type { Projection } from './projection.port.ts';

/** Streams of an unfiltered projection that are watched in memory only; the oldest are forgotten. */
const MAX_WATCHED = 10_000;

/**
 * Watches that no revision of a stream is missing. Declared categories are remembered for ever (`changed` goes into the
 * commit); of a projection that reads every type, the streams seen last. A jump is checked against the stream itself,
 * so an event of a type that the projection does not read is no alarm.
 */
export class Continuity {
  readonly #projection: Projection;
  readonly #reader: EventReader;
  readonly #durable: Map<string, number>;
  readonly #recent = new Map<string, number>();
  #changed = new Map<string, number>();

  constructor(projection: Projection, reader: EventReader, durable: Map<string, number>) {
    this.#projection = projection;
    this.#reader = reader;
    this.#durable = durable;
  }

  /** Throws `gap-detected`. Answers at once (undefined) unless the stream itself has to be asked. */
  see(event: RecordedEvent): Promise<void> | undefined {
    const { stream, revision } = event;
    const declared = this.#projection.gapless?.includes(categoryOf(stream)) ?? false;
    if (!declared && this.#projection.types.length > 0) return undefined;
    const last = this.#durable.get(stream) ?? this.#recent.get(stream) ?? (declared ? -1 : revision - 1);
    if (declared) {
      this.#durable.set(stream, Math.max(last, revision));
      this.#changed.set(stream, Math.max(last, revision));
    } else {
      this.#remember(stream, Math.max(last, revision));
    }
    return revision > last + 1 ? this.#mustBeOthers(event, last + 1) : undefined;
  }

  /** Revisions to be written with the batch; asked once per commit. */
  takeChanged(): ReadonlyMap<string, number> {
    const changed = this.#changed;
    this.#changed = new Map();
    return changed;
  }

  async #mustBeOthers(event: RecordedEvent, expected: number): Promise<void> {
    const { types, name } = this.#projection;
    for (let from = expected; from < event.revision; ) {
      const missed = await this.#reader.readStream(event.stream, from, Math.min(256, event.revision - from));
      const read = missed.find((other) => types.length === 0 || types.includes(other.type));
      if (missed.length === 0 || read !== undefined) {
        throw new GapDetected({ stream: event.stream, expected: read?.revision ?? from, found: event.revision, projection: name });
      }
      from = (missed.at(-1) as RecordedEvent).revision + 1;
    }
  }

  #remember(stream: string, revision: number): void {
    this.#recent.delete(stream);
    this.#recent.set(stream, revision);
    if (this.#recent.size > MAX_WATCHED) this.#recent.delete(this.#recent.keys().next().value as string);
  }
}
