import { ActorSystem } from '#platform/actors';
import { openMemoryEventStore } from '#platform/event-store';
import type { EventStore } from '#platform/event-store';
import { streamName, systemClock } from '#platform/kernel';
import { createKeccak256 } from '../adapters/hash-wasm.keccak.ts';
import type { ObservedBlock } from '../domain/chain.events.ts';
import type { Hex } from '../domain/rpc-types.ts';
import type { HeadHint } from '../ports/chain-node.port.ts';
import type { BlockIntake } from './block-intake.ts';
import { NodeLagging } from './capture.errors.ts';
import { unmeasured } from './capture-log.ts';
import { defineChainActors } from './chain-actors.ts';
import type { ChainReorganizer } from './chain-reorganizer.ts';
import type { ChainView } from './chain-view.ts';
import { viewOf } from './chain-view.ts';
import { HeadCapture } from './head-capture.ts';

const AT = '2026-01-01T00:00:00.000Z';
const hash = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`;
const hint = (number: number): HeadHint => ({ number, hash: hash(number), parentHash: hash(number - 1) });
function block(number: number): ObservedBlock {
  const header = { hash: hash(number), parentHash: hash(number - 1), number: `0x${number.toString(16)}`, timestamp: '0x1' } as const;
  return { chainId: '1', number, hash: hash(number), parentHash: hash(number - 1), header, transactionCount: 0, kinds: { transfer: 0, call: 0, deploy: 0 }, verification: {}, receipts: false };
}

/** A chain at block 0, and a provider that has every block, but for what a test takes from it. */
class LongStop {
  readonly store: EventStore = openMemoryEventStore();
  readonly asked: number[] = [];
  failures = 0;
  /** What the provider has under a hash, where it is not what was asked for. */
  instead: number | undefined;
  readonly #signal = new AbortController().signal;
  #actors: ReturnType<typeof defineChainActors> | undefined;
  #head: HeadCapture | undefined;

  async begin(): Promise<this> {
    this.#actors = defineChainActors(new ActorSystem({ store: this.store, clock: systemClock }), await createKeccak256());
    const { chains } = this.#actors;
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const intake = { byHash: (_: Hex, number: number) => this.#give(number), range: (from: number, to: number) => this.#range(from, to) } as unknown as BlockIntake;
    const reorganizer = { follow: () => Promise.reject(new Error('no fork here')) } as unknown as ChainReorganizer;
    this.#head = new HeadCapture({ chainId: '1', chains, intake, reorganizer, clock: systemClock, log, metrics: unmeasured, progressed: () => undefined });
    return this;
  }

  async started(): Promise<this> {
    await this.begin();
    await this.#actors!.chains.tell('1', { type: 'StartChain', chainId: '1', genesisHash: hash(0), firstBlock: 0 });
    await this.#actors!.chains.tell('1', { type: 'ObserveBlocks', blocks: [block(0)] });
    return this;
  }

  take(number: number): Promise<boolean> {
    return this.#head!.take(hint(number), this.#signal);
  }

  async view(): Promise<ChainView> {
    return viewOf((await this.#actors!.chains.peek('1')).state);
  }

  async requests(): Promise<readonly (readonly [unknown, unknown])[]> {
    const events = await this.store.readStream(streamName('chain', '1'), 0, 500);
    return events.filter(({ type }) => type === 'BackfillRequested').map(({ data }) => [data['from'], data['to']]);
  }

  async #give(number: number): Promise<ObservedBlock> {
    this.asked.push(number);
    if (this.failures > 0) {
      this.failures -= 1;
      throw new NodeLagging('node', number);
    }
    return block(this.instead ?? number);
  }

  async *#range(from: number, to: number): AsyncGenerator<readonly ObservedBlock[]> {
    for (let number = from; number <= to; number += 1) yield [await this.#give(number)];
  }
}

describe('a chain that stood still for a long time', () => {
  it('shows its head at once, and leaves all between to one backfill', async () => {
    const chain = await new LongStop().started();
    await chain.take(20_000);
    expect([(await chain.view()).head?.number, await chain.requests(), chain.asked]).toEqual([20_000, [[1, 19_999]], [20_000]]);
    await chain.take(20_003);
    expect((await chain.view()).head?.number).toBe(20_003);
  });

  it('records nothing while the block of that head can not be had, and goes on with the next one', async () => {
    const chain = await new LongStop().started();
    chain.failures = 1;
    await expect(chain.take(20_000)).rejects.toMatchObject({ code: 'node-lagging' });
    expect(await chain.requests()).toEqual([]);
    await chain.take(20_001);
    expect([(await chain.view()).head?.number, await chain.requests()]).toEqual([20_001, [[1, 20_000]]]);
  });

  it('believes no head whose block stands somewhere else', async () => {
    const chain = await new LongStop().started();
    chain.instead = 20;
    await expect(chain.take(16_777_215)).rejects.toMatchObject({ code: 'node-lagging' });
    expect(await chain.requests()).toEqual([]);
  });

  it.each([20_000, 20_001, 45_000])('goes on at %i where a program of before was ended between the request and the block', async (head) => {
    const before = await new LongStop().started();
    const data = { chainId: '1', from: 1, to: 19_999 };
    const stream = streamName('chain', '1');
    await before.store.append({ stream, expected: 1, events: [{ id: crypto.randomUUID(), type: 'BackfillRequested', schemaVersion: 1, data, occurredAt: AT, recordedAt: AT, correlationId: 'before', causationId: 'before' }] });
    const chain = await Object.assign(new LongStop(), { store: before.store }).begin();
    await chain.take(head);
    expect((await chain.view()).head?.number).toBe(head);
    expect(await chain.requests()).toEqual(head < 30_000 ? [[1, 19_999]] : [[1, 19_999], [20_000, head - 1]]);
  });
});
