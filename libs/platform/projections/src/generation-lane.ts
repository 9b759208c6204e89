import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '#platform/kernel';
import type { Position } from '#platform/kernel';
import type { EventFilter } from '#platform/event-store';
import { isAtOrAbove } from '#platform/read-store';
import type { Generation, ParkedEvent } from '#platform/read-store';
import { BatchSize } from './batch-size.ts';
import { Bell } from './bell.ts';
import { EventApplication } from './event-application.ts';
import { EventSource } from './event-source.ts';
import type { EventBatch } from './event-source.ts';
import { GenerationLedger } from './generation-ledger.ts';
import type { GenerationParts } from './generation-ledger.ts';
import { LaneTrouble } from './lane-trouble.ts';
import { retryKey } from './parked-key.ts';
import { ProjectorStopped } from './projection.errors.ts';
import type { Projection } from './projection.port.ts';
import type { ProjectionTrouble, Retried } from './projection-status.ts';
import { WalFolding } from './wal-folding.ts';

export interface LaneSurroundings extends GenerationParts {
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
  readonly #ledger: GenerationLedger;
  readonly #application: EventApplication;
  readonly #filter: EventFilter;
  readonly #source: EventSource;
  readonly #size: BatchSize;
  readonly #trouble: LaneTrouble;
  readonly #folding: WalFolding;
  readonly #bell = new Bell();
  readonly #tasks: (() => Promise<void>)[] = [];
  #behind = true;
  #atHead = false;
  #wasAtHeadAt: number | undefined;
  #paused: string | undefined;
  #stopping = false;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(projection: Projection, generation: Generation, around: LaneSurroundings) {
    this.projection = projection;
    this.generation = generation.generation;
    this.createdAt = generation.createdAt;
    this.#around = around;
    this.#ledger = new GenerationLedger(projection, generation, around, () => around.onCommitted(this));
    this.#application = new EventApplication(this.#ledger);
    this.#filter = projection.types.length === 0 ? {} : { types: projection.types };
    this.#source = new EventSource(around.reader, this.#filter);
    this.#size = new BatchSize(around.settings);
    this.#trouble = new LaneTrouble(around.settings);
    this.#folding = new WalFolding(around.store);
    this.#paused = generation.paused;
  }

  get position(): Position {
    return this.#ledger.position;
  }
  get atHead(): boolean {
    return this.#atHead;
  }
  get paused(): string | undefined {
    return this.#paused;
  }
  get trouble(): ProjectionTrouble | undefined {
    return this.#trouble.current;
  }
  get failed(): boolean {
    return this.#trouble.standsStill;
  }
  /** It has been at the head once since it was opened. */
  get hasCaughtUp(): boolean {
    return this.#wasAtHeadAt !== undefined;
  }
  get parkedKeys(): number {
    return this.#ledger.parkedKeys.size;
  }
  get rowsWritten(): number {
    return this.#ledger.rowsWritten;
  }
  get eventsApplied(): number {
    return this.#ledger.events;
  }

  /** How old at most the answers are: 0 at the head, else since it was last there or since its last event, whichever is later. */
  get lagSeconds(): number {
    if (this.#atHead) return 0;
    const { lastRecordedAt } = this.#ledger;
    const applied = lastRecordedAt === undefined ? undefined : Date.parse(lastRecordedAt);
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
    this.#folding.stop();
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
      await this.#apply({ events, next: isAtOrAbove(target, page.next) ? page.next : target });
      if (this.#paused !== undefined) throw new Error(`paused: ${this.#paused}`);
    }
  }

  /** Survives a restart. */
  setPaused(reason: string | undefined): void {
    this.#around.store.setPaused(this.#ledger.identity, reason);
    this.#paused = reason;
    if (reason === undefined) this.#trouble.clear();
    this.#bell.ring();
    this.#around.onChanged(this);
  }

  parked(): readonly ParkedEvent[] {
    return this.#ledger.parked();
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
        if (!loaded) this.#ledger.load();
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
    this.#folding.afterBatch(this.#atHead);
  }

  async #apply({ events, next }: Pick<EventBatch, 'events' | 'next'>): Promise<void> {
    let from = 0;
    do {
      const { at, tooMany } = await this.#application.applySome(events, from, next);
      from = at;
      if (tooMany === undefined) continue;
      this.setPaused(messageOf(tooMany));
      this.#trouble.paused(tooMany, this.#around.clock.now());
      this.#around.onChanged(this);
    } while (from < events.length && this.#paused === undefined);
  }

  async #retry(key: string, skipReason: string | undefined): Promise<Retried> {
    const retried = await retryKey(this.#ledger, this.#application, key, skipReason);
    if (this.#atHead) this.#around.onAtHead(this);
    return retried;
  }

  async #troubled(error: unknown): Promise<void> {
    const { clock } = this.#around;
    const pause = this.#trouble.failed(error, clock.now());
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
    this.#trouble.wentWell();
    if (this.#trouble.current === undefined || this.#paused !== undefined) return;
    this.#trouble.clear();
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
