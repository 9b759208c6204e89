import { ActorSystem } from '#platform/actors';
import type { EventStore } from '#platform/event-store';
import type { Clock, RecordedEvent } from '#platform/kernel';
import { ChainfoldError, streamName, systemClock } from '#platform/kernel';
import { BlockCheck } from '../../libs/contexts/chain/src/application/block-check.ts';
import { BlockIntake } from '../../libs/contexts/chain/src/application/block-intake.ts';
import { unmeasured } from '../../libs/contexts/chain/src/application/capture-log.ts';
import { ChainContradicts, isNodeTrouble } from '../../libs/contexts/chain/src/application/capture.errors.ts';
import { defineChainActors } from '../../libs/contexts/chain/src/application/chain-actors.ts';
import { ChainReorganizer } from '../../libs/contexts/chain/src/application/chain-reorganizer.ts';
import type { ChainView } from '../../libs/contexts/chain/src/application/chain-view.ts';
import { viewOf } from '../../libs/contexts/chain/src/application/chain-view.ts';
import { FinalityWatch } from '../../libs/contexts/chain/src/application/finality-watch.ts';
import { HeadCapture } from '../../libs/contexts/chain/src/application/head-capture.ts';
import { ProviderSet } from '../../libs/contexts/chain/src/application/provider-set.ts';
import type { Chain } from '../../libs/contexts/chain/src/domain/chain-state.ts';
import type { Keccak256 } from '../../libs/contexts/chain/src/domain/verification/crypto.ts';
import type { TreeBlock, TreeModel } from './tree-model.ts';
import { TreeNode } from './tree-node.ts';

const UNCHECKED = { header: 'off', transactions: 'off', receipts: 'off', withdrawals: 'off', senders: 'off' } as const;
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** A round that changes nothing twice is the end; a history has far fewer blocks than this. */
const MOST_ROUNDS = 60;

/** Whoever sleeps wakes at once, later by so much. */
class LeapingClock implements Clock {
  #ms = 0;
  now(): number {
    return this.#ms;
  }
  monotonic(): number {
    return this.#ms;
  }
  async sleep(ms: number): Promise<void> {
    this.#ms += ms;
  }
}

/** All of the capture that decides, on a tree of blocks in place of a node; without sockets, hashes and waiting. */
export class TreeCapture {
  readonly node: TreeNode;
  readonly #chainId: string;
  readonly #model: TreeModel;
  readonly #store: EventStore;
  readonly #keccak256: Keccak256;
  readonly #clock = new LeapingClock();
  readonly #signal = new AbortController().signal;
  #actors!: ReturnType<typeof defineChainActors>;
  #head!: HeadCapture;
  #finality!: FinalityWatch;

  constructor(chainId: string, model: TreeModel, store: EventStore, keccak256: Keccak256) {
    this.#chainId = chainId;
    this.#model = model;
    this.#store = store;
    this.#keccak256 = keccak256;
    this.node = new TreeNode(chainId, model);
    this.restart();
  }

  /** As a new process would: nothing is known but what is in the log. */
  restart(): void {
    const [chainId, clock] = [this.#chainId, this.#clock];
    this.#actors = defineChainActors(new ActorSystem({ store: this.#store, clock: systemClock }), this.#keccak256);
    const { chains, bodies } = this.#actors;
    const around = { chainId, chains, clock, log: SILENT, metrics: unmeasured };
    const providers = new ProviderSet({ nodes: [this.node], ...around });
    const check = new BlockCheck({ ...around, crypto: { keccak256: this.#keccak256 }, rules: UNCHECKED });
    const intake = new BlockIntake({ ...around, providers, check, bodies });
    const reorganizer = new ChainReorganizer({ ...around, providers, intake });
    this.#head = new HeadCapture({ ...around, intake, reorganizer, progressed: () => undefined });
    this.#finality = new FinalityWatch({ ...around, providers, finality: 'auto', everyBlocks: 1, everyMs: 0 });
  }

  async start(): Promise<void> {
    await this.#actors.chains.tell(this.#chainId, { type: 'StartChain', chainId: this.#chainId, genesisHash: this.#model.blocks[0]!.hash, firstBlock: this.#model.first });
  }

  async resume(): Promise<void> {
    await this.#actors.chains.tell(this.#chainId, { type: 'ResumeChain', reason: 'drawn' });
  }

  /** Until looking again changes nothing any more. */
  async settle(): Promise<void> {
    for (let quiet = 0, round = 0; quiet < 2; round += 1) {
      if (round > MOST_ROUNDS) throw new Error('the capture never comes to rest');
      const { moves } = this.node;
      const { revision } = await this.#peek();
      await this.hear(this.#model.tip);
      quiet = (await this.#peek()).revision === revision ? quiet + 1 : 0;
      if (quiet === 2) this.node.moveNow();
      if (this.node.moves > moves) quiet = 0;
    }
  }

  /** Of a head that the node announced, now or long ago. As the process does it: trouble of nodes is waited out, a contradiction stops the chain. */
  async hear({ number, hash, parent }: TreeBlock): Promise<void> {
    if ((await this.view()).status === 'stopped') return;
    await this.#clock.sleep(61_000);
    try {
      await this.#head.take({ number, hash, parentHash: parent?.hash ?? `0x${'0'.repeat(64)}` }, this.#signal);
      await this.#finality.refresh(await this.view());
    } catch (error) {
      if (error instanceof ChainContradicts) await this.#actors.chains.tell(this.#chainId, { type: 'StopChain', code: error.code, reason: error.message });
      else if (!isNodeTrouble(error) && !(error instanceof ChainfoldError && error.code === 'branch-moved')) throw error;
    }
  }

  async view(): Promise<ChainView> {
    return viewOf((await this.#peek()).state);
  }

  async eventsFrom(revision: number): Promise<readonly RecordedEvent[]> {
    return this.#store.readStream(streamName('chain', this.#chainId), revision, 10_000);
  }

  #peek(): Promise<{ readonly state: Chain; readonly revision: number }> {
    return this.#actors.chains.peek(this.#chainId);
  }
}
