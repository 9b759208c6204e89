import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import { hashContent, isAtOrAbove } from '#platform/read-store';
import type { Content, SqliteReadWriter, Verification } from '#platform/read-store';
import type { GenerationLane } from './generation-lane.ts';

/** Verifies a generation that has caught up and puts it in the place of the live one. */
export class GenerationSwap {
  readonly #store: SqliteReadWriter;
  readonly #closing: AbortSignal;

  constructor(store: SqliteReadWriter, closing: AbortSignal) {
    this.#store = store;
    this.#closing = closing;
  }

  /** Counts and hashes the content, and that of the live one at the very same position where it can move there. */
  async verify(live: GenerationLane | undefined, lane: GenerationLane): Promise<Verification> {
    const movable = canMove(live) ? live : undefined;
    const moment = await together(movable, lane, () => ({ db: this.#store.snapshot(), position: lane.position }));
    try {
      const content = await this.#hash(moment.db, lane);
      const compared = movable === undefined ? undefined : await this.#hash(moment.db, movable);
      const verdict = compared === undefined ? 'not-compared' : compared.hash === content.hash ? 'same' : 'differs';
      return { position: moment.position, ...content, verdict, ...(compared === undefined ? {} : { liveHash: compared.hash }) };
    } finally {
      moment.db.close();
    }
  }

  /** One step, at one position; `swapped` runs before either goes on. */
  async swap(live: GenerationLane | undefined, lane: GenerationLane, verification: Verification, swapped: () => void): Promise<void> {
    await together(live, lane, () => {
      this.#store.swap({ projection: lane.projection.name, generation: lane.generation }, verification);
      swapped();
    });
  }

  /** A page at a time, so that live projections of this thread stay fresh. */
  async #hash(db: DatabaseSync, { projection, generation }: GenerationLane): Promise<Content> {
    const pages = hashContent(db, { projection: projection.name, generation }, projection.tables);
    for (let page = pages.next(); ; page = pages.next()) {
      if (page.done === true) return page.value;
      if (this.#closing.aborted) throw new Error('closing');
      await nextTurn();
    }
  }
}

function canMove(live: GenerationLane | undefined): live is GenerationLane {
  return live !== undefined && live.trouble === undefined && live.paused === undefined;
}

/** Both stand still at the same position while `fn` runs; without a live one that can move, only the other does. */
async function together<T>(live: GenerationLane | undefined, lane: GenerationLane, fn: () => T): Promise<T> {
  if (!canMove(live)) return lane.exclusive(fn);
  return live.exclusive(() =>
    lane.exclusive(async () => {
      const target = isAtOrAbove(live.position, lane.position) ? live.position : lane.position;
      await live.advanceTo(target);
      await lane.advanceTo(target);
      return fn();
    }),
  );
}
