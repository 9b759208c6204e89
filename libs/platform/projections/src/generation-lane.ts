import { setImmediate as nextTurn } from 'node:timers/promises';
import { ChainfoldError } from '#platform/kernel';
import type { Clock, Position, RecordedEvent } from '#platform/kernel';
import type { EventFilter, EventReader } from '#platform/event-store';
import { isAtOrAbove, isTransientSqlite, sqliteCode, TableShape } from '#platform/read-store';
import type { Checkpoint, Generation, ParkedEvent, SkippedEvent, SqliteReadWriter } from '#platform/read-store';
import { BackOff } from './back-off.ts';
import { BatchSize } from './batch-size.ts';
import { Bell } from './bell.ts';
import { Continuity } from './continuity.ts';
import { EventSource } from './event-source.ts';
import type { EventBatch } from './event-source.ts';
import { messageOf, NothingParked, ProjectorStopped, TooManyParkedKeys, toErrorMessage } from './projection.errors.ts';
import type { Projection } from './projection.port.ts';
import type { ProjectionSettings, ProjectionTrouble, Retried } from './projection-status.ts';
import { RowBatch } from './row-batch.ts';

/** A transaction is closed at so many rows, wherever in the page it is. */
const MAX_ROWS_PER_COMMIT = 20_000;
/** The WAL is folded back once nothing has arrived for a moment, so that no event waits for it; without such a moment, when it is large. */
const WAL_BYTES_IDLE = 4 * 1024 * 1024;
const WAL_BYTES_BUSY = 64 * 1024 * 1024;
const IDLE_MS = 20;
/** After so many tries in vain it counts as standing still. */
const ATTEMPTS_UNTIL_FAILED = 5;
const STANDS_STILL = new Set(['gap-detected', 'data-damaged', 'data-newer', 'position-ahead', 'foreign-position']);

export interface LaneSurroundings {
  readonly reader: EventReader;
  readonly store: SqliteReadWriter;
  readonly clock: Clock;
  readonly settings: ProjectionSettings;
  /** Somebody else in this thread is at the head and must stay fresh. */
  isShared(lane: GenerationLane): boolean;
  onCommitted(lane: GenerationLane): void;
  onAtHead(lane: GenerationLane): void;
  onChanged(lane: GenerationLane): void;
}

/**
 * Drives one generation of one projection: events in log order into rows, rows and checkpoint in one transaction.
 * Everything that touches the generation runs in its loop, one thing at a time; `exclusive` joins the queue.
 */
