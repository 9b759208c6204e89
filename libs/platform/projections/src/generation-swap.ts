import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import { START } from '#platform/kernel';
import type { Position } from '#platform/kernel';
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
    const movable = live !== undefined && canMove(live) ? live : undefined;
    const moment = await this.#together(movable, lane, () => ({ db: this.#store.snapshot(), position: lane.position }));
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
    await this.#together(live, lane, () => {
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

  /**
   * Both stand still at the same position while `fn` runs. Where the live one can not move only the other does, at or
   * after what readers have seen, so that it never falls back under them.
   */
  async #together<T>(live: GenerationLane | undefined, lane: GenerationLane, fn: () => T): Promise<T> {
    if (live === undefined) return lane.exclusive(fn);
    if (canMove(live)) {
      return live.exclusive(() =>
        lane.exclusive(async () => {
          const target = isAtOrAbove(live.position, lane.position) ? live.position : lane.position;
          await live.advanceTo(target);
          await lane.advanceTo(target);
          return fn();
        }),
      );
    }
    return lane.exclusive(async () => {
      for (let seen = this.#seen(live); !isAtOrAbove(lane.position, seen); seen = this.#seen(live)) await lane.advanceTo(seen);
      return fn();
    });
  }

  /** From its rows: one in trouble may not know what it wrote. */
  #seen({ projection, generation }: GenerationLane): Position {
    return this.#store.generation({ projection: projection.name, generation })?.position ?? START;
  }
}

function canMove({ trouble, paused }: GenerationLane): boolean {
  return trouble === undefined && paused === undefined;
}
