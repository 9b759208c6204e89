import type { EventReader } from '#platform/event-store';
import type { Clock, Position, RecordedEvent } from '#platform/kernel';
import { ChainfoldError, START } from '#platform/kernel';
import type { ObservedBlock } from '../domain/chain.events.ts';
import type { CaptureLog, CaptureMetrics } from './capture-log.ts';
import type { OpenChain } from './capture.process.ts';
import { NoProvider, isNodeTrouble } from './capture.errors.ts';
import type { BackfillActors, ChainActors } from './chain-actors.ts';
import { blocksBeside } from './beside-range.ts';
import { viewOf } from './chain-view.ts';
import { pieces } from './observed-pieces.ts';

export interface BackfillParts {
  readonly reader: EventReader;
  readonly chains: ChainActors;
  readonly backfills: BackfillActors;
  readonly clock: Clock;
  readonly log: CaptureLog;
  readonly metrics: CaptureMetrics;
  /** The chains that are captured here; a request for another one waits. Resolves when the chain is open. */
  readonly open: (chainId: string) => Promise<OpenChain> | undefined;
}

export interface BackfillProgress {
  readonly chainId: string;
  readonly from: number;
  readonly to: number;
  /** Blocks that are durable. */
  readonly done: number;
  readonly blocksPerSecond: number;
  readonly state: 'waiting' | 'running' | 'stalled' | 'failed';
  readonly reason: string | undefined;
}

type Job = { -readonly [field in keyof BackfillProgress]: BackfillProgress[field] };

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
const UNTIL_FINAL_MS = 500;
/** With growing pauses this is long enough for the head to leave a branch too. */
const MOST_REREADS = 6;
const TELLING: readonly string[] = ['BackfillRequested', 'BackfillCompleted', 'BackfillCancelled'];

/** Fills the ranges that the log says were requested, whoever requested them; goes on after a restart. */
export class BackfillProcess {
  readonly #parts: BackfillParts;
  readonly #jobs = new Map<string, Job>();
  readonly #running = new Map<string, Promise<void>>();
  /** What each chain works on; aborted when it is cancelled. */
  readonly #current = new Map<string, { readonly job: Job; readonly cancel: AbortController }>();
  /** Where the requests are read on. */
  #after: Position = START;
  #trouble: string | undefined;
  /** Set once the whole log is read. */
  #caughtUp: AbortSignal | undefined;

  constructor(parts: BackfillParts) {
    this.#parts = parts;
  }

  /** Of what is not finished yet; what is, stands in the log. */
  progress(chainId: string): readonly BackfillProgress[] {
    return [...this.#jobs.values()].filter((job) => job.chainId === chainId);
  }

  /** What was requested of a chain before it was open starts now. */
  chainOpened(): void {
    if (this.#caughtUp !== undefined) this.#startAll(this.#caughtUp);
  }

  /** Why requests are not heard at present; undefined while they are. */
  trouble(): string | undefined {
    return this.#trouble;
  }

  /** Runs until the signal is aborted or the log is closed; trouble of the log is waited out. */
  async run(signal: AbortSignal): Promise<void> {
    let heard: Position | undefined;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await this.#hear(signal);
        break;
      } catch (error) {
        if (signal.aborted) break;
        if (this.#after !== heard) failures = 0;
        heard = this.#after;
        if (this.#trouble === undefined) this.#parts.log.error({ err: error, after: heard }, 'requests for backfills can not be read');
        this.#trouble = error instanceof Error ? error.message : String(error);
        const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 8));
        await this.#parts.clock.sleep(pause, signal).catch(() => undefined);
      }
    }
    await Promise.allSettled(this.#running.values());
  }

  async #hear(signal: AbortSignal): Promise<void> {
    const deliveries = this.#parts.reader.subscribe(this.#after, { categories: ['chain'], types: TELLING }, signal);
    for await (const delivery of deliveries) {
      this.#trouble = undefined;
      if (delivery.kind === 'event') this.#note(delivery.event);
      this.#after = delivery.kind === 'event' ? delivery.event.position : delivery.position;
      if (delivery.kind === 'caughtUp') this.#caughtUp = signal;
      // Only with the whole log read is it known which requests were fulfilled long ago.
      if (this.#caughtUp !== undefined) this.#startAll(signal);
    }
  }

  #note({ type, data }: RecordedEvent): void {
    const { chainId, from, to } = data as unknown as { chainId: string; from: number; to: number };
    const key = `${chainId}.${from}.${to}`;
    if (type === 'BackfillRequested') {
      this.#jobs.set(key, { chainId, from, to, done: 0, blocksPerSecond: 0, state: 'waiting', reason: undefined });
      return;
    }
    const job = this.#jobs.get(key);
    const current = this.#current.get(chainId);
    this.#jobs.delete(key);
    if (type !== 'BackfillCancelled' || job === undefined) return;
    if (current?.job === job) current.cancel.abort(new Error('the backfill is cancelled'));
    this.#parts.log.info({ chainId, from, to, done: job.done }, 'backfill cancelled');
  }

