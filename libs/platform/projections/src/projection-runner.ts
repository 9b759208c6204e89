import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import { START } from '#platform/kernel';
import type { Clock, Position } from '#platform/kernel';
import type { EventReader } from '#platform/event-store';
import { hashContent, isAtOrAbove, NoSuchGeneration } from '#platform/read-store';
import type { Content, Generation, SqliteReadWriter, Verification } from '#platform/read-store';
import { GenerationLane } from './generation-lane.ts';
import type { LaneSurroundings } from './generation-lane.ts';
import { messageOf, NothingParked, NoSuchProjection, RebuildInProgress } from './projection.errors.ts';
import type { Projection } from './projection.port.ts';
import { DEFAULT_PROJECTION_SETTINGS } from './projection-status.ts';
import type { ParkedKey, ProjectionSettings, ProjectionState, ProjectionStatus, RebuildProgress, Retried } from './projection-status.ts';

const RETIRE_ROWS = 2_000;

export interface ProjectionRunnerOptions {
  readonly reader: EventReader;
  readonly store: SqliteReadWriter;
  readonly projections: readonly Projection[];
  readonly clock: Clock;
  readonly settings?: Partial<ProjectionSettings>;
  /** After each commit of a live generation, and when another one goes live. */
  readonly onProgress?: (projection: string, position: Position) => void;
  readonly onChanged?: () => void;
}

interface Entry {
  readonly projection: Projection;
  /** Undefined while an older version is still served, which nobody can move on. */
  live: GenerationLane | undefined;
  building: GenerationLane | undefined;
  verifying: boolean;
  heldBack: string | undefined;
}

/** Runs all projections of one thread: their generations, rebuilds and swaps. Owns neither the reader nor the store. */
export class ProjectionRunner {
  readonly #options: ProjectionRunnerOptions;
  readonly #settings: ProjectionSettings;
  readonly #entries = new Map<string, Entry>();
  readonly #around: LaneSurroundings;
  readonly #background = new Set<Promise<void>>();
  #head: Position = START;
  readonly #closing = new AbortController();
  #retiring = false;

  constructor(options: ProjectionRunnerOptions) {
    this.#options = options;
    this.#settings = { ...DEFAULT_PROJECTION_SETTINGS, ...options.settings };
    this.#around = {
      reader: options.reader,
      store: options.store,
      clock: options.clock,
      settings: this.#settings,
      isShared: (lane) => [...this.#lanes()].some((other) => other !== lane && other.hasCaughtUp),
      onCommitted: (lane) => this.#committed(lane),
      onAtHead: (lane) => this.#atHead(lane),
      onChanged: () => options.onChanged?.(),
    };
  }