export class GenerationLane {
  readonly projection: Projection;
  readonly generation: number;
  readonly createdAt: number;
  readonly #around: LaneSurroundings;
  readonly #identity: Generation;
  readonly #filter: EventFilter;
  readonly #types: ReadonlySet<string>;
  readonly #shapes: ReadonlyMap<string, TableShape>;
  readonly #source: EventSource;
  readonly #size: BatchSize;
  readonly #backOff: BackOff;
  readonly #bell = new Bell();
  readonly #tasks: (() => Promise<void>)[] = [];
  #checkpoint: Checkpoint;
  #parked = new Set<string>();
  #skipped = new Set<Position>();
  #continuity: Continuity;
  #behind = true;
  #atHead = false;
  #wasAtHeadAt: number | undefined;
  #lastRecordedAt: string | undefined;
  #rowsWritten: number;
  #events: number;
  #paused: string | undefined;
  #trouble: ProjectionTrouble | undefined;
  #folding: NodeJS.Timeout | undefined;
  #stopping = false;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(projection: Projection, generation: Generation, around: LaneSurroundings) {
    this.projection = projection;
    this.generation = generation.generation;
    this.createdAt = generation.createdAt;
    this.#identity = generation;
    this.#around = around;
    this.#filter = projection.types.length === 0 ? {} : { types: projection.types };
    this.#types = new Set(projection.types);
    this.#shapes = new Map(projection.tables.map((table) => [table.name, new TableShape(projection.name, table)]));
    this.#source = new EventSource(around.reader, this.#filter);
    this.#size = new BatchSize(around.settings);
    this.#backOff = new BackOff(around.settings.firstRetryMs, around.settings.maxRetryMs);
    this.#checkpoint = generation;
    this.#rowsWritten = generation.rowsWritten;
    this.#events = generation.events;
    this.#paused = generation.paused;
    this.#lastRecordedAt = generation.recordedAt;
    this.#continuity = new Continuity(projection, around.reader, new Map());
  }

  get position(): Position {
    return this.#checkpoint.position;
  }
  get atHead(): boolean {
    return this.#atHead;
  }
  get paused(): string | undefined {
    return this.#paused;
  }
  get trouble(): ProjectionTrouble | undefined {
    return this.#trouble;
  }
  get failed(): boolean {
    return this.#trouble !== undefined && (STANDS_STILL.has(this.#trouble.code) || this.#trouble.attempts >= ATTEMPTS_UNTIL_FAILED);
  }
  /** It has been at the head once since it was opened. */
  get hasCaughtUp(): boolean {
    return this.#wasAtHeadAt !== undefined;
  }
  get parkedKeys(): number {
    return this.#parked.size;
  }
  get rowsWritten(): number {
    return this.#rowsWritten;
  }
  get eventsApplied(): number {
    return this.#events;
  }

  /** How old at most the answers are: 0 at the head, else since it was last there or since its last event, whichever is later. */
  get lagSeconds(): number {
    if (this.#atHead) return 0;
    const applied = this.#lastRecordedAt === undefined ? undefined : Date.parse(this.#lastRecordedAt);
    const known = Math.max(applied ?? 0, this.#wasAtHeadAt ?? 0);
    return known === 0 ? 0 : Math.max(0, (this.#around.clock.now() - known) / 1000);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Finishes the batch, which stores its checkpoint, and ends. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#bell.ring();
    await this.#running;
    clearTimeout(this.#folding);
    this.#source.stopFollowing();
  }

  /** Runs between two batches, also while paused or waiting to try again. */
  exclusive<T>(fn: () => T | Promise<T>): Promise<T> {
    if (this.#stopped) return Promise.reject(new ProjectorStopped('it is closing'));
    return new Promise<T>((resolve, reject) => {
      this.#tasks.push(async () => {
        try {
          resolve(await fn());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(messageOf(error), { cause: error }));
        }
      });
      this.#bell.ring();
    });
  }

  /** Only within `exclusive`: goes on exactly to `target`, which lies at or before the head. */
  async advanceTo(target: Position): Promise<void> {
    if (isAtOrAbove(this.position, target)) return;
    this.#source.stopFollowing();
    this.#behind = true;
    while (!isAtOrAbove(this.position, target)) {
      const page = await this.#around.reader.readAll(this.position, this.#filter, this.#size.events);
      const events = page.events.filter((event) => isAtOrAbove(target, event.position));
      await this.#apply({ events, next: isAtOrAbove(target, page.next) ? page.next : target, atHead: false });
      if (this.#paused !== undefined) throw new Error(`paused: ${this.#paused}`);
    }
  }

  /** Survives a restart. */
  setPaused(reason: string | undefined): void {
    this.#around.store.setPaused(this.#identity, reason);
    this.#paused = reason;
    if (reason === undefined) this.#trouble = undefined;
    this.#bell.ring();
    this.#around.onChanged(this);
  }

  parked(): readonly ParkedEvent[] {
    return this.#around.store.parked(this.#identity);
  }

  /** Applies what is parked under a key, in order and in one transaction, up to the first event that still fails. */
  retry(key: string): Promise<Retried> {
    return this.exclusive(() => this.#retry(key, undefined));
  }

  /** Leaves out the event that failed, for every generation of this version, and applies what waited behind it. */
  skip(key: string, reason: string): Promise<Retried> {
    return this.exclusive(() => this.#retry(key, reason));
  }

  async #run(): Promise<void> {
    let loaded = false;
    while (!this.#stopping) {
      try {
        if (!loaded) this.#load();
        loaded = true;
        await this.#runTasks();
        if (this.#paused === undefined) await this.#step();
        else await this.#bell.rung();
        this.#recovered();
      } catch (error) {
        loaded = false;
        await this.#troubled(error);
      }
      await nextTurn();
    }
    await this.#runTasks();
    this.#stopped = true;
  }

  async #runTasks(): Promise<void> {
    this.#bell.heard();
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) await task();
  }

  async #step(): Promise<void> {
    const started = this.#around.clock.monotonic();
    const batch = this.#behind
      ? await this.#source.page(this.position, this.#size.events)
      : await this.#source.follow(this.position, this.#size.events, this.#bell.rung());
    if (batch === undefined) return;
    await this.#apply(batch);
    if (this.#paused !== undefined) {
      this.#behind = true;
      return this.#setAtHead(false);
    }
    if (this.#behind) this.#size.learn(batch.events, this.#around.clock.monotonic() - started, this.#around.isShared(this));
    this.#behind = !batch.atHead;
    this.#setAtHead(batch.atHead);
    this.#foldWal();
  }

  #foldWal(): void {
    const { store } = this.#around;
    clearTimeout(this.#folding);
    store.foldWal(WAL_BYTES_BUSY);
    if (!this.#atHead) return;
    this.#folding = setTimeout(() => {
      try {
        store.foldWal(WAL_BYTES_IDLE);
      } catch {
        // Busy or full: the next commit meets the same and tells.
      }
    }, IDLE_MS);
  }

  async #apply({ events, next }: Pick<EventBatch, 'events' | 'next'> & { atHead: boolean }): Promise<void> {
    let from = 0;
    do {
      from = await this.#applySome(events, from, next);
    } while (from < events.length && this.#paused === undefined);
  }

  /** One transaction; answers where to go on in `events`. */
  async #applySome(events: readonly RecordedEvent[], from: number, next: Position): Promise<number> {
    const { store } = this.#around;
    const batch = new RowBatch(this.#shapes, (table, key) => store.get(this.#identity, table, key));
    const parked: ParkedEvent[] = [];
    let tooMany: TooManyParkedKeys | undefined;
    let at = from;
    for (; at < events.length; at += 1) {
      const event = events[at] as RecordedEvent;
      // Several events may share a position (one that was split on reading): a transaction never ends between them.
      if (batch.rows >= MAX_ROWS_PER_COMMIT && event.position !== events[at - 1]?.position) break;
      tooMany = await this.#applyOne(event, batch, parked);
      if (tooMany !== undefined) break;
    }
    const last = events[at - 1];
    const position = at === events.length ? next : at === from ? this.position : (last as RecordedEvent).position;
    this.#commit({ position, events: at - from, recordedAt: last?.recordedAt, batch, parked });
    if (tooMany !== undefined) this.#pauseFor(tooMany);
    return at;
  }

  /** Answers why the projection has to pause, if so. Throws what may pass by itself. */
  async #applyOne(event: RecordedEvent, batch: RowBatch, parked: ParkedEvent[]): Promise<TooManyParkedKeys | undefined> {
    const gap = this.#continuity.see(event);
    if (gap !== undefined) await gap;
    if (this.#types.size > 0 && !this.#types.has(event.type)) return undefined;
    if (this.#skipped.has(event.position)) return undefined;
    const key = this.#keyOf(event);
    if (this.#parked.has(key)) {
      parked.push(toParked(event, key, undefined, this.#around.clock.now()));
      return undefined;
    }
    const failure = await this.#try(event, batch);
    if (failure === undefined) return undefined;
    const { maxParkedKeys } = this.#around.settings;
    if (this.#parked.size >= maxParkedKeys) return new TooManyParkedKeys(this.projection.name, maxParkedKeys, key, failure);
    this.#parked.add(key);
    parked.push(toParked(event, key, failure, this.#around.clock.now()));
    return undefined;
  }

  /** Undefined when it was applied, else why it never will be. Throws what may pass by itself. */
  async #try(event: RecordedEvent, batch: RowBatch): Promise<string | undefined> {
    try {
      const waiting = this.projection.apply(event, batch);
      if (waiting !== undefined) await waiting;
      batch.settle();
      return undefined;
    } catch (error) {
      batch.takeBack();
      if (mayPass(error)) throw error;
      return messageWithReason(error);
    }
  }

  /** An event whose key can not be told is parked with its stream. */
  #keyOf(event: RecordedEvent): string {
    try {
      return this.projection.keyOf(event);
    } catch {
      return `stream ${event.stream}`;
    }
  }

  #commit(commit: { position: Position; events: number; recordedAt: string | undefined; batch: RowBatch; parked?: readonly ParkedEvent[]; unparked?: readonly ParkedEvent[]; skipped?: readonly SkippedEvent[] }): void {
    const { batch, ...rest } = commit;
    const revisions = this.#continuity.takeChanged();
    const writes = batch.rows + (rest.parked?.length ?? 0) + (rest.unparked?.length ?? 0) + revisions.size;
    if (writes === 0 && rest.position === this.position) return;
    this.#checkpoint = this.#around.store.commit(this.#identity, { ...rest, expected: this.#checkpoint, changes: batch.changes, revisions });
    this.#rowsWritten += batch.rows;
    this.#events += rest.events;
    this.#lastRecordedAt = rest.recordedAt ?? this.#lastRecordedAt;
    this.#around.onCommitted(this);
  }

  async #retry(key: string, skipReason: string | undefined): Promise<Retried> {
    const { store, clock } = this.#around;
    const waiting = store.parked(this.#identity, key);
    if (waiting.length === 0) throw new NothingParked(this.projection.name, key);
    const batch = new RowBatch(this.#shapes, (table, rowKey) => store.get(this.#identity, table, rowKey));
    const done: ParkedEvent[] = [];
    const skipped: SkippedEvent[] = [];
    let failure: string | undefined;
    for (const event of waiting) {
      if (skipReason !== undefined && skipped.length === 0) skipped.push({ ...event, reason: skipReason, skippedAt: clock.now() });
      else failure = await this.#tryAgain(event, batch);
      if (failure !== undefined) break;
      done.push(event);
    }
    const stillFirst = waiting[done.length];
    const parked = stillFirst === undefined ? [] : [{ ...stillFirst, error: failure }];
    this.#commit({ position: this.position, events: done.length - skipped.length, recordedAt: undefined, batch, parked, unparked: done, skipped });
    for (const { position } of skipped) this.#skipped.add(position);
    if (stillFirst === undefined) this.#parked.delete(key);
    if (this.#atHead) this.#around.onAtHead(this);
    return { applied: done.length - skipped.length, remaining: waiting.length - done.length, error: failure };
  }

  async #tryAgain(parked: ParkedEvent, batch: RowBatch): Promise<string | undefined> {
    const events = await this.#around.reader.readStream(parked.stream as RecordedEvent['stream'], parked.revision, 1);
    for (const event of events) {
      const failure = await this.#try(event, batch);
      if (failure !== undefined) return failure;
    }
    return events.length === 0 ? 'the log does not hold this event any more' : undefined;
  }

  /** What the store knows is the truth: after a failure nothing that was in memory is trusted. */
  #load(): void {
    const { store, reader } = this.#around;
    const generation = store.generation(this.#identity);
    if (generation === undefined) throw new ChainfoldError('The generation is gone', { code: 'no-such-generation', kind: 'missing', facts: { projection: this.projection.name, generation: this.generation } });
    this.#checkpoint = generation;
    this.#parked = new Set(store.parkedKeys(generation));
    this.#skipped = new Set(store.skipped(generation).map((event) => event.position));
    this.#continuity = new Continuity(this.projection, reader, store.lastRevisions(generation));
  }

  async #troubled(error: unknown): Promise<void> {
    const { clock } = this.#around;
    const { code, message, hint } = toErrorMessage(error);
    const pause = this.#backOff.next();
    const since = this.#trouble?.code === code ? this.#trouble.since : clock.now();
    this.#trouble = { code, message, hint, since, attempts: this.#backOff.attempts };
    this.#source.stopFollowing();
    this.#behind = true;
    this.#setAtHead(false);
    this.#around.onChanged(this);
    const stop = new AbortController();
    const slept = clock.sleep(pause, stop.signal).catch(() => undefined);
    while (!this.#stopping && (await Promise.race([slept.then(() => false), this.#bell.rung().then(() => true)]))) {
      if (!this.#stopping) await this.#runTasks();
    }
    stop.abort();
  }

  #recovered(): void {
    this.#backOff.reset();
    if (this.#trouble === undefined || this.#paused !== undefined) return;
    this.#trouble = undefined;
    this.#around.onChanged(this);
  }

  #pauseFor(error: TooManyParkedKeys): void {
    const { code, message, hint } = toErrorMessage(error);
    this.setPaused(message);
    this.#trouble = { code, message: `${message}: ${JSON.stringify(error.facts)}`, hint, since: this.#around.clock.now(), attempts: 1 };
    this.#around.onChanged(this);
  }

  #setAtHead(atHead: boolean): void {
    const changed = this.#atHead !== atHead;
    this.#atHead = atHead;
    if (atHead) {
      this.#wasAtHeadAt = this.#around.clock.now();
      this.#around.onAtHead(this);
    }
    if (changed) this.#around.onChanged(this);
  }
}

function toParked(event: RecordedEvent, key: string, error: string | undefined, parkedAt: number): ParkedEvent {
  return { key, position: event.position, stream: event.stream, revision: event.revision, type: event.type, error, parkedAt };
}

/** Trouble of the surroundings, not of the event: it is tried again for ever. */
function mayPass(error: unknown): boolean {
  if (error instanceof ChainfoldError) return error.retryable || error.code === 'data-damaged';
  return isTransientSqlite(error) || sqliteCode(error) !== undefined;
}

function messageWithReason(error: unknown): string {
  const reason: unknown = error instanceof ChainfoldError ? error.facts['reason'] : undefined;
  return typeof reason === 'string' ? `${messageOf(error)}: ${reason}` : messageOf(error);
}
