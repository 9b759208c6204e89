import { setTimeout as pause } from 'node:timers/promises';
import type { EventStore } from '#platform/event-store';
import type { RecordedEvent } from '#platform/kernel';
import { ChainfoldError, START, streamName } from '#platform/kernel';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import { verifyStore } from '../../libs/contexts/chain/src/application/verify-store.ts';
import type { BlockRef, Hex } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import type { BlockCursor } from '../../libs/contexts/chain/src/ports/chain-explorer.port.ts';
import type { ReplayNode } from '../load/replay-node.ts';
import { ReadSide } from './read-side.ts';

export interface ServedBlock {
  readonly number: number;
  readonly hash: string;
  /** Hashes, in their order. */
  readonly transactions: readonly string[];
}

/** The chain that the node serves now. */
export function servedBy({ chain }: ReplayNode, from = 0): readonly ServedBlock[] {
  return chain.blocks().filter(({ number }) => number >= from && number <= chain.head).map(({ number, hash, block }) => {
    const { transactions } = JSON.parse(block.toString()) as { transactions: readonly { hash: string }[] };
    return { number, hash, transactions: transactions.map((one) => one.hash) };
  });
}

type Falls = readonly (readonly [from: number, to: number])[];

/** A reader of the read models who never looks away, and at the end tells whether the golden rule held. */
export class Onlooker {
  readonly read: ReadSide;
  readonly #log: EventStore;
  readonly #chainId: string;
  readonly #heads: number[] = [];
  #looking = true;
  #looked: Promise<void> | undefined;

  private constructor(log: EventStore, chainId: string, seen: EventStore) {
    this.#log = log;
    this.#chainId = chainId;
    this.read = new ReadSide(seen);
  }

  /** `seen`: the log as the projections get to see it. */
  static async of(log: EventStore, chainId: string, seen = log): Promise<Onlooker> {
    const onlooker = new Onlooker(log, chainId, seen);
    await onlooker.read.start();
    onlooker.#looked = onlooker.#look();
    return onlooker;
  }

  /**
   * The read model is the node's winning chain, `verify` finds nothing wrong, what was left is still readable by hash,
   * and no reader, wherever he stood between two events, saw the head fall but as the node's own did.
   */
  async expectGoldenRule(node: readonly ServedBlock[], falls: Falls = []): Promise<void> {
    const { read } = this;
    await read.caughtUp();
    expect(await read.troubles()).toEqual([]);
    const facts = await read.explorer.chain(this.#chainId);
    expect({ head: facts.head?.hash, blocks: facts.blocks, stop: facts.stop }).toEqual({ head: node.at(-1)?.hash, blocks: node.length, stop: null });
    expect(await this.#canonical()).toEqual(node);
    expect(await this.#wrong()).toEqual([]);
    const events = await this.#order();
    const ours = new Set(node.map(({ hash }) => hash));
    for (const hash of leftHashes(events)) if (!ours.has(hash)) expect(await read.explorer.block(this.#chainId, hash)).toMatchObject({ hash, finality: 'orphaned' });
    expect(fallsOf(headsOf(events))).toEqual(falls);
    // Who looks now and then sees no fall that is none in the log.
    expect(fallsOf(this.#heads).filter(([from, to]) => !falls.some(([high, low]) => from <= high && to >= low))).toEqual([]);
  }

  async close(): Promise<void> {
    this.#looking = false;
    await this.#looked;
    await this.read.close();
  }

  async #look(): Promise<void> {
    while (this.#looking) {
      const number = await this.read.explorer.chain(this.#chainId).then(({ head }) => head?.number, unknownYet);
      if (number !== undefined && number !== this.#heads.at(-1)) this.#heads.push(number);
      await pause(1);
    }
  }

  async #canonical(): Promise<readonly ServedBlock[]> {
    const listed: ServedBlock[] = [];
    for (let after: BlockCursor | undefined; ; ) {
      const page = await this.read.explorer.blocks(this.#chainId, { limit: 100, order: 'asc', orphaned: false, after });
      for (const { number, hash } of page.items) {
        const { items } = await this.read.explorer.blockTransactions(this.#chainId, hash, { limit: 500, order: 'asc' });
        listed.push({ number, hash, transactions: items.map((one) => one.hash) });
      }
      if (page.next === null) return listed;
      after = page.next;
    }
  }

  async #wrong(): Promise<readonly unknown[]> {
    const wrong: unknown[] = [];
    for await (const step of verifyStore({ reader: this.#log, crypto: { keccak256: await createKeccak256() } })) if (step.kind === 'finding') wrong.push(step);
    return wrong;
  }

  async #order(): Promise<readonly RecordedEvent[]> {
    const all: RecordedEvent[] = [];
    for (let after = START; ; ) {
      const page = await this.#log.readAll(after, { categories: ['chain'] }, 1_000);
      all.push(...page.events.filter(({ stream }) => stream === streamName('chain', this.#chainId)));
      if (page.atHead) return all;
      after = page.next;
    }
  }
}

/** After each event, as a reader would be told it that stopped there. */
function headsOf(events: readonly RecordedEvent[]): readonly number[] {
  return events.flatMap(({ type, data }) => {
    if (type === 'BlockObserved') return [data['number'] as number];
    if (type !== 'ChainReorganized') return [];
    const { ancestor, adopted } = data as unknown as { ancestor: BlockRef; adopted: readonly BlockRef[] };
    return [(adopted.at(-1) ?? ancestor).number];
  });
}

function fallsOf(heads: readonly number[]): Falls {
  return heads.flatMap((head, at) => (head < (heads[at - 1] ?? head) ? [[heads[at - 1] as number, head] as const] : []));
}

function leftHashes(events: readonly RecordedEvent[]): readonly Hex[] {
  return events.flatMap(({ type, data }) => (type === 'ChainReorganized' ? (data['dropped'] as unknown as readonly BlockRef[]).map(({ hash }) => hash) : []));
}

function unknownYet(error: unknown): undefined {
  if (!(error instanceof ChainfoldError) || error.code !== 'chain-unknown') throw error;
}
