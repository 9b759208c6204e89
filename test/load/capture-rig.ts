import { ActorSystem } from '../../libs/platform/actors/src/index.ts';
import type { EventStore } from '../../libs/platform/event-store/src/index.ts';
import { openMemoryEventStore } from '../../libs/platform/event-store/src/index.ts';
import { systemClock } from '../../libs/platform/kernel/src/index.ts';
import type { Clock, RecordedEvent } from '../../libs/platform/kernel/src/index.ts';
import { recoverSender } from '../../libs/contexts/chain/src/adapters/noble.recover-sender.ts';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import { connectChainNode } from '../../libs/contexts/chain/src/adapters/connect.chain-node.ts';
import { ThreadBlockReader } from '../../libs/contexts/chain/src/adapters/thread.block-reader.ts';
import { BackfillProcess } from '../../libs/contexts/chain/src/application/backfill.process.ts';
import type { IntakeLimits } from '../../libs/contexts/chain/src/application/block-intake.ts';
import type { CaptureChain, OpenChain } from '../../libs/contexts/chain/src/application/capture.process.ts';
import { CaptureProcess } from '../../libs/contexts/chain/src/application/capture.process.ts';
import { CaptureStatusBoard } from '../../libs/contexts/chain/src/application/capture-status.ts';
import { unmeasured } from '../../libs/contexts/chain/src/application/capture-log.ts';
import type { CaptureLog, CaptureMetrics } from '../../libs/contexts/chain/src/application/capture-log.ts';
import { defineChainActors } from '../../libs/contexts/chain/src/application/chain-actors.ts';
import { viewOf } from '../../libs/contexts/chain/src/application/chain-view.ts';
import type { ChainView } from '../../libs/contexts/chain/src/application/chain-view.ts';

export interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Capture as a process runs it, on a store in memory (or a given one), without Nest. */
export class CaptureRig {
  readonly board: CaptureStatusBoard;
  readonly lines: Line[] = [];
  readonly store: EventStore;
  readonly calls: string[] = [];
  /** Filled by the metrics. */
  readonly lagMs: number[] = [];
  /** Parts of blocks that did not recompute, as the metrics count them. */
  readonly failedParts: string[] = [];
  readonly #opened = new Map<string, Promise<OpenChain>>();
  readonly #running: Promise<void>[] = [];
  readonly #stop = new AbortController();
  #actors: ReturnType<typeof defineChainActors> | undefined;
  #system: ActorSystem | undefined;
  backfills: BackfillProcess | undefined;

  /** Reads long ranges where asked for, and where the store takes text. */
  readonly reader: ThreadBlockReader | undefined;

  readonly #clock: Clock;

  constructor(store: EventStore = openMemoryEventStore(), { thread = false, clock = systemClock }: { readonly thread?: boolean; readonly clock?: Clock } = {}) {
    this.store = store;
    this.#clock = clock;
    // Without it all would be read in this thread, unseen.
    if (thread && store.appendTexts === undefined) throw new Error('only a store that takes text is read into from a thread: give one on disk');
    this.board = new CaptureStatusBoard(clock);
    const metrics = { call: (_: string, method: string, result: string) => void this.calls.push(`${method} ${result}`), request: () => undefined };
    this.reader = thread ? new ThreadBlockReader({ clock, metrics }) : undefined;
  }

  get actors(): ReturnType<typeof defineChainActors> {
    if (this.#actors === undefined) throw new Error('start first');
    return this.#actors;
  }

  async start(urls: readonly string[], chain: Partial<CaptureChain> & { receipts?: boolean; requestTimeoutMs?: number; limits?: Partial<IntakeLimits> } = {}): Promise<CaptureProcess> {
    const keccak256 = await createKeccak256();
    this.#system ??= new ActorSystem({ store: this.store, clock: this.#clock });
    this.#actors ??= defineChainActors(this.#system, keccak256);
    const { receipts = true, requestTimeoutMs = 5_000, limits = {}, ...given } = chain;
    const clock = this.#clock;
    const metrics = { call: (_: string, method: string, result: string) => void this.calls.push(`${method} ${result}`), request: () => undefined };
    const connect = (url: string, options: Parameters<typeof connectChainNode>[1]) => this.reader?.connect(url, options) ?? connectChainNode(url, options);
    const { appendTexts } = this.store;
    const nodes = urls.map((url) => connect(url, { clock, metrics, receipts, limits: { requestTimeoutMs, maxReconnectWaitMs: 500 } }));
    const process = new CaptureProcess(
      { name: 'test', chainId: undefined, nodes, startBlock: 0, finality: 'auto', tagsEvery: { blocks: 1, ms: 0 }, rules: 'auto', blockTimeMs: 600, ...given },
      { ...this.actors, crypto: { keccak256, recoverSender }, board: this.board, clock, limits, log: this.#log(), metrics: this.#metrics(), ...(this.reader !== undefined && appendTexts !== undefined && { aside: { reader: this.reader, store: { appendTexts: appendTexts.bind(this.store) } } }) },
    );
    this.#running.push(process.run(this.#stop.signal));
    if (given.chainId !== undefined) this.#opened.set(given.chainId, process.opened());
    else void process.opened().then((open) => this.#opened.set(open.chainId, Promise.resolve(open)), () => undefined);
    return process;
  }

  startBackfills(): BackfillProcess {
    this.backfills = new BackfillProcess({ reader: this.store, ...this.actors, clock: this.#clock, log: this.#log(), metrics: this.#metrics(), open: (chainId) => this.#opened.get(chainId) });
    this.#running.push(this.backfills.run(this.#stop.signal));
    return this.backfills;
  }

  async view(chainId: string): Promise<ChainView> {
    return viewOf((await this.actors.chains.peek(chainId)).state);
  }

  async events(...types: string[]): Promise<RecordedEvent[]> {
    const found: RecordedEvent[] = [];
    for (let after = 'start' as never; ; ) {
      const page = await this.store.readAll(after, types.length === 0 ? {} : { types }, 1_000);
      found.push(...page.events);
      if (page.atHead) return found;
      after = page.next as never;
    }
  }

  /** Waits until it is so; says what it saw last when it never is. */
  async until<T>(what: string, look: () => Promise<T> | T, isSo: (seen: T) => boolean, withinMs = 15_000): Promise<T> {
    const end = performance.now() + withinMs;
    for (;;) {
      const seen = await look();
      if (isSo(seen)) return seen;
      if (performance.now() > end) throw new Error(`never ${what}; last seen: ${JSON.stringify(seen)}; log: ${JSON.stringify(this.lines.slice(-8))}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async untilHead(chainId: string, number: number, withinMs = 15_000): Promise<ChainView> {
    return this.until(`at head ${number}`, () => this.view(chainId), (view) => view.head?.number === number, withinMs);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await Promise.allSettled(this.#running);
    await this.reader?.close();
  }

  #log(): CaptureLog {
    const at = (level: Line['level']) => (fields: object, message: string) => void this.lines.push({ level, message, fields: fields as Line['fields'] });
    return { info: at('info'), warn: at('warn'), error: at('error') };
  }

  #metrics(): CaptureMetrics {
    return { ...unmeasured, verificationFailed: (_chain, part) => void this.failedParts.push(part), captured: (_chain, _blocks, _transactions, lag) => void (lag === undefined ? undefined : this.lagMs.push(lag)) };
  }
}
