import type { Actors } from '#platform/actors';
import type { Clock } from '#platform/kernel';
import type { ChainCommand } from '../domain/chain.commands.ts';
import type { ObservedBlock } from '../domain/chain.events.ts';
import type { BlockRef, Hex } from '../domain/rpc-types.ts';
import type { ChainNode, HeadHint } from '../ports/chain-node.port.ts';
import type { BlockIntake } from './block-intake.ts';
import type { CaptureLog, CaptureMetrics } from './capture-log.ts';
import { BranchMoved, NodeLagging } from './capture.errors.ts';
import type { ChainView } from './chain-view.ts';
import { contradiction, findForkPoint } from './fork-point.ts';
import { pieces } from './observed-pieces.ts';
import type { ProviderSet } from './provider-set.ts';

export interface ReorganizerOptions {
  readonly chainId: string;
  readonly providers: ProviderSet;
  readonly intake: BlockIntake;
  readonly chains: Pick<Actors<unknown, ChainCommand>, 'tell'>;
  readonly clock: Clock;
  readonly log: CaptureLog;
  readonly metrics: CaptureMetrics;
}

/** Between the two questions that must agree before a head that does not rise is believed. */
const CONFIRM_MS = 150;

/** Leaves one branch for another, once a parent chain, and not one odd answer, shows it. */
export class ChainReorganizer {
  readonly #options: ReorganizerOptions;

  constructor(options: ReorganizerOptions) {
    this.#options = options;
  }

  /** The node announced `tip`, which does not stand on our head. True when the chain was changed. */
  async follow(tip: HeadHint, view: ChainView, signal: AbortSignal): Promise<boolean> {
    const head = view.head as BlockRef;
    const found = await this.#options.providers.use(async (node) => {
      const seen = tip.number > head.number ? tip : await this.#seenAgain(node, view, signal);
      if (seen === undefined) return undefined;
      return { ancestor: await this.#ancestor(node, view, seen, signal), seen };
    });
    if (found === undefined) return false;
    const { ancestor, seen } = found;
    if (ancestor.hash === head.hash) return false;
    if (ancestor.number === seen.number) return this.rolledBack(view, signal);
    // The head never falls where the new branch is longer; what lies above is filled as usual.
    const last = Math.min(seen.number, Math.max(head.number + 1, ancestor.number + 1));
    const branch = await this.#fetch(ancestor, last, signal);
    await this.#adopt(view, ancestor, branch);
    return true;
  }

  /**
   * A head lower than ours is a late replica, unless one provider twice answers null for our head's hash while it
   * serves an ancestor of it. True when the chain was rolled back.
   */
  async rolledBack(view: ChainView, signal: AbortSignal): Promise<boolean> {
    const head = view.head as BlockRef;
    const ancestor = await this.#options.providers.use(async (node) => {
      for (let time = 0; time < 2; time += 1) {
        if (time > 0) await this.#options.clock.sleep(CONFIRM_MS, signal);
        if ((await node.header(head.hash)) !== null) return undefined;
      }
      const latest = await node.header('latest');
      if (latest === null || Number(latest.number) >= head.number) return undefined;
      const number = Number(latest.number);
      const floor = view.finalized?.number ?? view.lowest;
      const lostAll = view.finalized === undefined && view.lowest === view.firstBlock && number < view.firstBlock;
      if (number < floor && !lostAll) throw contradiction(view, floor, node.label);
      return lostAll || view.hashAt(number) === latest.hash ? { number, hash: latest.hash } : undefined;
    });
    if (ancestor === undefined) return false;
    await this.#adopt(view, ancestor, []);
    return true;
  }

  /** A head that does not rise must be said twice, for a replica may be on a branch that the others have left. */
  async #seenAgain(node: ChainNode, view: ChainView, signal: AbortSignal): Promise<HeadHint | undefined> {
    await this.#options.clock.sleep(CONFIRM_MS, signal);
    const latest = await node.header('latest');
    if (latest === null) return undefined;
    const number = Number(latest.number);
    return view.hashAt(number) === latest.hash ? undefined : { number, hash: latest.hash, parentHash: latest.parentHash };
  }

  /** What would stop the chain is asked twice too. */
  async #ancestor(node: ChainNode, view: ChainView, seen: HeadHint, signal: AbortSignal): Promise<BlockRef> {
    try {
      return await findForkPoint(node, view, seen.number);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('reorg-below')) throw error;
      await this.#options.clock.sleep(CONFIRM_MS, signal);
      return findForkPoint(node, view, seen.number);
    }
  }

  /** The whole branch, every block on its parent, bodies durable. */
  async #fetch(ancestor: BlockRef, last: number, signal: AbortSignal): Promise<readonly ObservedBlock[]> {
    const branch: ObservedBlock[] = [];
    let parent: Hex = ancestor.hash;
    for await (const piece of this.#options.intake.range(ancestor.number + 1, last, signal)) {
      for (const block of piece) {
        if (block.parentHash !== parent) throw new BranchMoved(block.number, parent, block.parentHash);
        parent = block.hash;
        branch.push(block);
      }
    }
    if (branch.length === 0) throw new NodeLagging('', last);
    return branch;
  }

  async #adopt(view: ChainView, ancestor: BlockRef, branch: readonly ObservedBlock[]): Promise<void> {
    const { chainId, chains, log, metrics } = this.#options;
    for (const blocks of pieces(branch)) await chains.tell(chainId, { type: 'ObserveBranch', ancestor, blocks });
    const last = branch.at(-1);
    const tip = last === undefined ? ancestor : { number: last.number, hash: last.hash };
    await chains.tell(chainId, { type: 'AdoptBranch', ancestor, tip });
    const depth = (view.head?.number ?? ancestor.number) - ancestor.number;
    metrics.reorganized(chainId, depth);
    log.info({ chainId, ancestor: ancestor.number, depth, adopted: branch.length }, 'chain reorganized');
  }
}
