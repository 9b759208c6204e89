import { extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { EventStoreClosed, IndeterminateAppend } from './event-store.errors.ts';
import type { WriteAnswer, WriteRequest } from './sqlite-log-writer.ts';
import type { FromWriter, ToWriter, WriterWorkerData } from './sqlite-log-writer.worker.ts';

/** A dead writer is started again and asked the same once more, which is safe; after these pauses we give up. */
const RESTART_PAUSES_MS = [0, 100, 1_000];

/** Sent at once: the writer starts on them while this thread still prepares the rest. */
const BATCH_REQUESTS = 16;

interface Pending {
  readonly request: WriteRequest;
  readonly resolve: (answer: WriteAnswer) => void;
  readonly reject: (error: unknown) => void;
}

export interface WriterThreadOptions extends WriterWorkerData {
  readonly restartPausesMs?: readonly number[];
}

/** The writer's thread as this thread sees it: requests go out in batches, answers come back in the same order. */
export class SqliteLogWriterThread {
  readonly #options: WriterThreadOptions;
  /** In the order they were sent; those not yet sent are the last `#unsent`. */
  #pending: Pending[] = [];
  #unsent = 0;
  #flushPlanned = false;
  #worker: Worker | undefined;
  #starting: Promise<void> | undefined;
  #failures = 0;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(options: WriterThreadOptions) {
    this.#options = options;
  }

  /** Throws what opening the log throws. */
  start(): Promise<void> {
    this.#starting ??= this.#spawn().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  write(request: WriteRequest): Promise<WriteAnswer> {
    if (this.#closing !== undefined) return Promise.reject(new EventStoreClosed());
    return new Promise((resolve, reject) => {
      this.#pending.push({ request, resolve, reject });
      this.#unsent++;
      if (this.#unsent >= BATCH_REQUESTS) return this.#flush();
      if (this.#flushPlanned) return;
      this.#flushPlanned = true;
      // A tick runs after all promises that are ready now, so callers woken together go out together.
      process.nextTick(() => {
        this.#flushPlanned = false;
        this.#flush();
      });
    });
  }

  /** Everything accepted before is answered first. */
  close(): Promise<void> {
    this.#closing ??= this.#drainAndClose();
    return this.#closing;
  }

  /** Ends the thread where it stands, as a crash would. */
  async terminate(): Promise<void> {
    await this.#worker?.terminate();
  }

  #flush(): void {
    if (this.#unsent === 0) return;
    if (this.#worker === undefined) return void this.#restart(new Error('the writer had stopped'));
    const requests = this.#pending.slice(-this.#unsent).map((pending) => pending.request);
    this.#unsent = 0;
    this.#send({ kind: 'write', requests });
  }

  #send(message: ToWriter): void {
    this.#worker?.postMessage(message);
  }

  #spawn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const extension = extname(import.meta.url);
      const worker = new Worker(new URL(`./sqlite-log-writer.worker${extension}`, import.meta.url), {
        name: 'log-writer',
        workerData: { directory: this.#options.directory, maxBytes: this.#options.maxBytes } satisfies WriterWorkerData,
        execArgv: extension === '.ts' ? ['--conditions=source'] : [],
      });
      let cause: unknown;
      worker.on('error', (error: unknown) => {
        cause = error;
      });
      worker.on('exit', (code) => {
        const reason = cause instanceof Error ? cause : new Error(`the writer's thread ended with ${code}`, { cause });
        reject(reason);
        if (this.#worker === worker) this.#died(reason);
      });
      worker.on('message', (message: FromWriter) => {
        if (message.kind === 'answers') return this.#answered(message.answers);
        this.#worker = worker;
        resolve();
      });
    });
  }

  #answered(answers: readonly WriteAnswer[]): void {
    this.#failures = 0;
    const done = this.#pending.splice(0, answers.length);
    done.forEach((pending, i) => pending.resolve(answers[i]!));
    if (this.#pending.length === 0) this.#idle?.();
  }

  #died(reason: Error): void {
    this.#worker = undefined;
    this.#unsent = this.#pending.length;
    if (this.#pending.length > 0) void this.#restart(reason);
  }

  async #restart(reason: unknown): Promise<void> {
    if (this.#starting !== undefined) return;
    const pause = (this.#options.restartPausesMs ?? RESTART_PAUSES_MS)[this.#failures++];
    if (pause === undefined) return this.#giveUp(reason);
    this.#starting = (pause > 0 ? sleep(pause) : Promise.resolve()).then(() => this.#spawn());
    try {
      await this.#starting;
      this.#starting = undefined;
      this.#flush();
    } catch (error) {
      this.#starting = undefined;
      void this.#restart(error);
    }
  }

  #giveUp(reason: unknown): void {
    this.#failures = 0;
    this.#unsent = 0;
    const lost = this.#pending.splice(0);
    for (const { request, reject } of lost) {
      reject(new IndeterminateAppend(request.map((append) => append.stream), reason));
    }
    this.#idle?.();
  }

  async #drainAndClose(): Promise<void> {
    if (this.#pending.length > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.#starting?.catch(() => undefined);
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage({ kind: 'close' } satisfies ToWriter);
    await ended;
  }
}
