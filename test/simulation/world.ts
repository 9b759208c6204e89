import { mkdtempSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemorySnapshotStore } from '#platform/actors';
import type { Keccak256 } from '../../libs/contexts/chain/src/domain/verification/crypto.ts';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import { RecordedChain } from '../load/recorded-chain.ts';
import { ReplayNode } from '../load/replay-node.ts';
import { Client } from './client.ts';
import type { History } from './history.ts';
import { Poison } from './poison.ts';
import type { Surroundings } from './process-life.ts';
import { ProcessLife } from './process-life.ts';
import { SimulatedLog } from './simulated-log.ts';
import type { Announce, Provider, SinkFault } from './steps.ts';
import { SwiftClock } from './swift-clock.ts';
import { CHAIN_ID, show, TrueChain } from './true-chain.ts';

const SPEED = 25;
/** Kept in memory where there is such a disk: of thousands of histories none wears the real one out. */
const SHORT_LIVED = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

interface Tags {
  readonly safe: number;
  readonly finalized: number;
}

/** A chain, two providers, a clock, a log, read models, and the processes that live on them, all in this one process. */
export class World {
  readonly history: History;
  readonly chain: TrueChain;
  readonly nodes: Readonly<Record<Provider, ReplayNode>>;
  readonly clock = new SwiftClock(SPEED);
  readonly sinkFaults: SinkFault[] = [];
  readonly poison = new Poison();
  readonly client = new Client();
  /** Takes back those that may be told only so often, by name. */
  readonly rareLies = new Map<string, () => void>();
  /** All that ever lived. */
  readonly lives: ProcessLife[] = [];
  scheme: 'http' | 'ws' = 'ws';
  log: SimulatedLog;
  life!: ProcessLife;
  /** Captures the same chain into the same log, and writes the same read models. */
  other: ProcessLife | undefined;
  readonly #directory: string;
  readonly #keccak256: Keccak256;
  readonly #snapshots = new MemorySnapshotStore();
  readonly #away = new Map<Provider, () => void>();
  /** What the second provider held to be safe and final when it fell behind; undefined while it is not behind. */
  #secondIsBehind: Tags | undefined;

  private constructor(history: History, chain: TrueChain, nodes: World['nodes'], log: SimulatedLog, directory: string, keccak256: Keccak256) {
    this.history = history;
    this.chain = chain;
    this.nodes = nodes;
    this.log = log;
    this.#directory = directory;
    this.#keccak256 = keccak256;
  }

  static async begin(history: History): Promise<World> {
    const chain = await TrueChain.begin(history.seed % 10_000, history.blocksAtStart, history.startBlock);
    const node = (provider: Provider): Promise<ReplayNode> => ReplayNode.start(new RecordedChain(BigInt(CHAIN_ID), chain.line), { tags: () => world.#tagsOf(provider) });
    const directory = mkdtempSync(join(SHORT_LIVED, 'chainfold-simulation-'));
    const log = await SimulatedLog.open(history.log, directory);
    const world: World = new World(history, chain, { first: await node('first'), second: await node('second') }, log, directory, await createKeccak256());
    world.life = await world.#begin(true);
    return world;
  }

  /** What the capture can know to be final: not what lies below its first block. */
  get finalized(): number {
    return this.chain.finalized < this.history.startBlock ? -1 : this.chain.finalized;
  }

  get requests(): number {
    return this.nodes.first.requests + this.nodes.second.requests;
  }

  show(announce: Announce): void {
    show(this.chain, this.nodes.first, announce);
    if (this.#secondIsBehind === undefined) show(this.chain, this.nodes.second, 'none');
  }

  /** The second provider learns nothing more; what it calls final was so. */
  fallBehind(): void {
    this.#secondIsBehind ??= { safe: this.chain.safe, finalized: this.chain.finalized };
  }

  catchUp(): void {
    this.#secondIsBehind = undefined;
    show(this.chain, this.nodes.second, 'none');
  }

  goAway(provider: Provider, how: 'cut' | 'mute'): void {
    if (this.#away.has(provider)) return;
    const node = this.nodes[provider];
    this.#away.set(provider, node.faults.add({ does: { kind: how } }));
    if (how === 'cut') node.cutConnections();
  }

  comeAgain(provider: Provider): void {
    this.#away.get(provider)?.();
    this.#away.delete(provider);
  }

  beHonest(provider: Provider): void {
    this.nodes[provider].faults.clear();
    if (this.#away.delete(provider)) this.goAway(provider, 'cut');
  }

  /** The process starts again after it was killed; with it, where it is alone, the log is opened again. */
  async beginAgainIfDead(): Promise<void> {
    if (this.other?.dead === true) await this.endOther(false);
    if (!this.life.dead) return;
    await this.life.drop();
    if (this.other === undefined) this.log = await this.log.openAgain();
    this.life = await this.#begin(true);
  }

  async stopAndStart(): Promise<void> {
    await this.life.stop();
    this.life = await this.#begin(true);
  }

  async beginOther(): Promise<void> {
    this.other ??= await this.#begin((await this.life.read?.isRebuilding()) === false);
  }

  async endOther(orderly: boolean): Promise<void> {
    const { other } = this;
    this.other = undefined;
    await (orderly ? other?.stop() : other?.drop());
  }

  async close(): Promise<void> {
    await this.endOther(false);
    await this.life.drop();
    await Promise.all([this.nodes.first.close(), this.nodes.second.close()]);
    await this.log.close();
  }

  #tagsOf(provider: Provider): Tags | undefined {
    const tags = provider === 'second' && this.#secondIsBehind !== undefined ? this.#secondIsBehind : this.chain;
    return tags.finalized < 0 ? undefined : { safe: tags.safe, finalized: tags.finalized };
  }

  async #begin(whole: boolean): Promise<ProcessLife> {
    const { first, second } = this.nodes;
    const { clock, sinkFaults, poison } = this;
    const common = { chainId: CHAIN_ID, startBlock: this.history.startBlock, store: this.log.faulty, snapshots: this.#snapshots, clock, keccak256: this.#keccak256 };
    const reads = { clock, sinkFaults, poison, readFile: join(this.#directory, 'read.db') };
    const surroundings: Surroundings = whole ? { ...common, reads } : common;
    const life = await ProcessLife.begin([this.scheme === 'ws' ? first.wsUrl : first.url, second.url], surroundings);
    this.lives.push(life);
    return life;
  }
}
