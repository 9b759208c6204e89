import { setTimeout as pause } from 'node:timers/promises';
import type { Position } from '#platform/kernel';
import { ChainfoldError, START } from '#platform/kernel';
import { isAtOrAbove } from '#platform/read-store';
import type { BlockPoint, ChainExplorer } from '../../libs/contexts/chain/src/ports/chain-explorer.port.ts';
import type { ProcessLife } from './process-life.ts';
import { SeededRandom } from './seeded-random.ts';
import { CHAIN_ID } from './true-chain.ts';

/** What was answered as of one moment: marks, or the newest blocks of the chain, highest first. */
export type SeenAnswer = { readonly asOf: Position } & (
  | { readonly kind: 'marks'; readonly head: string | null; readonly safe: string | null; readonly finalized: string | null; readonly reorgs: number; readonly blocks: number }
  | { readonly kind: 'blocks'; readonly asked: number; readonly hashes: readonly string[] }
);

/** Somebody who reads all the time, through restarts, rebuilds and swaps, and keeps what was answered. */
export class Observer {
  /** Comparable with the log: not while events are parked, for then rows are older than `asOf` says. */
  readonly answers: SeenAnswer[] = [];
  /** What no reader may ever see. */
  readonly wrong: string[] = [];
  asked = 0;
  readonly #random: SeededRandom;
  #last: Position = START;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  async watch(life: () => ProcessLife, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look(life());
      await pause(this.#random.oneOf([0, 1, 3, 8]));
    }
  }

  /** Each question is answered before anything else happens, so what is parked now is parked for it. */
  async #look(life: ProcessLife): Promise<void> {
    if (life.read === undefined || life.isClosing) return;
    const { explorer, isParked } = life.read;
    try {
      const answer = await this.#ask(explorer);
      this.asked += 1;
      if (!isAtOrAbove(answer.asOf, this.#last)) this.wrong.push(`an answer as of ${answer.asOf} after one as of ${this.#last}`);
      this.#last = answer.asOf;
      if (!isParked && 'kind' in answer) this.answers.push(answer);
    } catch (error) {
      if (life.isClosing) return;
      if (!(error instanceof ChainfoldError) || !EXPECTED.has(error.code)) this.wrong.push(String(error));
    }
  }

  #ask(explorer: ChainExplorer): Promise<SeenAnswer | { readonly asOf: Position }> {
    return this.#random.weighed([
      [2, () => this.#marks(explorer)],
      [3, () => this.#blocks(explorer)],
      [1, () => this.#body(explorer)],
    ])();
  }

  async #marks(explorer: ChainExplorer): Promise<SeenAnswer> {
    const { head, safe, finalized, reorgs, blocks, asOf } = await explorer.chain(CHAIN_ID);
    return { kind: 'marks', head: pointOf(head), safe: pointOf(safe), finalized: pointOf(finalized), reorgs, blocks, asOf };
  }

  async #blocks(explorer: ChainExplorer): Promise<SeenAnswer> {
    const asked = this.#random.between(2, 12);
    const { items, asOf } = await explorer.blocks(CHAIN_ID, { limit: asked, order: 'desc', orphaned: false });
    for (const [at, block] of items.entries()) {
      const below = items[at + 1];
      const isLinked = below === undefined || below.number !== block.number - 1 || below.hash === block['parentHash'];
      if (!isLinked) this.wrong.push(`one answer mixes two forks: ${block.number} ${block.hash} above ${below.hash}`);
    }
    return { kind: 'blocks', asked, hashes: items.map(({ hash }) => hash), asOf };
  }

  /** A block that is shown has all of its transactions, each naming this block. */
  async #body(explorer: ChainExplorer): Promise<{ readonly asOf: Position }> {
    const latest = await explorer.block(CHAIN_ID, 'latest');
    const { items } = await explorer.blockTransactions(CHAIN_ID, latest.hash, { limit: 100, order: 'asc' });
    const isWhole = items.length === latest.transactionCount && items.every(({ blockHash }) => blockHash === latest.hash);
    if (!isWhole) this.wrong.push(`block ${latest.hash} of ${latest.transactionCount} transactions was shown with ${items.length}`);
    const [first] = items;
    if (first !== undefined && (await explorer.transaction(CHAIN_ID, first.hash)).hash !== first.hash) this.wrong.push(`transaction ${first.hash} is another one`);
    return { asOf: latest.asOf };
  }
}

function pointOf(point: BlockPoint | null): string | null {
  return point === null ? null : `${point.number} ${point.hash}`;
}

const EXPECTED: ReadonlySet<string> = new Set(['projection-not-ready', 'chain-unknown', 'block-unknown']);
