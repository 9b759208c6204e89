import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { fromErrorMessage, messageOf } from '#platform/kernel';
import type { Clock, Position } from '#platform/kernel';
import { BackOff } from './back-off.ts';
import { ProjectorStopped } from './projection.errors.ts';
import type { ParkedKey, ProjectionSettings, ProjectionStatus, Retried } from './projection-status.ts';
import type { FromProjector, ProjectorAnswer, ProjectorArguments, ProjectorCall, ProjectorData } from './projector-messages.ts';

export interface ProjectionHostOptions {
  readonly logDirectory: string;
  readonly readFile: string;
  /** URLs of modules that export `projections: readonly Projection[]`, and `upcasters` where there are any; erasable TypeScript all the way down. */
  readonly modules: readonly string[];
  readonly clock: Clock;
  readonly settings?: Partial<ProjectionSettings>;
  /** After each commit of a live generation: hand it to the read store's `advanced`, so that waiting readers wake. */
  readonly onProgress?: (projection: string, position: Position) => void;
  /** Once per change of a projection's or the thread's state; for the log. */
  readonly onStateChange?: (change: StateChange) => void;
}

export interface StateChange {
  /** Undefined: the thread itself. */
  readonly projection: string | undefined;
  readonly state: ProjectionStatus['state'] | 'started' | 'stopped';
  readonly generation: number | undefined;
  /** Undefined of a stopped thread: it was asked to close. */
  readonly reason: string | undefined;
}

export interface ProjectorReadiness {
  readonly ready: boolean;
  /** One sentence each, for an operator. */
  readonly reasons: readonly string[];
}

const SILENT_MS = 15_000;
const STALLED_MS = 30_000;
const CLOSE_BUDGET_MS = 10_000;
/** Of rows and events that are forgotten batch by batch; left alone it grows to 130 MB and brings no speed. */
const YOUNG_MB = 32;
/** After so long without a death the next one is the first again. */
const STEADY_MS = 60_000;

/**
 * The projections in a thread of their own, as the main thread sees them. The thread is started again when it dies,
 * with growing pauses; until then every projection is told as failed.
 */
export class ProjectionHost {
  readonly #options: ProjectionHostOptions;
  readonly #backOff = new BackOff(250, 30_000);
  readonly #closing = new AbortController();
  readonly #calls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #moved = new Map<string, { position: Position; at: number }>();
  #worker: Worker | undefined;
  #stopped: string | undefined = 'it has not been started';
  #statuses: readonly ProjectionStatus[] = [];
  #heardAt = 0;
  #nextCall = 0;
  #restarting: Promise<void> | undefined;

  constructor(options: ProjectionHostOptions) {
    this.#options = options;
  }

  /** Resolves once the generations are open and running. Throws `data-newer`, `data-damaged` or what a module throws on loading. */
  async start(): Promise<void> {
    await this.#startThread();
  }

