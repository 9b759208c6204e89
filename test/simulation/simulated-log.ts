import { rmSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventStore } from '#platform/event-store';
import { openMemoryEventStore, openSqliteEventStore } from '#platform/event-store';
import type { Position, RecordedEvent, StreamName } from '#platform/kernel';
import { START } from '#platform/kernel';
import { FaultyEventStore } from '#platform/testing';
import type { History } from './history.ts';

type SqliteLog = Awaited<ReturnType<typeof openSqliteEventStore>>;

/** The log, in memory or in a file with its writer's thread; both lose answers as told. */
export class SimulatedLog {
  readonly #directory: string;
  readonly #file: SqliteLog | undefined;
  readonly store: EventStore;
  readonly faulty: FaultyEventStore;

  private constructor(directory: string, store: EventStore, file: SqliteLog | undefined) {
    this.#directory = directory;
    this.#file = file;
    this.store = store;
    this.faulty = new FaultyEventStore(store);
  }

  static async open(kind: History['log'], directory: string): Promise<SimulatedLog> {
    if (kind === 'memory') return new SimulatedLog(directory, openMemoryEventStore(), undefined);
    const file = await openSqliteEventStore({ directory });
    return new SimulatedLog(directory, file, file);
  }

  /** Its thread; it starts again by itself with what it is asked next. In memory an answer is lost instead. */
  async killWriter(): Promise<void> {
    if (this.#file === undefined) this.faulty.fail('lost-after');
    else await this.#crashWriter(this.#file);
  }

  /** As after the end of the process that had it open. */
  async openAgain(): Promise<SimulatedLog> {
    if (this.#file === undefined) return new SimulatedLog(this.#directory, this.store, undefined);
    await this.#crashWriter(this.#file);
    await this.#file.close();
    return SimulatedLog.open('sqlite', this.#directory);
  }

  /** Between two writes, for Node 24 aborts the whole process where a thread is ended while it makes a zstd stream. */
  async #crashWriter(file: SqliteLog): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.faulty.gate = promise;
    await nextTurn();
    // Answered in order, so after all that was asked before.
    await file.append({ stream: 'chain-0' as StreamName, expected: 'noStream', events: [] });
    await file.crashWriter();
    this.faulty.gate = undefined;
    resolve();
  }

  async events(): Promise<readonly RecordedEvent[]> {
    const found: RecordedEvent[] = [];
    for (let after: Position = START; ; ) {
      const page = await this.store.readAll(after, {}, 1_000);
      found.push(...page.events);
      if (page.atHead) return found;
      after = page.next;
    }
  }

  async close(): Promise<void> {
    await this.store.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
