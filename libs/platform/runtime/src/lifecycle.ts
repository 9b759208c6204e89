import { ChainfoldError, type Clock } from '#platform/kernel';

/**
 * The order in which parts start; they stop in the reverse one. So on the way down: nothing new is taken from the
 * world, its node ends, open requests end, mailboxes finish, projections store their place, then files close.
 */
export const PHASES = ['files', 'projections', 'actors', 'http', 'node', 'processes'] as const;
export type Phase = (typeof PHASES)[number];

/** Something with a beginning and an end: a store, an actor system, a capture process. */
export interface Part {
  /** Shown to operators when it hangs. Unique. */
  readonly name: string;
  readonly phase: Phase;
  /** Left out: the part is running already. The signal is aborted when the program is asked to end meanwhile. */
  start?(signal: AbortSignal): Promise<void> | void;
  /** The signal is aborted when the part's budget is over and nobody waits any more. */
  stop?(signal: AbortSignal): Promise<void> | void;
  readonly stopWithinMs?: number;
}

export type LifecycleState = 'opening' | 'running' | 'draining' | 'closed';

export interface DrainReport {
  readonly tookMs: number;
  /** Parts that did not stop within their budget, in the order they were asked. */
  readonly hung: readonly string[];
  readonly failed: readonly { readonly part: string; readonly error: unknown }[];
}

export interface LifecycleOptions {
  /** For all parts together; a part that hangs takes from the time of the others, but never all of it. */
  readonly drainWithinMs?: number;
  /** Told of every step; for the log. */
  readonly observe?: (step: 'started' | 'stopped' | 'hung' | 'failed', part: string, tookMs: number) => void;
}

const PART_BUDGET_MS = 8_000;
const DRAIN_BUDGET_MS = 25_000;
/** What every part gets, however long the others took: enough to close a file. */
const LEAST_BUDGET_MS = 500;

/** Starts and stops the parts of a program in order. */
export class Lifecycle {
  readonly #clock: Clock;
  readonly #options: LifecycleOptions;
  readonly #parts: Part[] = [];
  readonly #started = new Set<Part>();
  readonly #draining = new AbortController();
  #state: LifecycleState = 'opening';
  #starting: Promise<void> | undefined;
  #drained: Promise<DrainReport> | undefined;

  constructor(clock: Clock, options: LifecycleOptions = {}) {
    this.#clock = clock;
    this.#options = options;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** Aborted as soon as the program is asked to end: for streams that would otherwise never close. */
  get draining(): AbortSignal {
    return this.#draining.signal;
  }

  /** Before `start`. Parts of one phase start in the order they were added. */
  add(part: Part): void {
    if (this.#starting !== undefined || this.#state !== 'opening') throw new PartTooLate(part.name);
    if (this.#parts.some((other) => other.name === part.name)) throw new Error(`two parts are called ${part.name}`);
    this.#parts.push(part);
  }

  /** The first part that fails ends it; those started before stay up until `drain`. */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Stops what was started. Never throws; asked again it gives the same answer. */
  drain(): Promise<DrainReport> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #start(): Promise<void> {
    for (const part of this.#inOrder()) {
      if (this.#state !== 'opening') return;
      const from = this.#clock.monotonic();
      // What began to start must also be stopped, even when it failed half way.
      this.#started.add(part);
      await part.start?.(this.#draining.signal);
      if (part.start !== undefined) this.#options.observe?.('started', part.name, this.#clock.monotonic() - from);
    }
    if (this.#state === 'opening') this.#state = 'running';
  }

  async #drain(): Promise<DrainReport> {
    const from = this.#clock.monotonic();
    const until = from + (this.#options.drainWithinMs ?? DRAIN_BUDGET_MS);
    this.#state = 'draining';
    this.#draining.abort(new Draining());
    await this.#settleStart(until);
    const hung: string[] = [];
    const failed: { part: string; error: unknown }[] = [];
    for (const part of this.#inOrder().reverse()) {
      // A part without a start runs since it was added, also when the start never came so far.
      if (part.stop === undefined || (part.start !== undefined && !this.#started.has(part))) continue;
      await this.#stop(part, until, hung, failed);
    }
    this.#state = 'closed';
    return { tookMs: this.#clock.monotonic() - from, hung, failed };
  }

  /** A start in progress is given the time to notice the signal, so that it can not go on after its stop. */
  async #settleStart(until: number): Promise<void> {
    if (this.#starting === undefined) return;
    const timer = new AbortController();
    const left = Math.min(PART_BUDGET_MS, until - this.#clock.monotonic());
    await Promise.race([this.#starting.catch(() => undefined), this.#clock.sleep(left, timer.signal).catch(() => undefined)]);
    timer.abort();
  }

  async #stop(part: Part, until: number, hung: string[], failed: { part: string; error: unknown }[]): Promise<void> {
    const from = this.#clock.monotonic();
    const budget = Math.min(part.stopWithinMs ?? PART_BUDGET_MS, Math.max(until - from, LEAST_BUDGET_MS));
    const overdue = new AbortController();
    const timer = new AbortController();
    const stopping = (async () => part.stop?.(overdue.signal))().then(
      () => 'stopped' as const,
      (error: unknown) => {
        if (!overdue.signal.aborted) failed.push({ part: part.name, error });
        return 'failed' as const;
      },
    );
    const late = this.#clock.sleep(budget, timer.signal).then(
      () => 'hung' as const,
      () => 'stopped' as const,
    );
    const outcome = await Promise.race([stopping, late]);
    if (outcome === 'hung') {
      hung.push(part.name);
      overdue.abort(new Error(`${part.name} did not stop within ${budget} ms`));
    }
    timer.abort();
    this.#options.observe?.(outcome, part.name, this.#clock.monotonic() - from);
  }

  #inOrder(): Part[] {
    return PHASES.flatMap((phase) => this.#parts.filter((part) => part.phase === phase));
  }
}

/** Why something stops: the program ends. */
export class Draining extends ChainfoldError {
  constructor() {
    super('This process is ending and takes no new work', {
      code: 'draining',
      kind: 'unavailable',
      retryable: true,
      hint: 'Ask again in a few seconds; what was answered before is kept.',
    });
  }
}

class PartTooLate extends ChainfoldError {
  constructor(part: string) {
    super('A part was added after the program had started', { code: 'part-too-late', kind: 'bug', facts: { part } });
  }
}
