import { setTimeout as pause } from 'node:timers/promises';
import { MemorySnapshotStore } from '#platform/actors';
import type { EventStore } from '#platform/event-store';
import { openMemoryEventStore } from '#platform/event-store';
import { ChainfoldError, START } from '#platform/kernel';
import type { Position, RecordedEvent } from '#platform/kernel';
import { FaultyEventStore } from '#platform/testing';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import { ReplayNode } from '../load/replay-node.ts';
import { RecordedChain } from '../load/recorded-chain.ts';
import { CaptureLife } from './capture-life.ts';
import type { Surroundings } from './capture-life.ts';
import type { Announce, History, Planned, Step } from './history.ts';
import { LIES } from './lies.ts';
import { ReadSide } from './read-side.ts';
import { SwiftClock } from './swift-clock.ts';
import { CHAIN_ID, show, TrueChain } from './true-chain.ts';

const SPEED = 25;
/** In real time; what did not come by then is left for later, for a fault may keep it away. */
const REST_MS = 400;
const HEALED_MS = 12_000;
const SIEGE_MS = 400;

/** A chain, two providers, a store, a capture and its read side, in one process; a history happens to them. */
export class Simulation {
  readonly chain: TrueChain;
  readonly log: EventStore = openMemoryEventStore();
  readonly read = new ReadSide(this.log);
  /** Requests that each step led to. */
  readonly requests: number[] = [];
  readonly first: ReplayNode;
  readonly second: ReplayNode;
  readonly #history: History;
  readonly #clock = new SwiftClock(SPEED);
  readonly #faulty = new FaultyEventStore(this.log);
  readonly #surroundings: Surroundings;
  #life: CaptureLife;
  readonly #ended: CaptureLife[] = [];
  #scheme: 'http' | 'ws' = 'ws';
  #secondIsBehind = false;
  readonly #away = new Map<ReplayNode, () => void>();

  private constructor(history: History, chain: TrueChain, first: ReplayNode, second: ReplayNode, keccak256: Surroundings['keccak256']) {
    this.#history = history;
    this.chain = chain;
    this.first = first;
    this.second = second;
    this.#surroundings = { chainId: CHAIN_ID, startBlock: history.startBlock, store: this.#faulty, snapshots: new MemorySnapshotStore(), clock: this.#clock, keccak256 };
    this.#life = this.#begin();
  }

  static async begin(history: History): Promise<Simulation> {
    const chain = await TrueChain.begin(history.seed % 10_000, history.blocksAtStart, history.startBlock);
    const tags = (): { safe: number; finalized: number } | undefined => (chain.finalized < 0 ? undefined : { safe: chain.safe, finalized: chain.finalized });
    const node = (): Promise<ReplayNode> => ReplayNode.start(new RecordedChain(BigInt(CHAIN_ID), chain.line), { tags });
    const simulation = new Simulation(history, chain, await node(), await node(), await createKeccak256());
    await simulation.read.start();
    return simulation;
  }

  get life(): CaptureLife {
    return this.#life;
  }

  /** What the capture can know to be final: not what lies below its first block. */
  get finalized(): number {
    return this.chain.finalized < this.#history.startBlock ? -1 : this.chain.finalized;
  }

