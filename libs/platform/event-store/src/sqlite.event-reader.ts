import type { DatabaseSync } from 'node:sqlite';
import type { Position, RecordedEvent, StreamName, Upcasters } from '#platform/kernel';
import { EventStoreClosed, PositionAhead } from './event-store.errors.ts';
import { type Delivery, type EventFilter, type EventPage, EventReader, type StreamSummary } from './event-store.port.ts';
import { LogPositions } from './log-positions.ts';
import { followLog, type LogBell, type NumberedPage } from './log-subscription.ts';
import { openLogBell } from './sqlite-log-bell.ts';
import { explained, type LogFile, logFilePath, openLogToRead } from './sqlite-log-file.ts';
import { SqliteLogPages } from './sqlite-log-pages.ts';
import { Upcasting } from './upcasting.ts';

export interface SqliteEventReaderOptions {
  readonly directory: string;
  /** How often a waiting subscription looks by itself, for a writer in another process. */
  readonly pollMs?: number;
  /** Left out: every event is read as it was stored. */
  readonly upcasters?: Upcasters;
}

const POLL_MS = 250;

/** Opens the read-only half, in any thread or process. Throws `data-missing`, `data-newer`, `data-damaged`. */
export function openSqliteEventReader(options: SqliteEventReaderOptions): SqliteEventReader {
  return new SqliteEventReader(options, openLogToRead(options.directory));
}

/** Reads in the thread of the caller: a page costs it the time of unpacking and parsing. */
export class SqliteEventReader extends EventReader {
  readonly identity: string;
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #pages: SqliteLogPages;
  readonly #positions: LogPositions;
  readonly #bell: LogBell;
  readonly #upcasting: Upcasting;

  constructor({ directory, pollMs = POLL_MS, upcasters }: SqliteEventReaderOptions, file: LogFile) {
    super();
    this.identity = file.identity;
    this.#path = logFilePath(directory);
    this.#db = file.db;
    this.#positions = new LogPositions(file.identity);
    this.#pages = new SqliteLogPages(file.db, this.#positions);
    this.#bell = openLogBell(file.identity, pollMs);
    this.#upcasting = new Upcasting(upcasters);
  }

  async readStream(stream: StreamName, from: number, limit: number): Promise<readonly RecordedEvent[]> {
    return this.#upcasting.events(this.#read((pages) => pages.stream(stream, from, limit)));
  }

  async lastRevision(stream: StreamName): Promise<number> {
    return this.#read((pages) => pages.lastRevision(stream));
  }

  async readAll(after: Position, filter: EventFilter, limit: number): Promise<EventPage> {
    const from = this.#positions.numberOf(after);
    const page = this.#page(from, filter, limit);
    return { events: page.events, next: this.#positions.at(page.next), atHead: page.atHead };
  }

  async listStreams(options: { category?: string; after?: string; limit: number }): Promise<readonly StreamSummary[]> {
    return this.#read((pages) => pages.streams(options));
  }

  subscribe(after: Position, filter: EventFilter, signal: AbortSignal): AsyncIterable<Delivery> {
    const from = this.#positions.numberOf(after);
    const head = this.#read((pages) => pages.head());
    if (from > head) throw new PositionAhead(after, this.#positions.at(head));
    const log = {
      positions: this.#positions,
      bell: this.#bell,
      page: this.#page.bind(this),
    };
    return followLog(log, from, filter, signal);
  }

  async head(): Promise<Position> {
    return this.#positions.at(this.#read((pages) => pages.head()));
  }

  ordinal(position: Position): bigint {
    return BigInt(this.#positions.numberOf(position));
  }

  parsePosition(text: string): Position {
    return this.#positions.parse(text);
  }

  /** Ends live subscriptions too. */
  async close(): Promise<void> {
    if (this.#bell.closed) return;
    this.#bell.close();
    this.#db.close();
  }

  #page(after: number, filter: EventFilter, limit: number): NumberedPage {
    const page = this.#read((pages) => pages.page(after, this.#upcasting.stored(filter), limit));
    return { ...page, events: this.#upcasting.events(page.events, filter) };
  }

  #read<T>(work: (pages: SqliteLogPages) => T): T {
    if (this.#bell.closed) throw new EventStoreClosed();
    return explained(this.#path, () => work(this.#pages));
  }
}
