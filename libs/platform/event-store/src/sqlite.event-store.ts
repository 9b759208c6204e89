import type { Position, RecordedEvent, StreamName } from '#platform/kernel';
import { writeAppend } from './append-text.ts';
import { dataErrorOf } from './data.errors.ts';
import { RevisionConflict } from './event-store.errors.ts';
import { type Append, type Appended, type AppendText, type Delivery, type EventFilter, type EventPage, EventStore, type StreamSummary } from './event-store.port.ts';
import { LogPositions } from './log-positions.ts';
import type { EventVersions } from './event-versions.ts';
import { logFilePath, openLogToWrite } from './sqlite-log-file.ts';
import type { WriteAnswer } from './sqlite-log-writer.ts';
import { SqliteLogWriterThread, type WriterThreadOptions } from './sqlite-log-writer-thread.ts';
import { openSqliteEventReader, type SqliteEventReader, type SqliteEventReaderOptions } from './sqlite.event-reader.ts';

export interface SqliteEventStoreOptions extends SqliteEventReaderOptions {
  /** The file does not grow beyond it: an append that would is refused with `disk-full`. */
  readonly maxBytes?: number;
  /** Of all events that the program writes. Left out: the log does not learn what may be in it. */
  readonly versions?: EventVersions;
  /** After each durable request: events that were not there before, and how long it took. For metrics; may not throw. */
  readonly onAppended?: (events: number, seconds: number) => void;
}

/**
 * Opens the log in a directory that this process owns (`acquireDataDirectory`), creating it where there is none.
 * Throws `data-newer`, `data-damaged`, `data-read-only`, `disk-full`.
 */
export async function openSqliteEventStore(options: SqliteEventStoreOptions): Promise<SqliteEventStore> {
  return SqliteEventStore.open(options, {});
}

export class SqliteEventStore extends EventStore {
  readonly identity: string;
  readonly #path: string;
  readonly #reader: SqliteEventReader;
  readonly #writer: SqliteLogWriterThread;
  readonly #positions: LogPositions;
  readonly #onAppended: SqliteEventStoreOptions['onAppended'];

  private constructor({ directory, onAppended }: SqliteEventStoreOptions, reader: SqliteEventReader, writer: SqliteLogWriterThread) {
    super();
    this.#path = logFilePath(directory);
    this.#onAppended = onAppended;
    this.#reader = reader;
    this.#writer = writer;
    this.identity = reader.identity;
    this.#positions = new LogPositions(reader.identity);
  }

  static async open(options: SqliteEventStoreOptions, thread: Pick<WriterThreadOptions, 'restartPausesMs'>): Promise<SqliteEventStore> {
    const { directory, maxBytes, versions, upcasters } = options;
    // Here, where errors keep their class, before the thread does the same.
    openLogToWrite(directory, undefined, versions, upcasters).db.close();
    const writer = new SqliteLogWriterThread({ directory, maxBytes, ...thread });
    await writer.start();
    try {
      return new SqliteEventStore(options, openSqliteEventReader(options), writer);
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  async append(append: Append): Promise<Appended> {
    return (await this.appendAll([append]))[0]!;
  }

  async appendAll(appends: readonly Append[]): Promise<readonly Appended[]> {
    return this.appendTexts(appends.map(writeAppend));
  }

  override async appendTexts(texts: readonly AppendText[]): Promise<readonly Appended[]> {
    if (texts.length === 0) return [];
    const from = performance.now();
    const appended = this.#appended(await this.#writer.write(texts), texts);
    const events = texts.reduce((sum, { count }, i) => sum + (appended[i]!.repeated ? 0 : count), 0);
    this.#onAppended?.(events, (performance.now() - from) / 1_000);
    return appended;
  }

  readStream(stream: StreamName, from: number, limit: number): Promise<readonly RecordedEvent[]> {
    return this.#reader.readStream(stream, from, limit);
  }

  lastRevision(stream: StreamName): Promise<number> {
    return this.#reader.lastRevision(stream);
  }

  readAll(after: Position, filter: EventFilter, limit: number): Promise<EventPage> {
    return this.#reader.readAll(after, filter, limit);
  }

  listStreams(options: { category?: string; after?: string; limit: number }): Promise<readonly StreamSummary[]> {
    return this.#reader.listStreams(options);
  }

  subscribe(after: Position, filter: EventFilter, signal: AbortSignal): AsyncIterable<Delivery> {
    return this.#reader.subscribe(after, filter, signal);
  }

  head(): Promise<Position> {
    return this.#reader.head();
  }

  ordinal(position: Position): bigint {
    return this.#reader.ordinal(position);
  }

  parsePosition(text: string): Position {
    return this.#reader.parsePosition(text);
  }

  /** Appends accepted before are answered first; live subscriptions end. */
  async close(): Promise<void> {
    await this.#reader.close();
    await this.#writer.close();
  }

  /** Ends the writer's thread where it stands, as a crash of it would. For tests of what follows. */
  crashWriter(): Promise<void> {
    return this.#writer.terminate();
  }

  #positionsUpTo(last: number, count: number): readonly Position[] {
    return Array.from({ length: count }, (_, k) => this.#positions.at(last - count + 1 + k));
  }

  #appended(answer: WriteAnswer, appends: readonly AppendText[]): readonly Appended[] {
    switch (answer.kind) {
      case 'written':
        return answer.written.map(({ lastRevision, last, repeated }, i) => ({
          stream: appends[i]!.stream,
          lastRevision,
          position: this.#positions.at(last),
          repeated,
          ...(!repeated && appends[i]!.count > 0 && { positions: this.#positionsUpTo(last, appends[i]!.count) }),
        }));
      case 'conflict':
        throw new RevisionConflict(answer.stream, answer.expected < 0 ? 'noStream' : answer.expected, answer.actual);
      case 'refused': {
        const cause = Object.assign(new Error(answer.message), { errcode: answer.errcode });
        throw dataErrorOf(cause, this.#path) ?? cause;
      }
    }
  }
}
