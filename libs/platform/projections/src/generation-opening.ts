import type { Position } from '#platform/kernel';
import type { EventReader } from '#platform/event-store';
import { isAtOrAbove } from '#platform/read-store';
import type { Generation, SqliteReadWriter } from '#platform/read-store';
import type { Projection } from './projection.port.ts';

/** Which generations a projection starts with. Without a live one here, an older version is served that nobody can move on. */
export interface Standing {
  readonly live: Generation | undefined;
  readonly building: Generation | undefined;
}

/** Finds the generations of a projection that are worth something to this code and this log, and makes what is missing. */
export class GenerationOpening {
  readonly #store: SqliteReadWriter;
  readonly #reader: EventReader;

  constructor(store: SqliteReadWriter, reader: EventReader) {
    this.#store = store;
    this.#reader = reader;
  }

  open(projection: Projection, head: Position): Standing {
    const store = this.#store;
    for (const generation of store.generations(projection.name)) this.#dropIfUseless(projection, generation, head);
    const standing = store.generations(projection.name);
    const live = standing.find((generation) => generation.state === 'live');
    const building = standing.find((generation) => generation.state === 'building');
    if (live !== undefined && this.fits(projection, live, head)) return { live, building };
    const kept = standing.find((generation) => generation.state === 'kept' && this.fits(projection, generation, head));
    if (building === undefined && kept !== undefined) store.setState(kept, 'kept', 'building');
    const next = building ?? kept ?? this.create(projection, live === undefined ? 'live' : 'building');
    if (live !== undefined) return { live: undefined, building: next };
    if (next.state !== 'live') store.swap(next, undefined);
    return { live: next, building: undefined };
  }

  create(projection: Projection, state: 'live' | 'building'): Generation {
    const { name, version, tables } = projection;
    return this.#store.create(name, { version, log: this.#reader.identity, tables, state });
  }

  /** Same version, same tables, same log. */
  fits(projection: Projection, generation: Generation, head: Position): boolean {
    return (
      this.#isOfThisLog(generation, head) &&
      generation.version === projection.version &&
      JSON.stringify(generation.tables) === JSON.stringify(projection.tables)
    );
  }

  /** Data of another log, or from beyond the end of this one, is no answer to anything; nor is a half-built other version. */
  #dropIfUseless(projection: Projection, generation: Generation, head: Position): void {
    const { state } = generation;
    if (state === 'retiring') return;
    const useless = !this.#isOfThisLog(generation, head) || (state === 'building' && !this.fits(projection, generation, head));
    if (useless) this.#store.setState(generation, state, 'retiring');
  }

  #isOfThisLog(generation: Generation, head: Position): boolean {
    return generation.log === this.#reader.identity && isAtOrAbove(head, generation.position);
  }
}
