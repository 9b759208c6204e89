import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Position, RecordedEvent } from '#platform/kernel';
import type { Delivery, EventFilter, EventReader } from '#platform/event-store';

export interface EventBatch {
  readonly events: readonly RecordedEvent[];
  /** Everything up to here was seen once the events are applied. */
  readonly next: Position;
  /** Nothing stood after `next` when this was read. */
  readonly atHead: boolean;
}

/**
 * Where a projection takes its events from: pages while it is behind, the log's subscription at the head. Each change
 * over starts after the last position handed out, so nothing is missed or repeated.
 */
export class EventSource {
  readonly #reader: EventReader;
  readonly #filter: EventFilter;
  #following: Following | undefined;

  constructor(reader: EventReader, filter: EventFilter) {
    this.#reader = reader;
    this.#filter = filter;
  }

  async page(after: Position, limit: number): Promise<EventBatch> {
    this.stopFollowing();
    return this.#reader.readAll(after, this.#filter, limit);
  }

  /** Waits for news after `after`; undefined when `interrupted` settles first. Must be called again with the `next` it answered. */
  async follow(after: Position, limit: number, interrupted: Promise<void>): Promise<EventBatch | undefined> {
    if (this.#following !== undefined && this.#following.after !== after) this.stopFollowing();
    this.#following ??= new Following(this.#reader, this.#filter, after);
    return this.#following.take(limit, interrupted);
  }

  stopFollowing(): void {
    this.#following?.stop();
    this.#following = undefined;
  }
}

class Following {
  after: Position;
  readonly #abort = new AbortController();
  readonly #deliveries: AsyncIterator<Delivery>;
  #pending: Promise<IteratorResult<Delivery>> | undefined;

  constructor(reader: EventReader, filter: EventFilter, after: Position) {
    this.after = after;
    this.#deliveries = reader.subscribe(after, filter, this.#abort.signal)[Symbol.asyncIterator]();
  }

  async take(limit: number, interrupted: Promise<void>): Promise<EventBatch | undefined> {
    if (!(await this.#arrived(interrupted))) return undefined;
    const events: RecordedEvent[] = [];
    let atHead = false;
    let torn = false;
    let next = this.after;
    do {
      this.#pending ??= this.#deliveries.next();
      const { value, done } = await (this.#pending as Promise<IteratorResult<Delivery, undefined>>);
      this.#pending = undefined;
      if (done === true || value === undefined) throw new Error('the subscription of the log ended by itself');
      if (value.kind === 'event') events.push(value.event);
      next = value.kind === 'event' ? value.event.position : value.position;
      atHead = value.kind === 'caughtUp';
      // A place is seen only with all that stands there.
      torn = value.kind === 'event' && value.more === true;
    } while (torn || (!atHead && events.length < limit && (await this.#arrived(nextTurn()))));
    this.after = next;
    return { events, next, atHead: atHead || events.length < limit };
  }

  stop(): void {
    this.#abort.abort();
    this.#pending?.catch(() => undefined);
    this.#deliveries.return?.().catch(() => undefined);
  }

  async #arrived(unless: Promise<void>): Promise<boolean> {
    this.#pending ??= this.#deliveries.next();
    return Promise.race([this.#pending.then(() => true), unless.then(() => false)]);
  }
}
