import { randomUUID } from 'node:crypto';
import type { Clock, ErrorMessage } from '#platform/kernel';
import type { Hex } from '../domain/rpc-types.ts';
import type { ReadBlock, ReadRequest, TakeBlock } from '../ports/block-reader.port.ts';
import { fromReaderError } from '../ports/chain-node.errors.ts';
import type { NodePlace, ReadingJob } from '../ports/reading-board.port.ts';
import { checkHanded } from './handed-block.ts';
import { WorkLapsed, WorkUndone, WorkWrong } from './reading-jobs.errors.ts';

/** One connection of a worker process. */
export interface Worker {
  readonly holder: string;
  readonly left: AbortSignal;
}

export interface ReadingJobsOptions {
  readonly clock: Clock;
  /** A worker that says nothing for so long has lost what it holds. */
  readonly silentMs?: number;
  /** A job from which no block comes for so long is taken away, whatever its worker says. */
  readonly stuckMs?: number;
  /** A job that nobody takes for so long is given back. */
  readonly untakenMs?: number;
}

/** `metered`: on keys, of whose budgets a worker has a share of its own. */
export type SharedPlace = NodePlace & { readonly metered: boolean };

interface Job {
  readonly place: SharedPlace;
  readonly request: ReadRequest;
  readonly take: TakeBlock;
  readonly settle: (error?: Error) => void;
}

/** A job in the hands of a worker. */
interface Handing {
  readonly ticket: string;
  readonly job: Job;
  readonly crew: Crew;
  readonly over: AbortController;
  accepted: number;
  last: Hex | undefined;
  movedAt: number;
}

interface Crew {
  readonly worker: Worker;
  readonly takers: ((job: ReadingJob | undefined) => void)[];
  readonly holds: Map<string, Handing>;
  slots: number;
  heardAt: number;
  failures: number;
  restsUntil: number;
}

const SILENT_MS = 10_000;
const STUCK_MS = 300_000;
const UNTAKEN_MS = 1_000;
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;
/** What the node itself said; anything else that a worker meets may be its own trouble. */
const WORDS_OF_THE_NODE: ReadonlySet<string> = new Set(['node-refused', 'method-unsupported', 'history-pruned']);
/** Of a node on keys, refusals that are about who asks: its share of the budgets, its secret. Whether they hold here is seen here. */
const OF_THE_WORKER: ReadonlySet<unknown> = new Set(['throttled', 'exhausted', 'revoked']);

/**
 * The owner's board of what is to be read. A job is one worker's at a time; each of its blocks is accepted once, in order, and
 * only from whoever holds its ticket. Nothing waits here for long: what no worker reads is given back with `work-undone`.
 */
export class ReadingJobs {
  readonly #clock: Clock;
  readonly #silentMs: number;
  readonly #stuckMs: number;
  readonly #untakenMs: number;
  readonly #queue: Job[] = [];
  readonly #crews = new Map<Worker, Crew>();

  constructor({ clock, silentMs = SILENT_MS, stuckMs = STUCK_MS, untakenMs = UNTAKEN_MS }: ReadingJobsOptions) {
    this.#clock = clock;
    this.#silentMs = silentMs;
    this.#stuckMs = stuckMs;
    this.#untakenMs = untakenMs;
  }

