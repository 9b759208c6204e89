import { setTimeout as pause } from 'node:timers/promises';
import type { SnapshotStore } from '#platform/actors';
import { ActorSystem } from '#platform/actors';
import type { EventStore } from '#platform/event-store';
import type { Clock } from '#platform/kernel';
import { connectChainNode } from '../../libs/contexts/chain/src/adapters/connect.chain-node.ts';
import { recoverSender } from '../../libs/contexts/chain/src/adapters/noble.recover-sender.ts';
import { BackfillProcess } from '../../libs/contexts/chain/src/application/backfill.process.ts';
import type { CaptureLog } from '../../libs/contexts/chain/src/application/capture-log.ts';
import { unmeasured } from '../../libs/contexts/chain/src/application/capture-log.ts';
import { CaptureProcess } from '../../libs/contexts/chain/src/application/capture.process.ts';
import { CaptureStatusBoard } from '../../libs/contexts/chain/src/application/capture-status.ts';
import { defineChainActors } from '../../libs/contexts/chain/src/application/chain-actors.ts';
import type { ChainView } from '../../libs/contexts/chain/src/application/chain-view.ts';
import { viewOf } from '../../libs/contexts/chain/src/application/chain-view.ts';
import type { Keccak256 } from '../../libs/contexts/chain/src/domain/verification/crypto.ts';
import type { ChainNode } from '../../libs/contexts/chain/src/ports/chain-node.port.ts';
import { MortalEventStore } from './mortal-event-store.ts';
import { Mortality } from './mortality.ts';
import type { ReadSurroundings } from './read-side.ts';
import { ReadSide } from './read-side.ts';

export interface Surroundings {
  readonly chainId: string;
  readonly startBlock: number;
  readonly store: EventStore;
  readonly snapshots: SnapshotStore;
  readonly clock: Clock;
  readonly keccak256: Keccak256;
  /** Left out: it captures only. */
  readonly reads?: ReadSurroundings;
}

/** In real time, since sockets know no other. */
const REQUEST_TIMEOUT_MS = 250;
/** Of the simulated clock. */
const DRAIN_MS = 10_000;
const LINES_KEPT = 60;
/** All that must end does so at once, but for what a socket or the disk has in hand. */
const MOST_LOOKS = 1_000;
const LOOK_EVERY_MS = 10;

/** Everything of one process, from its start to its end, orderly or not: capture, backfills, projections, queries. */
export class ProcessLife {
  readonly mortality = new Mortality();
  readonly store: MortalEventStore;
  readonly board: CaptureStatusBoard;
  readonly read: ReadSide | undefined;
  readonly actors: ReturnType<typeof defineChainActors>;
  /** The last things logged, for who must find out why. */
  readonly lines: string[] = [];
  readonly #chainId: string;
  readonly #system: ActorSystem;
  readonly #nodes: readonly ChainNode[];
  readonly #stop = new AbortController();
  readonly #running: readonly Promise<unknown>[];
  #closing: Promise<void> | undefined;

  private constructor(urls: readonly string[], { chainId, startBlock, store, snapshots, clock, keccak256, reads }: Surroundings) {
    this.#chainId = chainId;
    this.store = new MortalEventStore(store, this.mortality);
    this.board = new CaptureStatusBoard(clock);
    this.read = reads === undefined ? undefined : new ReadSide(this.store, this.mortality, reads);
    this.#system = new ActorSystem({ store: this.store, clock, snapshots });
    this.actors = defineChainActors(this.#system, keccak256);
    const limits = { requestTimeoutMs: REQUEST_TIMEOUT_MS, maxReconnectWaitMs: 100 };
    const metrics = { call: () => undefined, request: () => undefined };
    this.#nodes = urls.map((url) => connectChainNode(url, { clock, metrics, receipts: true, limits }));
    const log = this.#log();
    const capture = new CaptureProcess(
      { name: 'simulated', chainId, nodes: this.#nodes, startBlock, finality: 'auto', tagsEvery: { blocks: 1, ms: 0 }, rules: 'auto', blockTimeMs: 600 },
      { ...this.actors, crypto: { keccak256, recoverSender }, board: this.board, clock, log, metrics: unmeasured },
    );
    const backfills = new BackfillProcess({ reader: this.store, ...this.actors, clock, log, metrics: unmeasured, open: () => capture.opened() });
    this.#running = [capture.run(this.#stop.signal), backfills.run(this.#stop.signal)];
    for (const run of this.#running) run.catch(() => undefined);
  }

  static async begin(urls: readonly string[], surroundings: Surroundings): Promise<ProcessLife> {
    const life = new ProcessLife(urls, surroundings);
    await life.read?.start();
    return life;
  }

  get dead(): boolean {
    return this.mortality.dead;
  }

  /** Nobody can ask it anything any more. */
  get isClosing(): boolean {
    return this.dead || this.#stop.signal.aborted;
  }

  async view(): Promise<ChainView> {
    return viewOf((await this.actors.chains.peek(this.#chainId)).state);
  }

  /** Nothing is finished and nobody is told; what is under way reaches nothing any more. */
  drop(): Promise<void> {
    this.mortality.die();
    this.#stop.abort(new Error('killed'));
    this.#closing ??= Promise.allSettled([...this.#nodes.map((node) => node.close()), this.read?.close()]).then(() => undefined);
    return this.#closing;
  }

  /** As after SIGTERM: what waits is answered, checkpoints are stored. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await inTime(Promise.allSettled(this.#running));
    await this.#system.drain(DRAIN_MS);
    this.#closing ??= Promise.resolve(this.read?.close());
    await this.#closing;
    this.mortality.die();
  }

  /** Resolves when nothing of it runs any more. */
  async ended(): Promise<void> {
    await inTime(Promise.allSettled([...this.#running, this.#closing]));
  }

  #log(): CaptureLog {
    const at = (level: string) => (fields: object, message: string): void => {
      this.lines.push(`${level} ${message} ${JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? `${value.name}: ${value.message}` : value))}`);
      if (this.lines.length > LINES_KEPT) this.lines.shift();
    };
    return { info: at('info'), warn: at('warn'), error: at('error') };
  }
}

/** By looks, not by time, for the whole of this may be stopped for a while. */
async function inTime(work: Promise<unknown>): Promise<void> {
  let done = false;
  void work.then(() => (done = true));
  for (let looks = 0; !done; looks += 1) {
    if (looks > MOST_LOOKS) throw new Error('what was told to stop still runs');
    await pause(LOOK_EVERY_MS);
  }
}