  /** One at a time per chain: two would only share the same provider. */
  #startAll(signal: AbortSignal): void {
    for (const { chainId } of this.#jobs.values()) {
      if (this.#running.has(chainId)) continue;
      const open = this.#parts.open(chainId);
      if (open === undefined) continue;
      const work = this.#workOn(chainId, open, signal).finally(() => {
        this.#running.delete(chainId);
        if (!signal.aborted && this.#waiting(chainId) !== undefined) this.#startAll(signal);
      });
      this.#running.set(chainId, work);
      work.catch(() => undefined);
    }
  }

  #waiting(chainId: string): Job | undefined {
    return this.progress(chainId).find((job) => job.state !== 'failed');
  }

  async #workOn(chainId: string, opened: Promise<OpenChain>, signal: AbortSignal): Promise<void> {
    const open = await opened;
    for (let job = this.#waiting(chainId); job !== undefined && !signal.aborted; job = this.#waiting(chainId)) {
      const cancel = new AbortController();
      this.#current.set(chainId, { job, cancel });
      await this.#persist(job, open, AbortSignal.any([signal, cancel.signal]));
      this.#current.delete(chainId);
    }
  }

  async #persist(job: Job, open: OpenChain, signal: AbortSignal): Promise<void> {
    const { log, clock } = this.#parts;
    let left = 0;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const before = job.done;
      try {
        await this.#fill(job, open, signal, left > 0);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (job.done > before) failures = left = 0;
        if (leftBranch(error)) left += 1;
        const reason = error instanceof Error ? error.message : String(error);
        const passing = isPassing(error) || (leftBranch(error) && left <= MOST_REREADS);
        const changed = job.state !== (passing ? 'stalled' : 'failed');
        Object.assign(job, { state: passing ? 'stalled' : 'failed', reason, blocksPerSecond: 0 });
        const facts = error instanceof ChainfoldError ? { code: error.code, ...error.facts } : { error };
        if (changed) log.warn({ chainId: job.chainId, from: job.from, to: job.to, ...facts }, passing ? 'backfill stalled' : 'backfill failed');
        if (!passing) return;
        const pause = error instanceof NoProvider ? error.waitMs : FIRST_PAUSE_MS * 2 ** Math.min(Math.max(failures, left - 1), 8);
        await clock.sleep(Math.min(LONGEST_PAUSE_MS, pause), signal).catch(() => undefined);
      }
    }
  }

  /** `again`: the newest blocks of the range are read once more, for the chain left the branch that they were on. */
  async #fill(job: Job, open: OpenChain, signal: AbortSignal, again: boolean): Promise<void> {
    const { backfills, chains, reader, log } = this.#parts;
    const { chainId, from, to } = job;
    const id = `${chainId}.${from}.${to}`;
    await backfills.tell(id, { type: 'StartBackfill', chainId, from, to });
    if (!(await this.#stands(id, open, signal))) await backfills.tell(id, { type: 'RestartBackfill' });
    const { state } = await backfills.peek(id);
    if (state.status === 'running') {
      const next = again ? (state.recent[0]?.number ?? from) : state.tip === undefined ? from : state.tip.number + 1;
      await this.#read(job, id, next, open, signal);
      const chain = (await chains.peek(chainId)).state;
      const beside = await blocksBeside(reader, chainId, { from, to }, chain.status === 'absent' ? [] : chain.backfills);
      await backfills.tell(id, { type: 'FinishBackfill', ...beside });
    }
    await chains.tell(chainId, { type: 'CompleteBackfill', from, to });
    this.#jobs.delete(id);
    log.info({ chainId, from, to, blocks: to - from + 1 }, 'backfill finished');
  }

  /** A finished range may be requested once more, for the chain left its branch: by its last block the node says whether that one stands. */
  async #stands(id: string, open: OpenChain, signal: AbortSignal): Promise<boolean> {
    const { state } = await this.#parts.backfills.peek(id);
    if (state.status !== 'finished') return true;
    const last: ObservedBlock[] = [];
    for await (const blocks of open.intake.range(state.to, state.to, signal)) last.push(...blocks);
    return last[0]?.hash === state.tip.hash;
  }

  async #read(job: Job, id: string, from: number, open: OpenChain, signal: AbortSignal): Promise<void> {
    const { chainId, to } = job;
    job.done = from - job.from;
    for (let next = from; next <= to; ) {
      const last = await this.#settled(job, next, open, signal);
      job.state = 'running';
      job.reason = undefined;
      if (next === from) this.#parts.log.info({ chainId, from: job.from, to, next }, 'backfill runs');
      const rate = new Rate(this.#parts.clock);
      for await (const blocks of open.intake.range(next, last, signal, () => open.priority.clear())) {
        for (const piece of pieces(blocks)) await this.#observe(job, id, piece, rate);
      }
      next = last + 1;
    }
  }

  /**
   * How far the range may be read. What is not final yet is waited for, since a branch that replaced it would find its
   * blocks canonical; and so is the chain's first block, which its last one must join. Where nothing is final there is
   * nothing to wait for, nor where the head is not followed.
   */
  async #settled(job: Job, next: number, { follows }: OpenChain, signal: AbortSignal): Promise<number> {
    for (;;) {
      const { finalized, head, firstBlock } = viewOf((await this.#parts.chains.peek(job.chainId)).state);
      const isUnjoined = head === undefined && job.to + 1 === firstBlock;
      if (!follows || (!isUnjoined && (finalized === undefined || finalized.number >= job.to))) return job.to;
      if (finalized !== undefined && finalized.number >= next) return finalized.number;
      const reason = isUnjoined ? `block ${firstBlock} is not captured yet` : `block ${next} is not final yet`;
      Object.assign(job, { state: 'waiting', reason, blocksPerSecond: 0 });
      await this.#parts.clock.sleep(UNTIL_FINAL_MS, signal);
    }
  }

  async #observe(job: Job, id: string, piece: readonly ObservedBlock[], rate: Rate): Promise<void> {
    await this.#parts.backfills.tell(id, { type: 'ObserveBackfilled', blocks: piece });
    job.done = (piece.at(-1)?.number ?? job.from) - job.from + 1;
    job.blocksPerSecond = rate.after(piece.length);
    this.#parts.metrics.backfilled(job.chainId, piece.length, piece.reduce((sum, block) => sum + block.transactionCount, 0));
  }
}

/** Every command of a backfill may come twice, so an append without an answer passes too. */
function isPassing(error: unknown): boolean {
  return isNodeTrouble(error) || (error instanceof ChainfoldError && (error.retryable || error.kind === 'unavailable'));
}

/** What was read does not go with what the node says now, or with our head. */
function leftBranch(error: unknown): boolean {
  return error instanceof ChainfoldError && (error.code === 'parent-mismatch' || error.code === 'backfill-unlinked');
}

/** Blocks per second, over about the last ten seconds. */
class Rate {
  readonly #clock: Clock;
  readonly #marks: { readonly at: number; readonly total: number }[] = [];
  #total = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#marks.push({ at: clock.monotonic(), total: 0 });
  }

  after(blocks: number): number {
    this.#total += blocks;
    const now = this.#clock.monotonic();
    this.#marks.push({ at: now, total: this.#total });
    while (this.#marks.length > 2 && now - (this.#marks[0]?.at ?? now) > 10_000) this.#marks.shift();
    const first = this.#marks[0] ?? { at: now, total: 0 };
    return now === first.at ? 0 : Math.round(((this.#total - first.total) * 10_000) / (now - first.at)) / 10;
  }
}
