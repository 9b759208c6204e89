import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { START, systemClock } from '#platform/kernel';
import type { JsonObject, StreamName, Upcasters } from '#platform/kernel';
import { MemoryEventStore } from '#platform/event-store';
import type { EventStore } from '#platform/event-store';
import { ProjectionRunner } from '#platform/projections';
import type { Projection, ProjectionSettings } from '#platform/projections';
import { contentPages, SqliteReadStore, SqliteReadWriter } from '#platform/read-store';

/** An event as a test states it; its revision and position come from the order. Every recorded event is one. */
export interface EventSketch {
  readonly stream: string;
  readonly type: string;
  readonly data: JsonObject;
  /** 2026-01-01T00:00:00.000Z when left out. */
  readonly occurredAt?: string;
  readonly schemaVersion?: number;
}

const SOME_TIME = '2026-01-01T00:00:00.000Z';

/** Appends one event after the other, each to the end of its stream. */
export async function appendSketches(log: EventStore, sketches: readonly EventSketch[]): Promise<void> {
  for (const sketch of sketches) {
    const stream = sketch.stream as StreamName;
    const last = await log.lastRevision(stream);
    const occurredAt = sketch.occurredAt ?? SOME_TIME;
    const event = {
      id: uuidOf(`${stream} ${last + 1}`),
      type: sketch.type,
      schemaVersion: sketch.schemaVersion ?? 1,
      occurredAt,
      recordedAt: occurredAt,
      correlationId: 'test',
      causationId: 'test',
      data: sketch.data,
    };
    await log.append({ stream, expected: last < 0 ? 'noStream' : last, events: [event] });
  }
}

/** A read model of its own, built from `events` and thrown away by `close`. For specs of projections and queries. */
export class Projected {
  /** Always the same identity, so that rows which hold a position are the same in every run. */
  readonly log: MemoryEventStore;
  readonly projection: Projection;
  readonly file: string;
  readonly writer: SqliteReadWriter;
  readonly store: SqliteReadStore;
  readonly #dir: string;
  readonly #settings: Partial<ProjectionSettings>;
  #runner: ProjectionRunner | undefined;

  constructor(projection: Projection, settings: Partial<ProjectionSettings> = {}, upcasters?: Upcasters) {
    this.log = new MemoryEventStore('xtest', upcasters);
    this.projection = projection;
    this.#settings = settings;
    this.#dir = mkdtempSync(join(tmpdir(), 'chainfold-read-'));
    this.file = join(this.#dir, 'read.db');
    this.writer = new SqliteReadWriter(this.file, systemClock);
    this.store = new SqliteReadStore(this.file);
  }

  get runner(): ProjectionRunner {
    if (this.#runner === undefined) throw new Error('call run() first');
    return this.#runner;
  }

  async append(events: readonly EventSketch[]): Promise<void> {
    await appendSketches(this.log, events);
  }

  async run(): Promise<void> {
    const { log: reader, writer: store, projection, store: reads } = this;
    const onProgress: SqliteReadStore['advanced'] = (name, position) => reads.advanced(name, position);
    this.#runner = new ProjectionRunner({ reader, store, projections: [projection], clock: systemClock, settings: this.#settings, onProgress });
    await this.#runner.start();
  }

  async stop(): Promise<void> {
    await this.#runner?.close();
    this.#runner = undefined;
  }

  /** Until the live generation has everything that is in the log now. */
  async caughtUp(): Promise<void> {
    await this.store.waitFor(this.projection.name, await this.log.head(), 20_000, systemClock);
  }

  /** Until nothing is being built beside the live one any more. */
  async swapped(): Promise<void> {
    for (let tries = 0; tries < 2_000; tries += 1) {
      const [status] = await this.runner.status();
      if (status?.rebuild === undefined) return;
      await systemClock.sleep(5);
    }
    throw new Error('the rebuilt generation did not go live');
  }

  /** Every row of the live generation, one line each, in the order of the keys. */
  dump(): string {
    const live = this.writer.generations(this.projection.name).find((generation) => generation.state === 'live');
    if (live === undefined) return '';
    const db = this.writer.snapshot();
    try {
      return [...contentPages(db, live, live.tables)].flatMap((page) => page.lines).join('');
    } finally {
      db.close();
    }
  }

  async close(): Promise<void> {
    await this.stop();
    this.store.close();
    this.writer.close();
    await this.log.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** The read model of these events, ready to be queried. */
export async function projected(projection: Projection, events: readonly EventSketch[], settings: Partial<ProjectionSettings> = {}, upcasters?: Upcasters): Promise<Projected> {
  const read = new Projected(projection, settings, upcasters);
  await read.append(events);
  await read.run();
  if ((await read.log.head()) !== START) await read.caughtUp();
  return read;
}

function uuidOf(name: string): string {
  const hex = createHash('sha1').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
