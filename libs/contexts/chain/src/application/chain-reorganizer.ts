import type { Actors } from '#platform/actors';
import type { Clock } from '#platform/kernel';
import type { ChainCommand } from '../domain/chain.commands.ts';
import type { ObservedBlock } from '../domain/chain.events.ts';
import type { BlockRef, Hex } from '../domain/rpc-types.ts';
import type { ChainNode, HeadHint } from '../ports/chain-node.port.ts';
import type { BlockIntake } from './block-intake.ts';
import type { CaptureLog, CaptureMetrics } from './capture-log.ts';
import { BranchMoved, ChainContradicts, NodeLagging } from './capture.errors.ts';
import type { ChainView } from './chain-view.ts';
import { findForkPoint } from './fork-point.ts';
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
    const fetched = await this.#fetch(ancestor, last, signal);
    // The node may have swung back while it was asked: what we hold leaves nothing, and what stands on our head is no branch.
    const ours = fetched.filter(({ number, hash }) => view.hashAt(number) === hash);
    const fork = ours.at(-1) ?? ancestor;
    if (fork.hash === head.hash || ours.length === fetched.length) return true;
    await this.#adopt(view, { number: fork.number, hash: fork.hash }, fetched.slice(ours.length));
    return true;
  }

  /**
   * A head lower than ours is a late replica, unless one provider twice answers null for our head's hash while it
   * serves an ancestor of it, and every other provider can be asked and has left our head too. Nothing is lost by
   * waiting: what the chain becomes shows itself as a branch. True when the chain was rolled back.
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
      const shared = await findForkPoint(node, view, Number(latest.number));
      if (shared.hash !== latest.hash) return undefined;
      const others = this.#options.providers.others(node);
      if (others === undefined || (await anyServes(others, head))) throw new NodeLagging(node.label, head.number);
      return shared;
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

  /**
   * What would stop the chain is asked twice too, and is no more than a provider gone astray while another one still
   * stands with us, or can not be asked: waiting loses nothing, and a stop needs somebody who then may believe the wrong one.
   */
  async #ancestor(node: ChainNode, view: ChainView, seen: HeadHint, signal: AbortSignal): Promise<BlockRef> {
    try {
      return await findForkPoint(node, view, seen.number);
    } catch (error) {
      if (!(error instanceof ChainContradicts)) throw error;
      await this.#options.clock.sleep(CONFIRM_MS, signal);
      const others = this.#options.providers.others(node);
      if (others === undefined || (await anyServes(others, view.head as BlockRef))) throw new NodeLagging(node.label, seen.number);
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
    // A very deep one is adopted in parts, one for each time it is told.
    while ((await chains.tell(chainId, { type: 'AdoptBranch', ancestor, tip })).events.length > 0);
    const depth = (view.head?.number ?? ancestor.number) - ancestor.number;
    metrics.reorganized(chainId, depth);
    log.info({ chainId, ancestor: ancestor.number, depth, adopted: branch.length }, 'chain reorganized');
  }
}

/** By number, for a node may long keep blocks of a branch that it left. One that fails to answer has not left it. */
async function anyServes(nodes: readonly ChainNode[], { number, hash }: BlockRef): Promise<boolean> {
  const serve = nodes.map((node) => node.header(number).then((header) => header?.hash === hash, () => true));
  return (await Promise.all(serve)).includes(true);
}
