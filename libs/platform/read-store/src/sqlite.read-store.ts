import type { DatabaseSync } from 'node:sqlite';
import { START } from '#platform/kernel';
import type { Clock, Position } from '#platform/kernel';
import { toGeneration } from './generation-table.ts';
import type { Generation } from './generation.ts';
import { guarded, openForReading, openForWriting, sqliteCode, Statements } from './read-database.ts';
import { InvalidRow, PositionNotReached, PositionOfAnotherLog, ProjectionNotReady } from './read-store.errors.ts';
import { ReadStore } from './read-store.port.ts';
import type { Cell, ReadView } from './read-store.port.ts';
import { physicalName } from './table-shape.ts';

/** Where nobody tells of progress (another process writes), a waiting reader looks by itself this often. */
const POLL_MS = 25;

interface Waiter {
  readonly projection: string;
  readonly position: Position;
  readonly wake: () => void;
}

/** Queries over the live generations. One read-only connection; every answer is of one moment. */
export class SqliteReadStore extends ReadStore {
  readonly file: string;
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #waiters = new Set<Waiter>();
  /** As last read: its tables are parsed once per commit, not once per question. */
  readonly #known = new Map<string, Generation>();
  #depth = 0;

  /** Makes the file where it is absent. Throws `data-newer`, `data-damaged`. */
  constructor(file: string) {
    super();
    this.file = file;
    openForWriting(file).close();
    this.#db = openForReading(file);
    this.#statements = new Statements(this.#db);
  }

  read<T>(projection: string, fn: (view: ReadView) => T): T {
    return this.#moment(() => {
      const live = this.#live(projection);
      if (live === undefined) throw new ProjectionNotReady(projection);
      const answer = this.#explained(live, () => fn(this.#view(live)));
      if (answer instanceof Promise) throw new InvalidRow('a read must not wait: its moment has passed when it goes on', { projection });
      return answer;
    });
  }

  async waitFor(projection: string, position: Position, timeoutMs: number, clock: Clock): Promise<void> {
    const deadline = clock.monotonic() + timeoutMs;
    const waiter = new Bell();
    const entry = { projection, position, wake: () => waiter.ring() };
    this.#waiters.add(entry);
    const stop = new AbortController();
    try {
      while (!this.#reached(projection, position)) {
        const left = deadline - clock.monotonic();
        if (left <= 0) throw new PositionNotReached(projection, position, this.#liveIfAny(projection)?.position, timeoutMs);
        await Promise.race([waiter.next(), clock.sleep(Math.min(left, POLL_MS), stop.signal).catch(() => undefined)]);
      }
    } finally {
      stop.abort();
      this.#waiters.delete(entry);
    }
  }

  /** Told by whoever runs the projections, right after a commit of the live generation. */
  advanced(projection: string, position: Position): void {
    for (const waiter of this.#waiters) {
      if (waiter.projection === projection && isAtOrAbove(position, waiter.position)) waiter.wake();
    }
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #reached(projection: string, position: Position): boolean {
    const live = this.#liveIfAny(projection);
    if (live === undefined) return false;
    if (position !== START && !position.startsWith(live.log)) throw new PositionOfAnotherLog(position, live.log);
    return isAtOrAbove(live.position, position);
  }

  #liveIfAny(projection: string): Generation | undefined {
    return this.#moment(() => this.#live(projection));
  }

  #live(projection: string): Generation | undefined {
    const now = this.#statements.prepare("SELECT generation, commits FROM generation WHERE projection = ? AND state = 'live'").get(projection);
    if (now === undefined) return undefined;
    const known = this.#known.get(projection);
    if (known?.generation === now['generation'] && known?.commits === now['commits']) return known;
    const row = this.#statements.prepare("SELECT * FROM generation WHERE projection = ? AND state = 'live'").get(projection);
    const live = toGeneration(row as NonNullable<typeof row>);
    this.#known.set(projection, live);
    return live;
  }

  #view(live: Generation): ReadView {
    return {
      asOf: live.position,
      table: (name) => {
        if (live.tables.some((table) => table.name === name)) return physicalName(live.projection, live.generation, name);
        throw new ProjectionNotReady(live.projection, { table: name, liveVersion: live.version });
      },
      all: (sql: string, ...params: Cell[]) => this.#statements.prepare(sql).all(...params),
      get: (sql: string, ...params: Cell[]) => this.#statements.prepare(sql).get(...params),
    };
  }

  /** A query may be written for the version that is still being built beside the live one. */
  #explained<T>(live: Generation, fn: () => T): T {
    try {
      return fn();
    } catch (error) {
      if (sqliteCode(error) === undefined || !/^no such (column|table)/.test((error as Error).message)) throw error;
      const building = this.#statements.prepare("SELECT version FROM generation WHERE projection = ? AND state = 'building'").get(live.projection);
      if (building === undefined) throw error;
      throw new ProjectionNotReady(live.projection, { liveVersion: live.version, buildingVersion: Number(building['version']) });
    }
  }

  /** Nested reads share the moment of the outermost one. */
  #moment<T>(fn: () => T): T {
    return guarded(this.file, () => {
      if (this.#depth === 0) this.#db.exec('BEGIN');
      this.#depth += 1;
      try {
        return fn();
      } finally {
        this.#depth -= 1;
        if (this.#depth === 0 && this.#db.isTransaction) this.#db.exec('COMMIT');
      }
    });
  }
}

/** Positions of one log sort as text; START stands before all of them. */
export function isAtOrAbove(position: Position, wanted: Position): boolean {
  return wanted === START || (position !== START && position >= wanted);
}

class Bell {
  #ring: () => void = () => undefined;
  #next = this.#renew();

  ring(): void {
    this.#ring();
    this.#next = this.#renew();
  }

  next(): Promise<void> {
    return this.#next;
  }

  #renew(): Promise<void> {
    return new Promise((resolve) => (this.#ring = resolve));
  }
}
