import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ChainfoldError, type Clock } from '#platform/kernel';
import { BlockReader, type ReadBlock, type ReadRequest } from '../ports/block-reader.port.ts';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import { type FromReader, fromReaderError, type NodeAddress, type ToReader } from './block-reader-messages.ts';
import { connectChainNode, type ConnectOptions } from './connect.chain-node.ts';

export interface ThreadOptions {
  readonly clock: Clock;
  readonly metrics: ChainNodeMetrics;
  /** Left out: a minute. The thread and its memory are given back when nothing was asked for so long. */
  readonly idleMs?: number;
}

interface Reading {
  readonly take: (block: ReadBlock) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const IDLE_MS = 60_000;
const TRIES = 2;

/** Reads blocks in one thread for all chains of a process; it is started when first needed and again when it dies. */
export class ThreadBlockReader extends BlockReader {
  readonly #options: ThreadOptions;
  readonly #addresses = new WeakMap<ChainNode, NodeAddress>();
  readonly #reading = new Map<number, Reading>();
  #nextId = 1;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ThreadOptions) {
    super();
    this.#options = options;
  }

  /** A node for this thread that the other one can ask too. */
  connect(url: string, options: ConnectOptions): ChainNode {
    const node = connectChainNode(url, options);
    this.#addresses.set(node, { url, receipts: options.receipts, requestTimeoutMs: options.limits?.requestTimeoutMs });
    return node;
  }

  knows(node: ChainNode): boolean {
    return !this.#closed && this.#addresses.has(node);
  }

  async read(node: ChainNode, request: ReadRequest, signal: AbortSignal, take: (block: ReadBlock) => void): Promise<void> {
    const address = this.#addresses.get(node);
    if (address === undefined) throw new BlockReaderStopped('it does not know this node');
    let taken = 0;
    for (let tries = 1; ; tries += 1) {
      const rest = { ...request, numbers: request.numbers.slice(taken) };
      try {
        return await this.#ask(address, rest, signal, (block) => {
          taken += 1;
          take(block);
        });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof BlockReaderStopped) || tries === TRIES || this.#closed) throw error;
      }
    }
  }

  /** What is being read is refused; what was handed over is the caller's. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.terminate();
  }

  /** Ends the thread where it stands, as a crash would; the next request starts another. */
  async terminate(): Promise<void> {
    clearTimeout(this.#idle);
    await this.#worker?.terminate();
  }

  #ask(node: NodeAddress, request: ReadRequest, signal: AbortSignal, take: (block: ReadBlock) => void): Promise<void> {
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

  #rest(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.#worker?.terminate(), this.#options.idleMs ?? IDLE_MS);
    this.#idle.unref();
  }

  #spawn(): Worker {
    const extension = extname(import.meta.url);
    const worker = new Worker(new URL(`./block-reader.worker${extension}`, import.meta.url), {
      name: 'block-reader',
      execArgv: ['--disable-warning=ExperimentalWarning', ...(extension === '.ts' ? ['--conditions=source'] : [])],
      resourceLimits: { maxYoungGenerationSizeMb: 32 },
    });
    let reason = 'its thread ended';
    worker.on('error', (error: unknown) => (reason = error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.#reading.values()) reject(new BlockReaderStopped(reason));
    });
    worker.on('message', (message: FromReader) => this.#hear(message));
    return worker;
  }

  #hear(message: FromReader): void {
    const { metrics } = this.#options;
    switch (message.type) {
      case 'block':
        return this.#reading.get(message.id)?.take(message.block);
      case 'done': {
        const one = this.#reading.get(message.id);
        return message.error === undefined ? one?.resolve() : one?.reject(fromReaderError(message.error));
      }
      case 'call':
        for (let time = 0; time < message.times; time += 1) metrics.call(...message.counted);
        return;
      case 'request':
        return metrics.request(...message.counted);
    }
  }
}

class BlockReaderStopped extends ChainfoldError {
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
