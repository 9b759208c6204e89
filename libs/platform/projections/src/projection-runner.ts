import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf, START } from '#platform/kernel';
import type { Clock, Position } from '#platform/kernel';
import type { EventReader } from '#platform/event-store';
import { NoSuchGeneration } from '#platform/read-store';
import type { Generation, SqliteReadWriter } from '#platform/read-store';
import { GenerationLane } from './generation-lane.ts';
import type { LaneSurroundings } from './generation-lane.ts';
import { GenerationOpening } from './generation-opening.ts';
import { GenerationSwap } from './generation-swap.ts';
import { NothingParked, NoSuchProjection, RebuildInProgress } from './projection.errors.ts';
import type { Projection } from './projection.port.ts';
import { ProjectionReport } from './projection-report.ts';
import type { ProjectionEntry } from './projection-report.ts';
import { DEFAULT_PROJECTION_SETTINGS } from './projection-status.ts';
import type { ParkedKey, ProjectionSettings, ProjectionStatus, Retried } from './projection-status.ts';

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

/** Runs all projections of one thread: their generations, rebuilds and swaps. Owns neither the reader nor the store. */
export class ProjectionRunner {
  readonly #options: ProjectionRunnerOptions;
  readonly #settings: ProjectionSettings;
  readonly #entries = new Map<string, ProjectionEntry>();
  readonly #around: LaneSurroundings;
  readonly #opening: GenerationOpening;
  readonly #swap: GenerationSwap;
  readonly #report: ProjectionReport;
  readonly #background = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #head: Position = START;
  #retiring = false;

  constructor(options: ProjectionRunnerOptions) {
    this.#options = options;
    const { reader, store, clock } = options;
    this.#settings = { ...DEFAULT_PROJECTION_SETTINGS, ...options.settings };
    this.#opening = new GenerationOpening(store, reader);
    this.#swap = new GenerationSwap(store, this.#closing.signal);
    this.#report = new ProjectionReport({ reader, store, clock, settings: this.#settings });
    this.#around = {
      reader,
      store,
      clock,
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
    return [...this.#entries.values()].map((entry) => this.#report.statusOf(entry, this.#head));
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
    const generation = this.#opening.create(entry.projection, 'building');
    this.#build(entry, generation);
    return generation.generation;
  }

  /** Takes a kept generation back: it catches up and goes live. On one that is held back: lets it go live as it is. Throws `no-such-generation`, `rebuild-in-progress`. */
  async activate(name: string, number: number): Promise<void> {
    const entry = this.#entry(name);
    // One that is still far behind would keep the live one waiting until it has caught up.
    if (entry.building?.generation === number && entry.heldBack !== undefined) return this.#goLive(entry, entry.building, true);
    if (entry.building !== undefined) throw new RebuildInProgress(name, entry.building.generation);
    this.#head = await this.#options.reader.head();
    const generation = this.#options.store.generation({ projection: name, generation: number });
    if (generation?.state !== 'kept') throw new NoSuchGeneration(name, number, 'it is not kept');
    if (!this.#opening.fits(entry.projection, generation, this.#head)) throw new NoSuchGeneration(name, number, 'it is of another version or log');
    this.#options.store.setState(generation, 'kept', 'building');
    this.#build(entry, generation);
  }

  /** Throws away a kept generation. Throws `no-such-generation`. */
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
    const { live, building } = this.#opening.open(projection, this.#head);
    const lane = (generation: Generation | undefined): GenerationLane | undefined =>
      generation === undefined ? undefined : new GenerationLane(projection, generation, this.#around);
    this.#entries.set(projection.name, { projection, live: lane(live), building: lane(building), verifying: false, heldBack: undefined });
  }

  #build(entry: ProjectionEntry, generation: Generation): void {
    entry.heldBack = undefined;
    entry.building = new GenerationLane(entry.projection, generation, this.#around);
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

  async #goLiveOrTryAgain(entry: ProjectionEntry, lane: GenerationLane): Promise<void> {
    try {
      await this.#goLive(entry, lane, false);
    } catch (error) {
      entry.heldBack = messageOf(error);
      const stop = this.#closing.signal;
      await this.#options.clock.sleep(this.#settings.firstRetryMs * 10, stop).catch(() => undefined);
      if (lane.atHead) this.#atHead(lane);
    }
  }

  async #goLive(entry: ProjectionEntry, lane: GenerationLane, force: boolean): Promise<void> {
    const parkedLive = entry.live?.parkedKeys ?? 0;
    entry.heldBack = !force && lane.parkedKeys > parkedLive ? `it parked ${lane.parkedKeys} keys, the live one ${parkedLive}` : undefined;
    if (entry.heldBack !== undefined || entry.verifying) return;
    entry.verifying = true;
    try {
      const verification = await this.#swap.verify(entry.live, lane);
      if (this.#closing.signal.aborted) return;
      const live = entry.live;
      await this.#swap.swap(live, lane, verification, () => {
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

  #entry(name: string): ProjectionEntry {
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