  /** How many jobs the workers that are well read at once. */
  get capacity(): number {
    let slots = 0;
    for (const crew of this.#crews.values()) if (this.#isWell(crew)) slots += crew.slots;
    return slots;
  }

  get hasRoom(): boolean {
    return this.#queue.length + this.held < this.capacity;
  }

  /** Jobs in the hands of workers. */
  get held(): number {
    let held = 0;
    for (const { holds } of this.#crews.values()) held += holds.size;
    return held;
  }

  get workers(): number {
    return this.#crews.size;
  }

  /** As `BlockReader.read`, by a worker; `work-undone` where it was none's fault but a worker's: what was taken until then stands. */
  read(place: SharedPlace, request: ReadRequest, signal: AbortSignal, take: TakeBlock): Promise<void> {
    signal.throwIfAborted();
    const over = new AbortController();
    return new Promise<void>((resolve, reject) => {
      const settle = (error?: Error): void => {
        over.abort();
        if (error === undefined) resolve();
        else reject(error);
      };
      const job: Job = { place, request, take, settle };
      signal.addEventListener('abort', () => this.#drop(job, signal.reason as Error), { once: true, signal: over.signal });
      this.#queue.push(job);
      this.#match();
      const untaken = (): void => void (this.#queue.includes(job) && this.#drop(job, new WorkUndone('no worker took it')));
      void this.#clock.sleep(this.#untakenMs, over.signal).then(untaken, () => undefined);
    });
  }

  /** A job for this worker, or undefined after `waitMs`. */
  take(worker: Worker, slots: number, waitMs: number): Promise<ReadingJob | undefined> {
    const crew = this.#crewOf(worker);
    crew.slots = slots;
    return new Promise((resolve) => {
      const timer = new AbortController();
      const taker = (job: ReadingJob | undefined): void => {
        timer.abort();
        const at = crew.takers.indexOf(taker);
        if (at >= 0) crew.takers.splice(at, 1);
        resolve(job);
      };
      crew.takers.push(taker);
      // More than it can read is not waited for: the oldest is let go.
      if (crew.takers.length > slots) crew.takers[0]?.(undefined);
      void this.#clock.sleep(waitMs, timer.signal).then(() => taker(undefined), () => undefined);
      this.#match();
    });
  }

  /** Blocks of a job, the first of them at place `first` of its request. What was accepted before is passed over. Throws `work-lapsed`, `work-wrong`. */
  async hand(worker: Worker, ticket: string, first: number, blocks: readonly ReadBlock[]): Promise<void> {
    const handing = this.#held(worker, ticket);
    const written = blocks.map((block, place) => Promise.resolve(this.#accept(handing, first + place, block)));
    // A body that can not be written is told to whoever asked for it; here it is only waited for.
    await Promise.allSettled(written);
  }

  /** The end of a job. Throws `work-lapsed`, `work-wrong`. */
  done(worker: Worker, ticket: string, blocks: number, error?: ErrorMessage): void {
    const handing = this.#held(worker, ticket);
    const { crew, job, accepted } = handing;
    if (blocks !== accepted) this.#fail(handing, new WorkWrong('it counts other blocks than it handed over'));
    this.#end(handing);
    if (error === undefined) {
      crew.failures = 0;
      job.settle();
      return;
    }
    const isOfTheWorker = job.place.metered && OF_THE_WORKER.has(error.facts['meaning']);
    if (WORDS_OF_THE_NODE.has(error.code) && !isOfTheWorker) return job.settle(fromReaderError(error));
    this.#rest(crew);
    job.settle(new WorkUndone(error.code));
  }

  /** The worker lives and reads these; answers which of them it need not. */
  beat(worker: Worker, tickets: readonly string[]): readonly string[] {
    const { holds } = this.#crewOf(worker);
    return tickets.filter((ticket) => !holds.has(ticket));
  }

  #accept(handing: Handing, place: number, block: ReadBlock): void | Promise<unknown> {
    if (place < handing.accepted) return;
    if (handing.over.signal.aborted) throw new WorkLapsed();
    try {
      if (place > handing.accepted) throw new WorkWrong('it is out of order');
      checkHanded(handing.job.request, place, block, handing.last);
    } catch (error) {
      this.#fail(handing, error);
    }
    handing.accepted += 1;
    handing.last = block.observed.hash;
    handing.movedAt = this.#clock.monotonic();
    try {
      return handing.job.take(block);
    } catch (error) {
      this.#end(handing);
      handing.job.settle(error as Error);
      throw new WorkLapsed();
    }
  }

  /** Of a worker that does not do what it should: what it holds of this job is read elsewhere. */
  #fail(handing: Handing, error: unknown): never {
    this.#rest(handing.crew);
    this.#lapse(handing, 'it handed over something else');
    throw error;
  }

  #crewOf(worker: Worker): Crew {
    let crew = this.#crews.get(worker);
    if (crew === undefined) {
      crew = { worker, takers: [], holds: new Map(), slots: 0, heardAt: 0, failures: 0, restsUntil: 0 };
      if (worker.left.aborted) throw new WorkLapsed();
      this.#crews.set(worker, crew);
      worker.left.addEventListener('abort', () => this.#leave(worker), { once: true });
    }
    crew.heardAt = this.#clock.monotonic();
    return crew;
  }

  #held(worker: Worker, ticket: string): Handing {
    const handing = this.#crewOf(worker).holds.get(ticket);
    if (handing === undefined) throw new WorkLapsed();
    return handing;
  }

  #leave(worker: Worker): void {
    const crew = this.#crews.get(worker);
    this.#crews.delete(worker);
    for (const handing of [...(crew?.holds.values() ?? [])]) this.#lapse(handing, 'its worker left');
    for (const taker of [...(crew?.takers ?? [])]) taker(undefined);
  }

  #match(): void {
    while (this.#queue.length > 0) {
      const crew = this.#leastBusy();
      if (crew === undefined) return;
      this.#give(this.#queue.shift() as Job, crew);
    }
  }

  #leastBusy(): Crew | undefined {
    let least: Crew | undefined;
    for (const crew of this.#crews.values()) {
      if (crew.takers.length > 0 && crew.holds.size < crew.slots && this.#isWell(crew) && (least === undefined || crew.holds.size < least.holds.size)) least = crew;
    }
    return least;
  }

  #give(job: Job, crew: Crew): void {
    const handing: Handing = { ticket: randomUUID(), job, crew, over: new AbortController(), accepted: 0, last: undefined, movedAt: this.#clock.monotonic() };
    crew.holds.set(handing.ticket, handing);
    const { chain, node } = job.place;
    crew.takers[0]?.({ ticket: handing.ticket, place: { chain, node }, request: job.request });
    void this.#watch(handing);
  }

  async #watch(handing: Handing): Promise<void> {
    const { crew, over } = handing;
    while (!over.signal.aborted) {
      const now = this.#clock.monotonic();
      const left = Math.min(crew.heardAt + this.#silentMs, handing.movedAt + this.#stuckMs) - now;
      if (left <= 0) return this.#lapse(handing, now - crew.heardAt >= this.#silentMs ? 'its worker is silent' : 'its worker does not come on');
      await this.#clock.sleep(left, over.signal).catch(() => undefined);
    }
  }

  #lapse(handing: Handing, reason: string): void {
    this.#end(handing);
    handing.job.settle(new WorkUndone(reason));
  }

  #end({ crew, ticket, over }: Handing): void {
    crew.holds.delete(ticket);
    over.abort();
  }

  #drop(job: Job, reason: Error): void {
    const at = this.#queue.indexOf(job);
    if (at >= 0) this.#queue.splice(at, 1);
    for (const { holds } of this.#crews.values()) for (const handing of [...holds.values()]) if (handing.job === job) this.#end(handing);
    job.settle(reason);
  }

  #rest(crew: Crew): void {
    crew.restsUntil = this.#clock.monotonic() + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** crew.failures);
    crew.failures = Math.min(crew.failures + 1, 10);
  }

  #isWell({ heardAt, restsUntil }: Crew): boolean {
    const now = this.#clock.monotonic();
    return now - heardAt < this.#silentMs && now >= restsUntil;
  }
}
