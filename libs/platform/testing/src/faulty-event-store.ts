import { EventStore, IndeterminateAppend, type Append, type Appended, type Delivery, type EventFilter, type EventPage, type StreamSummary } from '#platform/event-store';
import { ChainfoldError, type Position, type RecordedEvent, type StreamName } from '#platform/kernel';

/**
 * What goes wrong with one append. lost-before: never written; lost-after: written, no answer; late: written, but only
 * when somebody appends next; repeated: an adapter sent it twice; unavailable: refused, not written; rival: somebody
 * else writes first.
 */
export type Fault = 'none' | 'lost-before' | 'lost-after' | 'late' | 'repeated' | 'unavailable' | 'rival';

/** A real store with bad luck: each append takes the next fault. Reads are never wrong, only `readsFail` on wish. */
export class FaultyEventStore extends EventStore {
  readonly identity: string;
  readsFail = false;
  /** Called for the fault `rival`, before the append. */
  rival: (append: Append) => Promise<void> = () => Promise.resolve();
  /** As the store saw them. */
  readonly appends: Append[] = [];
  /** Where set, an append waits for it first. */
  gate: Promise<void> | undefined;
  readonly #store: EventStore;
  readonly #faults: Fault[];
  #late: (readonly Append[])[] = [];

  constructor(store: EventStore, faults: readonly Fault[] = []) {
    super();
    this.#store = store;
    this.#faults = [...faults];
    this.identity = store.identity;
  }

  fail(...faults: readonly Fault[]): void {
    this.#faults.push(...faults);
  }

  async append(append: Append): Promise<Appended> {
    return (await this.appendAll([append]))[0]!;
  }

  async appendAll(appends: readonly Append[]): Promise<readonly Appended[]> {
    await this.gate;
    this.appends.push(...appends);
    await this.#land();
    const fault = this.#faults.shift() ?? 'none';
    switch (fault) {
      case 'none':
        return this.#store.appendAll(appends);
      case 'lost-before':
        throw noAnswer(appends);
      case 'lost-after':
        await this.#store.appendAll(appends);
        throw noAnswer(appends);
      case 'late':
        this.#late.push(appends);
        throw noAnswer(appends);
      case 'repeated':
        await this.#store.appendAll(appends);
        return this.#store.appendAll(appends);
      case 'unavailable':
        throw new ChainfoldError('The disk is full', { code: 'disk-full', kind: 'unavailable', retryable: true });
      case 'rival':
        for (const append of appends) await this.rival(append);
        return this.#store.appendAll(appends);
    }
  }

  readStream(stream: StreamName, from: number, limit: number): Promise<readonly RecordedEvent[]> {
    if (this.readsFail) return Promise.reject(new ChainfoldError('The log can not be read', { code: 'log-unreadable', kind: 'unavailable', retryable: true }));
    return this.#store.readStream(stream, from, limit);
  }

  lastRevision(stream: StreamName): Promise<number> {
    return this.#store.lastRevision(stream);
  }

  readAll(after: Position, filter: EventFilter, limit: number): Promise<EventPage> {
    return this.#store.readAll(after, filter, limit);
  }

  listStreams(options: { category?: string; after?: string; limit: number }): Promise<readonly StreamSummary[]> {
    return this.#store.listStreams(options);
  }

  subscribe(after: Position, filter: EventFilter, signal: AbortSignal): AsyncIterable<Delivery> {
    return this.#store.subscribe(after, filter, signal);
  }

  head(): Promise<Position> {
    return this.#store.head();
  }

  ordinal(position: Position): bigint {
    return this.#store.ordinal(position);
  }

  parsePosition(text: string): Position {
    return this.#store.parsePosition(text);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** What comes late may find its place taken; nobody is told. */
  async #land(): Promise<void> {
    const late = this.#late;
    this.#late = [];
    for (const appends of late) await this.#store.appendAll(appends).catch(() => undefined);
  }
}

function noAnswer(appends: readonly Append[]): IndeterminateAppend {
  return new IndeterminateAppend(appends.map((append) => append.stream), new Error('connection lost'));
}
