import type { Append, Appended, Delivery, EventFilter, EventPage, StreamSummary } from '#platform/event-store';
import { EventStore } from '#platform/event-store';
import type { Position, RecordedEvent, StreamName } from '#platform/kernel';
import type { Mortality } from './mortality.ts';
import { DeadProcess } from './mortality.ts';

/** The store as one process sees it, which may die before or after an append is written. */
export class MortalEventStore extends EventStore {
  readonly identity: string;
  readonly #store: EventStore;
  readonly #life: Mortality;
  #subscriptions = 0;

  constructor(store: EventStore, life: Mortality) {
    super();
    this.#store = store;
    this.#life = life;
    this.identity = store.identity;
  }

  /** How many are being read now. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  async append(append: Append): Promise<Appended> {
    return (await this.appendAll([append]))[0] as Appended;
  }

  async appendAll(appends: readonly Append[]): Promise<readonly Appended[]> {
    const reached = this.#life.reach('append');
    if (reached === 'lives') return this.#store.appendAll(appends);
    await this.#store.appendAll(appends).catch(() => undefined);
    throw new DeadProcess();
  }

  async readStream(stream: StreamName, from: number, limit: number): Promise<readonly RecordedEvent[]> {
    this.#life.mustLive();
    return this.#store.readStream(stream, from, limit);
  }

  async lastRevision(stream: StreamName): Promise<number> {
    this.#life.mustLive();
    return this.#store.lastRevision(stream);
  }

  async readAll(after: Position, filter: EventFilter, limit: number): Promise<EventPage> {
    this.#life.mustLive();
    return this.#store.readAll(after, filter, limit);
  }

  async listStreams(options: { category?: string; after?: string; limit: number }): Promise<readonly StreamSummary[]> {
    this.#life.mustLive();
    return this.#store.listStreams(options);
  }

  subscribe(after: Position, filter: EventFilter, signal: AbortSignal): AsyncIterable<Delivery> {
    return this.#counted(this.#store.subscribe(after, filter, signal));
  }

  async head(): Promise<Position> {
    this.#life.mustLive();
    return this.#store.head();
  }

  ordinal(position: Position): bigint {
    return this.#store.ordinal(position);
  }

  parsePosition(text: string): Position {
    return this.#store.parsePosition(text);
  }

  async close(): Promise<void> {
    this.#life.die();
  }

  async *#counted(deliveries: AsyncIterable<Delivery>): AsyncGenerator<Delivery, void, void> {
    this.#subscriptions += 1;
    try {
      yield* deliveries;
    } finally {
      this.#subscriptions -= 1;
    }
  }
}