  /** Finds or makes the generations and starts to run them. Returns before they have caught up. */
  async start(): Promise<void> {
    this.#head = await this.#options.reader.head();
    for (const projection of this.#options.projections) this.#open(projection);
    for (const lane of this.#lanes()) lane.start();
    this.#retire();
  }

  async status(): Promise<readonly ProjectionStatus[]> {
    this.#head = await this.#options.reader.head().catch(() => this.#head);
    return [...this.#entries.values()].map((entry) => this.#statusOf(entry));
  }

  /** Survives a restart. */
  async pause(name: string, reason = 'by an operator'): Promise<void> {
    await Promise.all(this.#lanesOf(name).map((lane) => lane.exclusive(() => lane.setPaused(reason))));
  }

  async resume(name: string): Promise<void> {
    await Promise.all(this.#lanesOf(name).map((lane) => lane.exclusive(() => lane.setPaused(undefined))));
  }

  /** Builds the next generation beside the live one; it goes live by itself. Throws `rebuild-in-progress`. */
  async rebuild(name: string): Promise<number> {
    const entry = this.#entry(name);
    if (entry.building !== undefined) throw new RebuildInProgress(name, entry.building.generation);
    const generation = this.#create(entry.projection, 'building');
    this.#build(entry, generation);
    return generation.generation;
  }

  /** Takes a kept generation back: it catches up and goes live. On one that is held back: lets it go live as it is. */
  async activate(name: string, number: number): Promise<void> {
    const entry = this.#entry(name);
    if (entry.building?.generation === number) return this.#goLive(entry, entry.building, true);
    if (entry.building !== undefined) throw new RebuildInProgress(name, entry.building.generation);
    this.#head = await this.#options.reader.head();
    const generation = this.#options.store.generation({ projection: name, generation: number });
    if (generation?.state !== 'kept') throw new NoSuchGeneration(name, number, 'it is not kept');
    if (!this.#fits(entry.projection, generation)) throw new NoSuchGeneration(name, number, 'it is of another version or log');
    this.#options.store.setState(generation, 'kept', 'building');
    this.#build(entry, generation);
  }

  /** Throws away a kept generation. */
  async retire(name: string, number: number): Promise<void> {
    this.#options.store.setState({ projection: this.#entry(name).projection.name, generation: number }, 'kept', 'retiring');
    this.#retire();
  }

  async parked(name: string): Promise<readonly ParkedKey[]> {
    return this.#lanesOf(name).flatMap((lane) => {
      const keys = Map.groupBy(lane.parked(), (event) => event.key);
      return [...keys].map(([key, events]) => ({ key, generation: lane.generation, events }));
    });
  }

  /** In every generation that has the key parked; the answer is that of the live one where it has. */
  async retry(name: string, key: string): Promise<Retried> {
    return this.#onParked(name, key, (lane) => lane.retry(key));
  }

  async skip(name: string, key: string, reason: string): Promise<Retried> {
    return this.#onParked(name, key, (lane) => lane.skip(key, reason));
  }

  /** Finishes the batches, which stores the checkpoints, and stops. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#lanes()].map((lane) => lane.stop()));
    await Promise.allSettled(this.#background);
  }

  #open(projection: Projection): void {
    const { store } = this.#options;
    const entry: Entry = { projection, live: undefined, building: undefined, verifying: false, heldBack: undefined };
    this.#entries.set(projection.name, entry);
    for (const generation of store.generations(projection.name)) this.#dropIfUseless(projection, generation);
    const standing = store.generations(projection.name);
    const live = standing.find((generation) => generation.state === 'live');
    const building = standing.find((generation) => generation.state === 'building');
    if (live !== undefined && this.#fits(projection, live)) {
      entry.live = this.#lane(projection, live);
      if (building !== undefined) entry.building = this.#lane(projection, building);
      return;
    }
    const kept = standing.find((generation) => generation.state === 'kept' && this.#fits(projection, generation));
    if (building === undefined && kept !== undefined) store.setState(kept, 'kept', 'building');
    const next = building ?? kept ?? this.#create(projection, live === undefined ? 'live' : 'building');
    const lane = this.#lane(projection, next);
    if (live !== undefined) {
      entry.building = lane;
      return;
    }
    if (next.state !== 'live') store.swap(next, undefined);
    entry.live = lane;
  }

  /** Data of another log, or from beyond the end of this one, is no answer to anything; nor is a half-built other version. */
  #dropIfUseless(projection: Projection, generation: Generation): void {
    const { state } = generation;
    const { store } = this.#options;
    if (state === 'retiring') return;
    if (!this.#isOfThisLog(generation) || (state === 'building' && !this.#fits(projection, generation))) store.setState(generation, state, 'retiring');
  }

  #isOfThisLog(generation: Generation): boolean {
    return generation.log === this.#options.reader.identity && isAtOrAbove(this.#head, generation.position);
  }

  #fits(projection: Projection, generation: Generation): boolean {
    return (
      this.#isOfThisLog(generation) &&
      generation.version === projection.version &&
      JSON.stringify(generation.tables) === JSON.stringify(projection.tables)
    );
  }

  #create(projection: Projection, state: 'live' | 'building'): Generation {
    const { store, reader } = this.#options;
    return store.create(projection.name, { version: projection.version, log: reader.identity, tables: projection.tables, state });
  }

  #lane(projection: Projection, generation: Generation): GenerationLane {
    return new GenerationLane(projection, generation, this.#around);
  }

  #build(entry: Entry, generation: Generation): void {
    entry.heldBack = undefined;
    entry.building = this.#lane(entry.projection, generation);
    entry.building.start();
    this.#options.onChanged?.();
  }

