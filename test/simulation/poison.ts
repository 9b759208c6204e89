import type { RecordedEvent } from '#platform/kernel';
import type { Projection } from '#platform/projections';

/** A bug in a projection: there are events that it can not apply, in no generation, until it is corrected. */
export class Poison {
  readonly #events = new Set<string>();
  #after: number | undefined;

  arm(after: number): void {
    this.#after = after;
  }

  cure(): void {
    this.#after = undefined;
    this.#events.clear();
  }

  into(projection: Projection): Projection {
    const apply = async (...[event, batch]: Parameters<Projection['apply']>): Promise<void> => {
      await projection.apply(event, batch);
      this.#taste(event);
    };
    return { ...projection, apply };
  }

  /** After it has written its rows, which must not be seen. */
  #taste({ id }: RecordedEvent): void {
    if (this.#after === 0) this.#events.add(id);
    if (this.#after !== undefined) this.#after = this.#after === 0 ? undefined : this.#after - 1;
    if (this.#events.has(id)) throw new Error('this event is poison');
  }
}
