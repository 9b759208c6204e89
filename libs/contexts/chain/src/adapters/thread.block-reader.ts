import { availableParallelism } from 'node:os';
import type { Clock } from '#platform/kernel';
import { BlockReader, type ReadRequest, type TakeBlock } from '../ports/block-reader.port.ts';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import type { NodeAddress } from './block-reader-messages.ts';
import { connectChainNode, type ConnectOptions } from './connect.chain-node.ts';
import { BlockReaderStopped, ReaderThread } from './reader-thread.ts';

export interface ThreadOptions {
  readonly clock: Clock;
  readonly metrics: ChainNodeMetrics;
  /** Left out: a minute. A thread and its memory are given back when nothing was asked for so long. */
  readonly idleMs?: number;
  /** Left out: two, where there is a core for each. */
  readonly threads?: number;
}

const IDLE_MS = 60_000;
/** More take memory and no node answers faster than two of them read. */
const MOST_THREADS = 2;
const TRIES = 2;

/** Reads blocks in a few threads for all chains of a process. */
export class ThreadBlockReader extends BlockReader {
  readonly #addresses = new WeakMap<ChainNode, NodeAddress>();
  readonly #threads: readonly ReaderThread[];
  #closed = false;

  constructor({ metrics, idleMs = IDLE_MS, threads = Math.min(MOST_THREADS, availableParallelism()) }: ThreadOptions) {
    super();
    this.#threads = Array.from({ length: threads }, () => new ReaderThread(metrics, idleMs));
  }

  /** A node for this thread that the others can ask too. */
  connect(url: string, options: ConnectOptions): ChainNode {
    const node = connectChainNode(url, options);
    this.#addresses.set(node, { url, receipts: options.receipts, requestTimeoutMs: options.limits?.requestTimeoutMs });
    return node;
  }

  knows(node: ChainNode): boolean {
    return !this.#closed && this.#addresses.has(node);
  }

  async read(node: ChainNode, request: ReadRequest, signal: AbortSignal, take: TakeBlock): Promise<void> {
    const address = this.#addresses.get(node);
    if (address === undefined) throw new BlockReaderStopped('it does not know this node');
    let taken = 0;
    for (let tries = 1; ; tries += 1) {
      const rest = { ...request, numbers: request.numbers.slice(taken) };
      try {
        return await this.#leastBusy().ask(address, rest, signal, (block) => {
          taken += 1;
          return take(block);
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

  /** Ends the threads where they stand, as a crash would; the next request starts one again. */
  async terminate(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #leastBusy(): ReaderThread {
    return this.#threads.reduce((least, thread) => (thread.load < least.load ? thread : least));
  }
}
