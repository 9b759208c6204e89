import type { Clock } from '#platform/kernel';
import type { ObservedBlock } from '../domain/chain.events.ts';
import type { BlockRef } from '../domain/rpc-types.ts';
import type { HeadHint } from '../ports/chain-node.port.ts';
import type { BlockIntake } from './block-intake.ts';
import { NodeLagging } from './capture.errors.ts';
import type { CaptureLog, CaptureMetrics } from './capture-log.ts';
import type { ChainReorganizer } from './chain-reorganizer.ts';
import type { ChainActors } from './chain-actors.ts';
import type { ChainView } from './chain-view.ts';
import { viewOf } from './chain-view.ts';
import { pieces } from './observed-pieces.ts';

export interface HeadCaptureOptions {
  readonly chainId: string;
  readonly chains: ChainActors;
  readonly intake: BlockIntake;
  readonly reorganizer: ChainReorganizer;
  readonly clock: Clock;
  readonly log: CaptureLog;
  readonly metrics: CaptureMetrics;
  /** After each durable piece: the node's head, and whether a long way is left. */
  readonly progressed: (nodeHead: number, behind: boolean) => void;
}

/** Shown as catching up rather than following. */
const LONG_WAY = 256;
/** A longer gap is not filled before the head is shown. */
const LONG_GAP = 10_000;

/** Brings the chain's own head to a head that a node told of. */
export class HeadCapture {
  readonly #options: HeadCaptureOptions;

  constructor(options: HeadCaptureOptions) {
    this.#options = options;
  }

  /** True when the node should be asked at once for its present head. Throws trouble of nodes, and `reorg-below-…`. */
  async take(hint: HeadHint, signal: AbortSignal): Promise<boolean> {
    const heardAt = this.#options.clock.monotonic();
    const view = await this.#view();
    const { head } = view;
    if (head !== undefined && hint.number <= head.number) return this.#notAbove(hint, head, view, signal);
    if (head !== undefined && hint.number === head.number + 1 && view.next === hint.number) {
      if (hint.parentHash !== head.hash) return this.#leave(hint, view, signal);
      const block = await this.#options.intake.byHash(hint.hash, hint.number, signal);
      await this.#observe([block], heardAt, hint.number);
      return false;
    }
    if (head !== undefined && hint.number - view.next >= LONG_GAP) return this.#leaveGap(hint, view, heardAt, signal);
    return this.#fill(hint, view, heardAt, signal);
  }

  /**
   * After a long stop the head comes first, and what was missed as a backfill. The verified block, and not one odd
   * answer about the head, says that it is there; both are told at once, so that no failure comes between them.
   */
  async #leaveGap(hint: HeadHint, view: ChainView, heardAt: number, signal: AbortSignal): Promise<boolean> {
    const { chains, chainId, log, intake } = this.#options;
    const block = await intake.byHash(hint.hash, hint.number, signal);
    if (block.number !== hint.number) throw new NodeLagging('', hint.number);
    await chains.tell(chainId, { type: 'LeaveGap', block });
    log.info({ chainId, from: view.next, to: block.number - 1 }, 'long gap is left to a backfill');
    this.#captured([block], heardAt, hint.number);
    return false;
  }

  /** Every number between our head and theirs, in order. */
  async #fill(hint: HeadHint, view: ChainView, heardAt: number, signal: AbortSignal): Promise<boolean> {
    const from = view.next;
    // A block above a gap shows its parent when the gap is filled.
    let parent = view.head !== undefined && view.head.number + 1 === from ? view.head.hash : undefined;
    for await (const blocks of this.#options.intake.range(from, hint.number, signal)) {
      const linked: ObservedBlock[] = [];
      for (const block of blocks) {
        if (parent !== undefined && block.parentHash !== parent) break;
        parent = block.hash;
        linked.push(block);
      }
      if (linked.length > 0) await this.#observe(linked, heardAt, hint.number);
      if (linked.length < blocks.length) return this.#leave(hint, await this.#view(), signal);
    }
    return false;
  }

  /** What stands at or below our head is an old announcement, a late replica, another branch, or a rollback. */
  async #notAbove(hint: HeadHint, head: BlockRef, view: ChainView, signal: AbortSignal): Promise<boolean> {
    if (hint.hash === head.hash) return false;
    if (view.hashAt(hint.number) === hint.hash) return this.#options.reorganizer.rolledBack(view, signal);
    return this.#leave(hint, view, signal);
  }

  async #leave(hint: HeadHint, view: ChainView, signal: AbortSignal): Promise<boolean> {
    const changed = await this.#options.reorganizer.follow(hint, view, signal);
    if (changed) this.#options.progressed(hint.number, false);
    return changed;
  }

  async #observe(blocks: readonly ObservedBlock[], heardAt: number, nodeHead: number): Promise<void> {
    const { chains, chainId } = this.#options;
    for (const piece of pieces(blocks)) {
      await chains.tell(chainId, { type: 'ObserveBlocks', blocks: piece });
      this.#captured(piece, heardAt, nodeHead);
    }
  }

  #captured(blocks: readonly ObservedBlock[], heardAt: number, nodeHead: number): void {
    const { chainId, metrics, clock, progressed } = this.#options;
    const last = blocks.at(-1) as ObservedBlock;
    const transactions = blocks.reduce((sum, block) => sum + block.transactionCount, 0);
    metrics.captured(chainId, blocks.length, transactions, last.number === nodeHead ? clock.monotonic() - heardAt : undefined);
    progressed(nodeHead, nodeHead - last.number > LONG_WAY);
  }

  async #view(): Promise<ChainView> {
    return viewOf((await this.#options.chains.peek(this.#options.chainId)).state);
  }
}
