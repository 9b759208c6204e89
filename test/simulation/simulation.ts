import { setTimeout as pause } from 'node:timers/promises';
import { happen } from './happenings.ts';
import type { History } from './history.ts';
import { Observer } from './observer.ts';
import type { ProcessLife } from './process-life.ts';
import { CHAIN_ID } from './true-chain.ts';
import { World } from './world.ts';

/** Looks, not a time: whoever stops this whole process for a while proves nothing. */
const MOST_LOOKS = 3_000;
const LOOK_EVERY_MS = 10;
/** In real time. */
const SIEGE_MS = 400;
/** Of the simulated clock. */
const SIEGE_LASTS_MS = 10_000;

/** Requests that a step led to, by each process that captured then. */
export interface Asked {
  readonly requests: number;
  readonly owners: number;
}

/** A history happens to a world, under the eyes of a reader; then everything heals. */
export class Simulation {
  readonly world: World;
  readonly observer: Observer;
  readonly asked: Asked[] = [];
  readonly #watching = new AbortController();
  readonly #watch: Promise<void>;

  private constructor(world: World) {
    this.world = world;
    this.observer = new Observer(world.history.seed);
    this.#watch = this.observer.watch(() => world.life, this.#watching.signal);
    this.#watch.catch(() => undefined);
  }

  static async begin(history: History): Promise<Simulation> {
    return new Simulation(await World.begin(history));
  }

  /** All that was logged of late, of the last processes. */
  get lines(): readonly string[] {
    return this.world.lives.slice(-3).flatMap(({ lines }) => ['-- a process started', ...lines]);
  }

  async run(): Promise<void> {
    const { world } = this;
    await this.#untilProven();
    for (const step of world.history.steps) {
      const before = world.requests;
      await world.beginAgainIfDead();
      await happen(step, world).catch((error: unknown) => {
        // Whoever asks a process that ends meanwhile has no answer.
        if (!world.life.dead) throw error;
      });
      if (step.pauseMs > 0) await pause(step.pauseMs);
      this.asked.push({ requests: world.requests - before, owners: world.other === undefined ? 1 : 2 });
    }
  }

  /** Nobody answers well for a while, as no provider may for hours; returns the requests that were made all the same, as of ten seconds. */
  async besiege(): Promise<number> {
    const { world } = this;
    await world.endOther(true);
    world.life.mortality.spare();
    await world.beginAgainIfDead();
    for (const node of Object.values(world.nodes)) {
      node.faults.clear();
      node.faults.add({ does: { kind: 'error', code: -32603, message: 'internal error' } });
    }
    const [before, from] = [world.requests, world.clock.monotonic()];
    await pause(SIEGE_MS);
    return ((world.requests - before) * SIEGE_LASTS_MS) / (world.clock.monotonic() - from);
  }

  /** All faults end, time passes, the chain goes on a little; returns once everything there is was captured and shown. */
  async heal(): Promise<void> {
    const { world } = this;
    const { chain, nodes, clock } = world;
    for (const provider of ['first', 'second'] as const) {
      world.comeAgain(provider);
      nodes[provider].faults.clear();
    }
    world.sinkFaults.length = 0;
    world.poison.cure();
    await world.beginAgainIfDead();
    await chain.grow(2, 5);
    world.catchUp();
    world.show('each');
    for (let round = 0; !(await this.#isWhole()); round += 1) {
      if (round > MOST_LOOKS) throw new Error(`never whole again: ${await this.#told()}`);
      if (round % 20 === 0) clock.leap(round === 0 ? 7_200_000 : 60_000);
      await this.#requestRest();
      await pause(LOOK_EVERY_MS);
    }
    await this.#life.read?.retryParked();
    await this.#life.read?.caughtUp();
    await world.client.repeatAll(this.#life);
    this.#watching.abort();
    await this.#watch;
  }

  async close(): Promise<void> {
    this.#watching.abort();
    await this.#watch.catch(() => undefined);
    await this.world.close();
  }

  get #life(): ProcessLife {
    return this.world.life;
  }

  /** Of its first blocks nobody can tell a chain with rules of its own from a liar that is alone: they are told honestly. */
  async #untilProven(): Promise<void> {
    for (let looks = 0; !(await this.#life.view()).proven.includes('receipts'); looks += 1) {
      if (looks > MOST_LOOKS) throw new Error(`nothing was captured: ${await this.#told()}`);
      await pause(LOOK_EVERY_MS);
    }
  }

  async #isWhole(): Promise<boolean> {
    const { chain, finalized, client } = this.world;
    const view = await this.#life.view().catch(() => undefined);
    const isAtHead = view?.head?.hash === chain.tip.hash && (view.finalized?.number ?? -1) === finalized;
    if (!isAtHead || view.status !== 'following' || client.unanswered.length > 0) return false;
    return (await this.#requested()).every(({ completed }) => completed) && (await this.#missingBelow()).length === 0;
  }

  async #requested(): Promise<readonly { readonly from: number; readonly to: number; readonly completed: boolean }[]> {
    const { state } = await this.#life.actors.chains.peek(CHAIN_ID);
    return state.status === 'absent' ? [] : state.backfills;
  }

  async #missingBelow(): Promise<readonly number[]> {
    const requested = await this.#requested();
    const numbers = Array.from({ length: this.world.history.startBlock }, (_, number) => number);
    return numbers.filter((number) => !requested.some(({ from, to }) => from <= number && to >= number));
  }

  /** Whatever of the past was not asked for yet, one range at a time; and what had no answer, again. */
  async #requestRest(): Promise<void> {
    const { client } = this.world;
    if (client.unanswered.length > 0) await client.repeatAll(this.#life);
    const missing = await this.#missingBelow().catch((): readonly number[] => []);
    const [from] = missing;
    if (from === undefined) return;
    let to = from;
    while (missing.includes(to + 1)) to += 1;
    await client.request(this.#life, from, to);
  }

  async #told(): Promise<string> {
    const view = await this.#life.view();
    const { tip, finalized, safe } = this.world.chain;
    return JSON.stringify({ ours: view, board: this.#life.board.get(CHAIN_ID), backfills: await this.#requested(), true: { number: tip.number, hash: tip.hash, finalized, safe } }, null, 1);
  }
}
