import type { Append, Appended, Delivery, EventFilter, EventPage, StreamSummary } from '#platform/event-store';
import { EventStore } from '#platform/event-store';
import type { Position, RecordedEvent, StreamName } from '#platform/kernel';

/**
 * The store as one process sees it. Dies in the middle of a chosen append, before or after it is written; whatever the
 * process still does afterwards reaches nobody, as after kill -9.
 */
export class MortalEventStore extends EventStore {
  readonly identity: string;
  readonly #store: EventStore;
  #appendsToLive: number | undefined;
  #diesWritten = false;
  #dead = false;

  constructor(store: EventStore) {
    super();
    this.#store = store;
    this.identity = store.identity;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** With append number `appends` from now, 1 being the next. */
  dieWith(appends: number, written: boolean): void {
    this.#appendsToLive = appends;
    this.#diesWritten = written;
  }

  live(): void {
    this.#appendsToLive = undefined;
  }

  die(): void {
    this.#dead = true;
  }

  async append(append: Append): Promise<Appended> {
    return (await this.appendAll([append]))[0] as Appended;
  }

  async appendAll(appends: readonly Append[]): Promise<readonly Appended[]> {
    this.#mustLive();
    if (this.#appendsToLive !== undefined) this.#appendsToLive -= 1;
    if (this.#appendsToLive === 0) {
      this.#dead = true;
      if (this.#diesWritten) await this.#store.appendAll(appends).catch(() => undefined);
    }
    this.#mustLive();
    return this.#store.appendAll(appends);
  }

  async readStream(stream: StreamName, from: number, limit: number): Promise<readonly RecordedEvent[]> {
    this.#mustLive();
    return this.#store.readStream(stream, from, limit);
  }

  async lastRevision(stream: StreamName): Promise<number> {
    this.#mustLive();
    return this.#store.lastRevision(stream);
  }

  async readAll(after: Position, filter: EventFilter, limit: number): Promise<EventPage> {
    this.#mustLive();
    return this.#store.readAll(after, filter, limit);
  }

  async listStreams(options: { category?: string; after?: string; limit: number }): Promise<readonly StreamSummary[]> {
    this.#mustLive();
    return this.#store.listStreams(options);
  }

  subscribe(after: Position, filter: EventFilter, signal: AbortSignal): AsyncIterable<Delivery> {
    return this.#store.subscribe(after, filter, signal);
  }

  async head(): Promise<Position> {
    return this.#store.head();
  }

  ordinal(position: Position): bigint {
    return this.#store.ordinal(position);
  }

  parsePosition(text: string): Position {
    return this.#store.parsePosition(text);
  }

  async close(): Promise<void> {
    this.#dead = true;
  }

  #mustLive(): void {
    if (this.#dead) throw new Error('this process is dead');
  }
}