  #committed(lane: GenerationLane): void {
    const entry = this.#entries.get(lane.projection.name);
    if (entry?.live === lane) this.#options.onProgress?.(lane.projection.name, lane.position);
  }

  #atHead(lane: GenerationLane): void {
    const entry = this.#entries.get(lane.projection.name);
    if (entry?.building !== lane || entry.verifying || this.#closing.signal.aborted) return;
    this.#inBackground(this.#goLiveOrTryAgain(entry, lane));
  }

  async #goLiveOrTryAgain(entry: Entry, lane: GenerationLane): Promise<void> {
    try {
      await this.#goLive(entry, lane, false);
    } catch (error) {
      entry.heldBack = messageOf(error);
      const stop = this.#closing.signal;
      await this.#options.clock.sleep(this.#settings.firstRetryMs * 10, stop).catch(() => undefined);
      if (lane.atHead) this.#atHead(lane);
    }
  }

  async #goLive(entry: Entry, lane: GenerationLane, force: boolean): Promise<void> {
    const parkedLive = entry.live?.parkedKeys ?? 0;
    entry.heldBack = !force && lane.parkedKeys > parkedLive ? `it parked ${lane.parkedKeys} keys, the live one ${parkedLive}` : undefined;
    if (entry.heldBack !== undefined || entry.verifying) return;
    entry.verifying = true;
    try {
      const verification = await this.#verify(entry, lane);
      if (this.#closing.signal.aborted) return;
      const live = entry.live;
      await this.#together(live, lane, () => {
        this.#options.store.swap({ projection: entry.projection.name, generation: lane.generation }, verification);
        entry.live = lane;
        entry.building = undefined;
      });
      this.#options.onProgress?.(entry.projection.name, lane.position);
      await live?.stop();
    } finally {
      entry.verifying = false;
      this.#options.onChanged?.();
    }
    this.#retire();
  }

  /** Counts and hashes the content, and that of the live one at the very same position where it can move there. */
  async #verify(entry: Entry, lane: GenerationLane): Promise<Verification> {
    const { name, tables } = entry.projection;
    const live = entry.live?.trouble === undefined && entry.live?.paused === undefined ? entry.live : undefined;
    const moment = await this.#together(live, lane, () => ({ db: this.#options.store.snapshot(), position: lane.position }));
    try {
      const content = await this.#hash(moment.db, { projection: name, generation: lane.generation }, tables);
      const compared = live === undefined ? undefined : await this.#hash(moment.db, { projection: name, generation: live.generation }, tables);
      const verdict = compared === undefined ? 'not-compared' : compared.hash === content.hash ? 'same' : 'differs';
      return { position: moment.position, ...content, verdict, ...(compared === undefined ? {} : { liveHash: compared.hash }) };
    } finally {
      moment.db.close();
    }
  }

  /** Both stand still at the same position while `fn` runs; without a live one that can move, only the other does. */
  async #together<T>(live: GenerationLane | undefined, lane: GenerationLane, fn: () => T): Promise<T> {
    if (live === undefined || live.trouble !== undefined || live.paused !== undefined) return lane.exclusive(fn);
    return live.exclusive(() =>
      lane.exclusive(async () => {
        const target = isAtOrAbove(live.position, lane.position) ? live.position : lane.position;
        await live.advanceTo(target);
        await lane.advanceTo(target);
        return fn();
      }),
    );
  }

  async #hash(db: DatabaseSync, ref: { projection: string; generation: number }, tables: Projection['tables']): Promise<Content> {
    const pages = hashContent(db, ref, tables);
    for (let page = pages.next(); ; page = pages.next()) {
      if (page.done === true) return page.value;
      if (this.#closing.signal.aborted) throw new Error('closing');
      await nextTurn();
    }
  }

  /** Bit by bit in the background, so that live projections stay fresh. */
  #retire(): void {
    if (this.#retiring || this.#closing.signal.aborted) return;
    this.#retiring = true;
    const work = async (): Promise<void> => {
      try {
        while (!this.#closing.signal.aborted && this.#options.store.retireSome(RETIRE_ROWS)) await nextTurn();
      } catch {
        // Busy or full: what is left is retired at the next swap or start.
      } finally {
        this.#retiring = false;
      }
    };
    this.#inBackground(work());
  }

  #inBackground(work: Promise<void>): void {
    const kept = work.finally(() => this.#background.delete(kept));
    this.#background.add(kept);
  }

  async #onParked(name: string, key: string, act: (lane: GenerationLane) => Promise<Retried>): Promise<Retried> {
    const lanes = this.#lanesOf(name).filter((lane) => lane.parked().some((event) => event.key === key));
    if (lanes.length === 0) throw new NothingParked(name, key);
    const answers = [];
    for (const lane of lanes) answers.push(await act(lane));
    return answers[0] as Retried;
  }

  #statusOf(entry: Entry): ProjectionStatus {
    const { projection, live, building } = entry;
    const generations = this.#options.store.generations(projection.name);
    const shown = generations.find((generation) => generation.state === 'live') ?? generations[generations.length - 1];
    const position = live?.position ?? shown?.position ?? START;
    return {
      name: projection.name,
      version: live?.projection.version ?? shown?.version ?? projection.version,
      generation: live?.generation ?? shown?.generation ?? 0,
      state: stateOf(live ?? building, live !== undefined),
      position,
      lagEvents: this.#lagEvents(position, live?.atHead ?? false),
      pausedBecause: (live ?? building)?.paused,
      lagSeconds: live?.lagSeconds ?? secondsSince(shown?.recordedAt, this.#options.clock.now()),
      parkedKeys: live?.parkedKeys ?? 0,
      rowsWritten: live?.rowsWritten ?? shown?.rowsWritten ?? 0,
      eventsApplied: live?.eventsApplied ?? shown?.events ?? 0,
      lastError: live?.trouble ?? building?.trouble,
      rebuild: building === undefined ? undefined : this.#progressOf(entry, building),
      generations: generations
        .filter((generation) => generation.state !== 'retiring')
        .map(({ generation, version, state, position: at, verification }) => ({ generation, version, state, position: at, verification })),
    };
  }

  #progressOf(entry: Entry, lane: GenerationLane): RebuildProgress {
    const head = this.#options.reader.ordinal(this.#head);
    const at = this.#options.reader.ordinal(lane.position);
    const busy = entry.verifying ? 'verifying' : entry.heldBack === undefined ? 'catching-up' : 'held-back';
    return {
      generation: lane.generation,
      version: lane.projection.version,
      state: lane.paused !== undefined ? 'paused' : lane.failed ? 'failed' : busy,
      reason: entry.heldBack,
      position: lane.position,
      progress: this.#settings.countablePositions ? (head === 0n ? 1 : Math.min(1, Number(at) / Number(head))) : null,
      eventsApplied: lane.eventsApplied,
      parkedKeys: lane.parkedKeys,
      startedAt: lane.createdAt,
    };
  }

  #lagEvents(position: Position, atHead: boolean): number | null {
    if (!this.#settings.countablePositions) return atHead ? 0 : null;
    const { reader } = this.#options;
    const behind = Number(reader.ordinal(this.#head) - reader.ordinal(position));
    return Math.max(0, behind);
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new NoSuchProjection(name);
    return entry;
  }

  #lanesOf(name: string): readonly GenerationLane[] {
    const { live, building } = this.#entry(name);
    return [live, building].filter((lane) => lane !== undefined);
  }

  *#lanes(): Iterable<GenerationLane> {
    for (const name of this.#entries.keys()) yield* this.#lanesOf(name);
  }
}

function stateOf(lane: GenerationLane | undefined, isLive: boolean): ProjectionState {
  if (lane?.paused !== undefined) return 'paused';
  if (lane?.failed === true) return 'failed';
  return isLive && lane?.hasCaughtUp === true ? 'live' : 'building';
}

function secondsSince(time: string | undefined, now: number): number {
  return time === undefined ? 0 : Math.max(0, (now - Date.parse(time)) / 1000);
}