  /** As last told, at most about half a second ago while the thread is well. */
  status(): readonly ProjectionStatus[] {
    const reason = this.#stopped;
    if (reason === undefined) return this.#statuses;
    const lastError = { code: 'projector-stopped', message: reason, hint: 'It is started again by itself.', since: this.#heardAt, attempts: this.#backOff.attempts };
    return this.#statuses.map((status) => ({ ...status, state: 'failed' as const, lastError }));
  }

  readiness(): ProjectorReadiness {
    const reasons = [...this.#threadTrouble(), ...this.#statuses.flatMap((status) => this.#troubleOf(status))];
    return { ready: reasons.length === 0, reasons };
  }

  /** Asks the thread now instead of waiting for its next word. */
  async refresh(): Promise<readonly ProjectionStatus[]> {
    this.#heard(await this.#call('status'));
    return this.status();
  }

  /** Survives a restart. */
  pause(name: string, reason?: string): Promise<void> {
    return reason === undefined ? this.#call('pause', name) : this.#call('pause', name, reason);
  }
  resume(name: string): Promise<void> {
    return this.#call('resume', name);
  }
  /** Answers the number of the generation; it goes live by itself. Throws `rebuild-in-progress`. */
  rebuild(name: string): Promise<number> {
    return this.#call('rebuild', name);
  }
  /** Swaps back to a kept generation, or lets one go live that is held back. */
  activate(name: string, generation: number): Promise<void> {
    return this.#call('activate', name, generation);
  }
  retire(name: string, generation: number): Promise<void> {
    return this.#call('retire', name, generation);
  }
  parked(name: string): Promise<readonly ParkedKey[]> {
    return this.#call('parked', name);
  }
  retry(name: string, key: string): Promise<Retried> {
    return this.#call('retry', name, key);
  }
  skip(name: string, key: string, reason: string): Promise<Retried> {
    return this.#call('skip', name, key, reason);
  }

  /** The batches in work are finished and their checkpoints stored. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#restarting;
    const worker = this.#worker;
    if (worker !== undefined) {
      const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
      worker.postMessage({ type: 'close' });
      const late = new AbortController();
      const budget = this.#options.clock.sleep(CLOSE_BUDGET_MS, late.signal).then(() => worker.terminate(), () => undefined);
      await Promise.race([ended, budget]);
      late.abort();
    }
    this.#down('it is closed');
  }

  #startThread(): Promise<void> {
    const { logDirectory, readFile, modules, settings = {} } = this.#options;
    const extension = extname(import.meta.url);
    const data: ProjectorData = { logDirectory, readFile, modules, settings };
    const worker = new Worker(new URL(`./projector.worker${extension}`, import.meta.url), {
      workerData: data,
      name: 'projector',
      execArgv: ['--disable-warning=ExperimentalWarning', ...(extension === '.ts' ? ['--conditions=source'] : [])],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker = worker;
    const startedAt = this.#options.clock.monotonic();
    return new Promise((resolve, reject) => {
      let started = false;
      let reason: Error = new ProjectorStopped('the thread ended');
      worker.on('message', (message: FromProjector) => {
        if (message.type === 'started') {
          started = true;
          this.#up();
          resolve();
        } else if (message.type === 'fatal') reason = fromErrorMessage(message.error);
        else this.#onMessage(message);
      });
      worker.on('error', (error) => (reason = error as Error));
      worker.on('exit', () => {
        if (this.#worker !== worker) return;
        this.#worker = undefined;
        this.#down(messageOf(reason));
        reject(reason);
        if (!started) return;
        if (this.#options.clock.monotonic() - startedAt > STEADY_MS) this.#backOff.reset();
        this.#restarting ??= this.#restart();
      });
    });
  }

  async #restart(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#closing.signal.aborted) {
      await clock.sleep(this.#backOff.next(), this.#closing.signal).catch(() => undefined);
      if (this.#closing.signal.aborted) break;
      try {
        await this.#startThread();
        break;
      } catch (error) {
        this.#down(messageOf(error));
      }
    }
    this.#restarting = undefined;
  }

  #onMessage(message: Exclude<FromProjector, { type: 'started' | 'fatal' }>): void {
    switch (message.type) {
      case 'progress':
        return this.#options.onProgress?.(message.projection, message.position);
      case 'status':
        return this.#heard(message.statuses);
      case 'answer': {
        const call = this.#calls.get(message.id);
        this.#calls.delete(message.id);
        return message.error === undefined ? call?.resolve(message.value) : call?.reject(fromErrorMessage(message.error));
      }
    }
  }

  #call<Call extends ProjectorCall>(call: Call, ...args: ProjectorArguments<Call>): Promise<ProjectorAnswer<Call>> {
    const worker = this.#worker;
    if (this.#stopped !== undefined || worker === undefined) return Promise.reject(new ProjectorStopped(this.#stopped ?? 'the thread ended'));
    const id = (this.#nextCall += 1);
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve: (value) => resolve(value as ProjectorAnswer<Call>), reject });
      worker.postMessage({ type: 'call', id, call, args });
    });
  }

  #up(): void {
    this.#stopped = undefined;
    this.#heardAt = this.#options.clock.monotonic();
    this.#options.onStateChange?.({ projection: undefined, state: 'started', generation: undefined, reason: undefined });
  }

  #down(reason: string): void {
    const closing = this.#closing.signal.aborted;
    const changed = this.#stopped === undefined || (this.#stopped !== reason && !closing);
    this.#stopped = reason;
    for (const call of this.#calls.values()) call.reject(new ProjectorStopped(reason));
    this.#calls.clear();
    if (changed) this.#options.onStateChange?.({ projection: undefined, state: 'stopped', generation: undefined, reason: closing ? undefined : reason });
  }

  #heard(statuses: readonly ProjectionStatus[]): void {
    const before = new Map(this.#statuses.map((status) => [status.name, status]));
    const now = this.#options.clock.monotonic();
    this.#heardAt = now;
    this.#statuses = statuses;
    for (const status of statuses) {
      const { name, state, generation, position } = status;
      if (this.#moved.get(name)?.position !== position || status.lagEvents === 0) this.#moved.set(name, { position, at: now });
      const old = before.get(name);
      if (old?.state === state && old.generation === generation) continue;
      this.#options.onStateChange?.({ projection: name, state, generation, reason: status.pausedBecause ?? status.lastError?.message });
    }
  }

  #threadTrouble(): readonly string[] {
    if (this.#stopped !== undefined) return [`The projector is not running: ${this.#stopped}`];
    const silentMs = this.#options.clock.monotonic() - this.#heardAt;
    return silentMs < SILENT_MS ? [] : [`The projector has not answered for ${Math.round(silentMs / 1000)} s`];
  }

  #troubleOf(status: ProjectionStatus): readonly string[] {
    const { name, state, lastError, pausedBecause } = status;
    if (state === 'paused') return [`Projection ${name} is paused: ${pausedBecause ?? 'no reason was given'}`];
    if (state === 'failed') return [`Projection ${name} stands still: ${lastError?.message ?? 'no reason is known'}`];
    const stillMs = this.#options.clock.monotonic() - (this.#moved.get(name)?.at ?? this.#options.clock.monotonic());
    const frozen = status.rebuild !== undefined && state === 'building';
    if (status.lagEvents === 0 || stillMs < STALLED_MS || frozen) return [];
    return [`Projection ${name} has made no progress for ${Math.round(stillMs / 1000)} s while the log went on`];
  }
}
