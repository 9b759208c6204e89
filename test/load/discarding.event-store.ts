import type { Append, Appended, AppendText, Delivery, EventPage, StreamSummary } from '../../libs/platform/event-store/src/index.ts';
import { EventStore } from '../../libs/platform/event-store/src/index.ts';
import type { Position, RecordedEvent } from '../../libs/platform/kernel/src/index.ts';
import { START } from '../../libs/platform/kernel/src/index.ts';

/** Takes everything and keeps nothing: who writes to it costs what it costs by itself. Only for measuring. */
export class DiscardingEventStore extends EventStore {
  readonly identity = 'xdiscarding';
  #head = 0;

  async append({ stream, expected, events }: Append): Promise<Appended> {
    const lastRevision = (expected === 'noStream' ? -1 : expected) + events.length;
    const positions = events.map(() => this.#at((this.#head += 1)));
    return { stream, lastRevision, position: this.#at(this.#head), repeated: false, positions };
  }

  async appendAll(appends: readonly Append[]): Promise<readonly Appended[]> {
    return Promise.all(appends.map((append) => this.append(append)));
  }

  override async appendTexts(texts: readonly AppendText[]): Promise<readonly Appended[]> {
    return texts.map(({ stream, expected, count }) => ({ stream, lastRevision: expected + count, position: this.#at((this.#head += count)), repeated: false }));
  }

  async readStream(): Promise<readonly RecordedEvent[]> {
    return [];
  }

  async lastRevision(): Promise<number> {
    return -1;
  }

  async readAll(): Promise<EventPage> {
    return { events: [], next: this.#at(this.#head), atHead: true };
  }

  async listStreams(): Promise<readonly StreamSummary[]> {
    return [];
  }

  async *subscribe(): AsyncIterable<Delivery> {
    yield { kind: 'caughtUp', position: await this.head() };
  }

  async head(): Promise<Position> {
    return this.#at(this.#head);
  }

  ordinal(position: Position): bigint {
    return position === START ? 0n : BigInt(position.split(':')[1] ?? '0');
  }

  parsePosition(text: string): Position {
    return text as Position;
  }

  async close(): Promise<void> {}

  #at(number: number): Position {
    return (number === 0 ? START : `${this.identity}:${String(number).padStart(15, '0')}`) as Position;
  }
}
