import { categoryOf, DROPPED, type RecordedEvent, type UpcastEvent, type Upcasters } from '#platform/kernel';
import type { EventFilter } from './event-store.port.ts';

/** Turns events as stored into those of today, on reading. Where nothing is registered events pass as they are. */
export class Upcasting {
  readonly #upcasters: Upcasters;
  readonly #types: ReadonlySet<string>;

  constructor(upcasters: Upcasters = {}) {
    this.#upcasters = upcasters;
    this.#types = new Set(Object.values(upcasters).flatMap((types) => Object.keys(types)));
  }

  /** What has to be read of the log to see all that matches: a wanted event may be stored under an older name. */
  stored(filter: EventFilter): EventFilter {
    return filter.types === undefined || this.#types.size === 0 ? filter : { ...filter, types: [...filter.types, ...this.#types] };
  }

  /** The events of today, of the wanted types. Those that one was split into follow each other in its place. */
  events(stored: readonly RecordedEvent[], { types }: EventFilter = {}): readonly RecordedEvent[] {
    if (this.#types.size === 0) return stored;
    const events = stored.flatMap((event) => (this.#types.has(event.type) ? this.#upcast(event) : event));
    return types === undefined ? events : events.filter(({ type }) => types.includes(type));
  }

  #upcast(event: RecordedEvent): RecordedEvent[] {
    const next = this.#upcasters[categoryOf(event.stream)]?.[event.type]?.[event.schemaVersion];
    if (next === undefined) return [event];
    const shapes = next(event.data);
    if (shapes.length === 0) return [{ ...event, ...NOTHING }];
    return shapes.flatMap((shape) => this.#upcast({ ...event, ...shape }));
  }
}

const NOTHING: UpcastEvent = { type: DROPPED, schemaVersion: 1, data: {} };
