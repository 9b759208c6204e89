import { randomBytes } from 'node:crypto';
import { categoryOf, type Position, type RecordedEvent, type StreamName, type Upcasters } from '#platform/kernel';
import { readEvents, readIds, writeAppend } from './append-text.ts';
import { judgeAppend } from './append-verdict.ts';
import { EventStoreClosed, PositionAhead, RevisionConflict } from './event-store.errors.ts';
import { type Append, type Appended, type Delivery, type EventFilter, type EventPage, EventStore, type StreamSummary } from './event-store.port.ts';
import { LogPositions } from './log-positions.ts';
import { followLog, LogBell, type NumberedPage } from './log-subscription.ts';
import { Upcasting } from './upcasting.ts';

/** The whole log in memory, gone with the process. The same promises as every adapter, but for durability. */
export function openMemoryEventStore(upcasters?: Upcasters): MemoryEventStore {
  return new MemoryEventStore(`x${randomBytes(8).toString('hex')}`, upcasters);
}

export class MemoryEventStore extends EventStore {
  readonly identity: string;
  readonly #positions: LogPositions;
  readonly #upcasting: Upcasting;
  readonly #bell = new LogBell();
  /** The event at position n stands at n - 1. */
  readonly #log: RecordedEvent[] = [];
  readonly #streams = new Map<StreamName, RecordedEvent[]>();

  constructor(identity: string, upcasters?: Upcasters) {
    super();
    this.identity = identity;
    this.#positions = new LogPositions(identity);
    this.#upcasting = new Upcasting(upcasters);
  }

  async append(append: Append): Promise<Appended> {
    return (await this.appendAll([append]))[0]!;
  }

  async appendAll(appends: readonly Append[]): Promise<readonly Appended[]> {
    this.#mustBeOpen();
    const texts = appends.map(writeAppend);
    const length = this.#log.length;
    const answers: Appended[] = [];
    try {
      for (const text of texts) answers.push(this.#appendOne(text));
    } catch (error) {
      this.#cutBackTo(length);
      throw error;
    }
    if (this.#log.length > length) this.#bell.ring();
    return answers;
  }

  async readStream(stream: StreamName, from: number, limit: number): Promise<readonly RecordedEvent[]> {
    this.#mustBeOpen();
    const first = Math.max(0, from);
    return this.#upcasting.events((this.#streams.get(stream) ?? []).slice(first, first + limit));
  }

  async lastRevision(stream: StreamName): Promise<number> {
    this.#mustBeOpen();
    return this.#last(stream);
  }

  async readAll(after: Position, filter: EventFilter, limit: number): Promise<EventPage> {
    const page = this.#page(this.#positions.numberOf(after), filter, limit);
    return { ...page, next: this.#positions.at(page.next) };
  }

  async listStreams(options: { category?: string; after?: string; limit: number }): Promise<readonly StreamSummary[]> {
    this.#mustBeOpen();
    const { category, after = '', limit } = options;
    return [...this.#streams.keys()]
      .filter((stream) => stream > after && (category === undefined || categoryOf(stream) === category))
      .sort()
      .slice(0, limit)
      .map((stream) => ({ stream, lastRevision: this.#last(stream) }));
  }

  subscribe(after: Position, filter: EventFilter, signal: AbortSignal): AsyncIterable<Delivery> {
    this.#mustBeOpen();
    const from = this.#positions.numberOf(after);
    this.#mustReach(from);
    const log = { positions: this.#positions, bell: this.#bell, page: this.#page.bind(this) };
    return followLog(log, from, filter, signal);
  }

  async head(): Promise<Position> {
    this.#mustBeOpen();
    return this.#positions.at(this.#log.length);
  }

  ordinal(position: Position): bigint {
    return BigInt(this.#positions.numberOf(position));
  }

  parsePosition(text: string): Position {
    return this.#positions.parse(text);
  }

  async close(): Promise<void> {
    this.#bell.close();
  }

  #appendOne(append: ReturnType<typeof writeAppend>): Appended {
    const { stream, expected, count } = append;
    const standing = this.#streams.get(stream) ?? [];
    const actual = standing.length - 1;
    const verdict = judgeAppend(expected, actual, { count, read: () => readIds(append.text) }, (from, n) =>
      standing.slice(from, from + n).map((event) => event.id),
    );
    switch (verdict) {
      case 'conflict':
        throw new RevisionConflict(stream, expected < 0 ? 'noStream' : expected, actual);
      case 'unchanged':
        return { stream, lastRevision: actual, position: this.#positions.at(this.#log.length), repeated: false };
      case 'repeated':
        return { stream, lastRevision: expected + count, position: standing[expected + count]!.position, repeated: true };
      case 'append': {
        const place = { stream, revision: actual + 1, position: this.#log.length + 1 };
        const events = readEvents(append.text, place, 0, count, undefined, this.#positions);
        this.#log.push(...events);
        standing.push(...events);
        this.#streams.set(stream, standing);
        return { stream, lastRevision: actual + count, position: events.at(-1)!.position, repeated: false, positions: events.map((event) => event.position) };
      }
    }
  }

  #cutBackTo(length: number): void {
    for (const { stream } of this.#log.splice(length)) {
      const events = this.#streams.get(stream);
      events?.pop();
      if (events?.length === 0) this.#streams.delete(stream);
    }
  }

  #page(after: number, filter: EventFilter, limit: number): NumberedPage {
    this.#mustBeOpen();
    this.#mustReach(after);
    const stored = this.#upcasting.stored(filter);
    const events: RecordedEvent[] = [];
    let next = after;
    while (next < this.#log.length && events.length < limit) {
      const event = this.#log[next++]!;
      if (matches(event, stored)) events.push(event);
    }
    return { events: this.#upcasting.events(events, filter), next, atHead: next === this.#log.length };
  }

  #last(stream: StreamName): number {
    return (this.#streams.get(stream)?.length ?? 0) - 1;
  }

  #mustReach(position: number): void {
    if (position > this.#log.length) throw new PositionAhead(this.#positions.at(position), this.#positions.at(this.#log.length));
  }

  #mustBeOpen(): void {
    if (this.#bell.closed) throw new EventStoreClosed();
  }
}

function matches(event: RecordedEvent, filter: EventFilter): boolean {
  return (filter.types?.includes(event.type) ?? true) && (filter.categories?.includes(categoryOf(event.stream)) ?? true);
}