  /** All that was logged of late, of this life and the one before. */
  get lines(): readonly string[] {
    return [...(this.#ended.at(-1)?.lines ?? []), '-- started again', ...this.#life.lines];
  }

  async run(): Promise<void> {
    await this.#untilProven();
    for (const step of this.#history.steps) {
      const before = this.#asked;
      await this.#take(step);
      this.requests.push(this.#asked - before);
    }
  }

  /** Nobody answers well for a while, as no provider may for hours; returns the requests that were made all the same. */
  async besiege(): Promise<number> {
    await this.#beginAgainIfDead();
    for (const node of [this.first, this.second]) {
      node.faults.clear();
      node.faults.add({ does: { kind: 'error', code: -32603, message: 'internal error' } });
    }
    const before = this.#asked;
    await pause(SIEGE_MS);
    return this.#asked - before;
  }

  /** All faults end, time passes, the chain goes on a little; returns once the capture has all of it. */
  async heal(): Promise<void> {
    for (const node of [this.first, this.second]) node.faults.clear();
    this.#away.clear();
    this.#life.store.live();
    await this.#beginAgainIfDead();
    await this.chain.grow(2, 5);
    show(this.chain, this.second, 'none');
    show(this.chain, this.first, 'each');
    const end = performance.now() + HEALED_MS;
    for (let round = 0; !(await this.#isWhole()); round += 1) {
      if (performance.now() > end) throw new Error(`never whole again: ${await this.#told()}`);
      if (round % 20 === 0) this.#clock.leap(round === 0 ? 7_200_000 : 60_000);
      await this.#requestRest();
      await pause(10);
    }
    await this.#life.stop();
  }

  async events(): Promise<readonly RecordedEvent[]> {
    const found: RecordedEvent[] = [];
    for (let after: Position = START; ; ) {
      const page = await this.log.readAll(after, {}, 1_000);
      found.push(...page.events);
      if (page.atHead) return found;
      after = page.next;
    }
  }

  async close(): Promise<void> {
    await this.#life.drop();
    await Promise.all([this.first.close(), this.second.close(), this.read.close()]);
    await this.log.close();
  }

  get #asked(): number {
    return this.first.requests + this.second.requests;
  }

  #begin(): CaptureLife {
    return new CaptureLife([this.#scheme === 'ws' ? this.first.wsUrl : this.first.url, this.second.url], this.#surroundings);
  }

  async #beginAgainIfDead(): Promise<void> {
    if (!this.#life.store.dead) return;
    this.#ended.push(this.#life);
    await this.#life.drop();
    this.#life = this.#begin();
  }

  async #take(step: Planned): Promise<void> {
    await this.#beginAgainIfDead();
    await this.#happen(step);
    if (step.pauseMs > 0) await pause(step.pauseMs);
  }

  async #happen(step: Step): Promise<void> {
    switch (step.kind) {
      case 'grow':
        await this.chain.grow(step.blocks, step.flavour);
        return this.#show(step.announce);
      case 'branch':
        await this.chain.branch(step.depth, step.length, step.flavour);
        return this.#show(step.announce);
      case 'come back':
        this.chain.comeBack();
        return this.#show(step.announce);
      case 'roll back':
        this.chain.rollBack(step.depth);
        return this.#show('none');
      case 'finalize':
        return this.chain.finalize(step.behind, step.gap);
      case 'lie': {
        const lie = LIES.find(({ name }) => name === step.lie);
        if (lie === undefined) throw new Error(`nobody knows the lie ${step.lie}`);
        return void this.first.faults.add({ when: lie.concerns, does: { kind: 'edit', edit: lie.edit }, times: Math.min(step.times, lie.most ?? step.times) });
      }
      case 'misbehave':
        return void this.first.faults.add({ ...(step.method === undefined ? {} : { method: step.method }), does: step.does, times: step.times });
      case 'be honest':
        this.first.faults.clear();
        if (this.#away.delete(this.first)) this.#goAway(this.first);
        return;
      case 'go away':
        return this.#goAway(this[step.provider]);
      case 'come again':
        this.#away.get(this[step.provider])?.();
        return void this.#away.delete(this[step.provider]);
      case 'fall behind':
        this.#secondIsBehind = true;
        return;
      case 'catch up':
        this.#secondIsBehind = false;
        return show(this.chain, this.second, 'none');
      case 'lose an answer of the store':
        return this.#faulty.fail(...step.faults);
      case 'crash':
        this.#scheme = step.scheme;
        if (step.appends === 0) this.#life.store.die();
        else this.#life.store.dieWith(step.appends, step.written);
        return;
      case 'backfill':
        return this.#request(step.from, step.from + step.blocks - 1);
      case 'restart projections':
        return this.read.restart();
      case 'rebuild':
        return this.read.rebuild();
      case 'time passes':
        return this.#clock.leap(step.ms);
      case 'rest':
        return this.#rest();
    }
  }

  /** Of its first blocks nobody can tell a chain with rules of its own from a liar that is alone: they are told honestly. */
  async #untilProven(): Promise<void> {
    const end = performance.now() + HEALED_MS;
    while (!(await this.#life.view()).proven.includes('receipts')) {
      if (performance.now() > end) throw new Error(`nothing was captured: ${await this.#told()}`);
      await pause(5);
    }
  }

  #show(announce: Announce): void {
    show(this.chain, this.first, announce);
    if (!this.#secondIsBehind) show(this.chain, this.second, 'none');
  }

  #goAway(node: ReplayNode): void {
    if (this.#away.has(node)) return;
    this.#away.set(node, node.faults.add({ does: { kind: 'cut' } }));
    node.cutConnections();
  }

  async #rest(): Promise<void> {
    const end = performance.now() + REST_MS;
    while (performance.now() < end && !this.#life.store.dead) {
      const head = (await this.#life.view().catch(() => undefined))?.head;
      if (head?.hash === this.chain.tip.hash) return;
      await pause(10);
    }
  }

  async #isWhole(): Promise<boolean> {
    const view = await this.#life.view().catch(() => undefined);
    const isAtHead = view?.head?.hash === this.chain.tip.hash && (view.finalized?.number ?? -1) === this.finalized;
    return isAtHead && (await this.#life.actors.chains.peek(CHAIN_ID)).state.status === 'following' && (await this.#openBackfills()).length === 0 && (await this.#missingBelow()).length === 0;
  }

  async #requested(): Promise<readonly { readonly from: number; readonly to: number; readonly completed: boolean }[]> {
    const { state } = await this.#life.actors.chains.peek(CHAIN_ID);
    return state.status === 'absent' ? [] : state.backfills;
  }

  async #openBackfills(): Promise<readonly unknown[]> {
    return (await this.#requested()).filter(({ completed }) => !completed);
  }

  async #missingBelow(): Promise<readonly number[]> {
    const requested = await this.#requested();
    const numbers = Array.from({ length: this.#history.startBlock }, (_, number) => number);
    return numbers.filter((number) => !requested.some(({ from, to }) => from <= number && to >= number));
  }

  /** Whatever of the past was not asked for yet, one range at a time. */
  async #requestRest(): Promise<void> {
    const missing = await this.#missingBelow().catch((): readonly number[] => []);
    const [from] = missing;
    if (from === undefined) return;
    let to = from;
    while (missing.includes(to + 1)) to += 1;
    await this.#request(from, to);
  }

  async #request(from: number, to: number): Promise<void> {
    await this.#life.actors.chains.tell(CHAIN_ID, { type: 'RequestBackfill', from, to }).catch((error: unknown) => {
      const expected = this.#life.store.dead || (error instanceof ChainfoldError && (error.code.startsWith('backfill-') || EXPECTED.has(error.code)));
      if (!expected) throw error;
    });
  }

  async #told(): Promise<string> {
    const { state } = await this.#life.actors.chains.peek(CHAIN_ID);
    const view = await this.#life.view();
    const { tip, finalized, safe } = this.chain;
    return JSON.stringify({ ours: view, board: this.#life.board.get(CHAIN_ID), backfills: state.status === 'absent' ? [] : state.backfills, true: { number: tip.number, hash: tip.hash, finalized, safe } }, null, 1);
  }
}

/** What a request may be told while the store has its troubles, or before the chain is known. */
const EXPECTED: ReadonlySet<string> = new Set(['chain-not-started', 'chain-unknown', 'indeterminate-append', 'disk-full', 'revision-conflict', 'overloaded']);
