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

export interface Surroundings {
  readonly chainId: string;
  readonly startBlock: number;
  readonly store: EventStore;
  readonly snapshots: SnapshotStore;
  readonly clock: Clock;
  readonly keccak256: Keccak256;
}

/** In real time, since sockets know no other. */
const REQUEST_TIMEOUT_MS = 250;

/** Capture from one start of its process to its end, orderly or not. */
export class CaptureLife {
  readonly store: MortalEventStore;
  readonly board: CaptureStatusBoard;
  /** The last things logged, for who must find out why. */
  readonly lines: string[] = [];
  readonly actors: ReturnType<typeof defineChainActors>;
  readonly #chainId: string;
  readonly #nodes: readonly ChainNode[];
  readonly #stop = new AbortController();
  readonly #running: readonly Promise<unknown>[];

  constructor(urls: readonly string[], { chainId, startBlock, store, snapshots, clock, keccak256 }: Surroundings) {
    this.#chainId = chainId;
    this.store = new MortalEventStore(store);
    this.board = new CaptureStatusBoard(clock);
    this.actors = defineChainActors(new ActorSystem({ store: this.store, clock, snapshots }), keccak256);
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

  async view(): Promise<ChainView> {
    return viewOf((await this.actors.chains.peek(this.#chainId)).state);
  }

  /** Nothing is finished and nobody is told; what is under way reaches nothing any more. */
  async drop(): Promise<void> {
    this.store.die();
    this.#stop.abort(new Error('killed'));
    await Promise.allSettled(this.#nodes.map((node) => node.close()));
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await Promise.allSettled(this.#running);
  }

  #log(): CaptureLog {
    const at = (level: string) => (fields: object, message: string): void => {
      this.lines.push(`${level} ${message} ${JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? `${value.name}: ${value.message}` : value))}`);
      if (this.lines.length > 60) this.lines.shift();
    };
    return { info: at('info'), warn: at('warn'), error: at('error') };
  }
}
