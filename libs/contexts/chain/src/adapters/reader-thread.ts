import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { KeyPurse } from '#contracts/key-pool';
import { ChainfoldError } from '#platform/kernel';
import { PurseForThread } from './purse-over-port.ts';
import type { RequestLogger } from './request-log.ts';
import type { ReadBlock, ReadRequest, TakeBlock } from '../ports/block-reader.port.ts';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';
import { fromReaderError } from '../ports/chain-node.errors.ts';
import type { FromReader, NodeAddress, ToReader } from './block-reader-messages.ts';

/** What threads need to ask on keys. */
export interface Spending {
  readonly purse: KeyPurse;
  readonly log: RequestLogger;
}

interface Reading {
  readonly take: TakeBlock;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One thread that reads blocks; started when first needed, and again when it died. */
export class ReaderThread {
  readonly #metrics: ChainNodeMetrics;
  readonly #idleMs: number;
  readonly #spending: Spending | undefined;
  #purse: PurseForThread | undefined;
  readonly #reading = new Map<number, Reading>();
  #nextId = 1;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(metrics: ChainNodeMetrics, idleMs: number, spending: Spending | undefined) {
    this.#metrics = metrics;
    this.#idleMs = idleMs;
    this.#spending = spending;
  }

  /** Requests that are not finished. */
  get load(): number {
    return this.#reading.size;
  }

  /** As `BlockReader.read`, once: throws BlockReaderStopped when the thread ends meanwhile. */
  ask(node: NodeAddress, request: ReadRequest, signal: AbortSignal, take: TakeBlock): Promise<void> {
    signal.throwIfAborted();
    const id = this.#nextId;
    this.#nextId += 1;
    const worker = (this.#worker ??= this.#spawn());
    clearTimeout(this.#idle);
    const cancel = (): void => worker.postMessage({ type: 'cancel', id } satisfies ToReader);
    signal.addEventListener('abort', cancel, { once: true });
    return new Promise<void>((resolve, reject) => {
      this.#reading.set(id, { take, resolve, reject });
      worker.postMessage({ type: 'read', id, node, request } satisfies ToReader);
    }).finally(() => {
      signal.removeEventListener('abort', cancel);
      this.#reading.delete(id);
      if (this.#reading.size === 0) this.#rest();
    });
  }

  /** Ends the thread where it stands. */
  async terminate(): Promise<void> {
    clearTimeout(this.#idle);
    await this.#worker?.terminate();
  }

  #rest(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.#worker?.terminate(), this.#idleMs);
    this.#idle.unref();
  }

  #spawn(): Worker {
    const extension = extname(import.meta.url);
    const worker = new Worker(new URL(`./block-reader.worker${extension}`, import.meta.url), {
      name: 'block-reader',
      execArgv: ['--disable-warning=ExperimentalWarning', ...(extension === '.ts' ? ['--conditions=source'] : [])],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    const purse = this.#spending && new PurseForThread(this.#spending.purse, (message) => worker.postMessage(message satisfies ToReader));
    this.#purse = purse;
    let reason = 'its thread ended';
    worker.on('error', (error: unknown) => (reason = error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      purse?.ended();
      for (const { reject } of this.#reading.values()) reject(new BlockReaderStopped(reason));
    });
    worker.on('message', (message: FromReader) => this.#hear(message));
    return worker;
  }

  /** What the taker can not take is the end of its reading, not of the process. */
  #take(id: number, block: ReadBlock): void {
    const one = this.#reading.get(id);
    try {
      void one?.take(block);
    } catch (error) {
      one?.reject(error);
    }
  }

  #hear(message: FromReader): void {
    switch (message.type) {
      case 'block':
        return this.#take(message.id, message.block);
      case 'done': {
        const one = this.#reading.get(message.id);
        return message.error === undefined ? one?.resolve() : one?.reject(fromReaderError(message.error));
      }
      case 'call':
        for (let time = 0; time < message.times; time += 1) this.#metrics.call(...message.counted);
        return;
      case 'request':
        return this.#metrics.request(...message.counted);
      case 'log':
        return this.#spending?.log[message.level](message.fields, message.message);
      case 'acquire':
      case 'unwanted':
      case 'settle':
        return this.#purse?.hear(message);
    }
  }
}

/** Little of a block becomes an object, so little room is needed for young ones. */
const YOUNG_MB = 16;

export class BlockReaderStopped extends ChainfoldError {
  constructor(reason: string) {
    super('The thread that reads blocks stopped', {
      code: 'block-reader-stopped',
      kind: 'unavailable',
      retryable: true,
      facts: { reason },
      hint: 'It is started again by itself; nothing that was written is lost.',
    });
  }
}
