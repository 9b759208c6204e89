import { availableParallelism } from 'node:os';
import type { Clock } from '#platform/kernel';
import { BlockReader, type ReadRequest, type TakeBlock } from '../ports/block-reader.port.ts';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import type { NodeAddress } from './block-reader-messages.ts';
import { connectChainNode, type ConnectOptions } from './connect.chain-node.ts';
import { connectPlan } from './connect-plan.chain-node.ts';
import type { ChainPlan } from './provider-keys.ts';
import { BlockReaderStopped, ReaderThread, type Spending } from './reader-thread.ts';

export interface ThreadOptions {
  readonly clock: Clock;
  readonly metrics: ChainNodeMetrics;
  /** Left out: a minute. A thread and its memory are given back when nothing was asked for so long. */
  readonly idleMs?: number;
  /** Left out: two, where there is a core for each. */
  readonly threads?: number;
  /** Left out: plans of keys are read in the thread that asks. */
  readonly spending?: Spending;
}

const IDLE_MS = 60_000;
/** More take memory and no node answers faster than two of them read. */
const MOST_THREADS = 2;
const TRIES = 2;

/** Reads blocks in a few threads for all chains of a process. */
export class ThreadBlockReader extends BlockReader {
  readonly #addresses = new WeakMap<ChainNode, NodeAddress>();
  readonly #threads: readonly ReaderThread[];
  readonly #around: Pick<ThreadOptions, 'clock' | 'metrics'> & { readonly spending: Spending | undefined };
  #closed = false;

  constructor({ metrics, clock, spending, idleMs = IDLE_MS, threads = Math.min(MOST_THREADS, availableParallelism()) }: ThreadOptions) {
    super();
    this.#threads = Array.from({ length: threads }, () => new ReaderThread(metrics, idleMs, spending));
    this.#around = { clock, metrics, spending };
  }

  /** A node for this thread that the others can ask too. */
  connect(url: string, options: ConnectOptions): ChainNode {
    const node = connectChainNode(url, options);
    this.#addresses.set(node, { url, receipts: options.receipts, requestTimeoutMs: options.limits?.requestTimeoutMs });
    return node;
  }

  /** The same of a plan. Throws where there is nothing to spend. */
  connectPlan(plan: ChainPlan, chainId: string): ChainNode {
    const { clock, metrics, spending } = this.#around;
    if (spending === undefined) throw new Error('a plan needs a purse');
    const node = connectPlan(plan, { ...spending, clock, metrics, chainId });
    this.#addresses.set(node, { plan, chainId, requestTimeoutMs: undefined });
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
