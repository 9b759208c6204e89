import { isBackfilled } from './chain-backfills.ts';
import { ChainRefusal } from './chain.errors.ts';
import type { ChainEvent, ObservedBlock } from './chain.events.ts';
import { mustBeOf, observedAs } from './chain-head.ts';
import type { Links } from './chain-links.ts';
import { cutTo, lowest, refsAbove } from './chain-links.ts';
import type { FollowingChain, StoppedChain } from './chain-state.ts';
import { withBranchBlock } from './chain.evolve.ts';
import type { BlockRef, Hex } from './rpc-types.ts';

type ReorganizedEvent = Extract<ChainEvent, { type: 'ChainReorganized' }>;

/** References of one sort that one event names; a longer reorganisation is told in several. */
const MOST_REFS = 1_000;
/** References that fit one append, at some 100 bytes each. */
const MOST_REFS_AT_ONCE = 8_000;

/** Blocks of a branch that is about to be adopted, each on top of the one before; known ones are passed over. */
export function observeBranch(ancestor: BlockRef, blocks: readonly ObservedBlock[], chain: FollowingChain): readonly ChainEvent[] {
  mustBeAdoptableFrom(ancestor, chain);
  const events: ChainEvent[] = [];
  let branch = chain.branch;
  for (const block of blocks) {
    mustBeOf(chain, block);
    if (isOn(branch?.links, block.number, block.hash)) continue;
    if (isOn(chain.links, block.number, block.hash) && !isOn(branch?.links, block.number - 1, block.parentHash)) continue;
    const grown = withBranchBlock(chain, branch, block);
    if (grown === undefined || block.number <= ancestor.number) {
      throw new ChainRefusal('parent-mismatch', 'This block follows neither the branch nor our chain', {
        number: block.number,
        parentHash: block.parentHash,
        ancestor: ancestor.hash,
        tip: branch?.links.ref.hash ?? 'none',
      });
    }
    branch = grown;
    events.push(observedAs('BranchBlockObserved', block));
  }
  return events;
}

/**
 * Makes the branch up to `tip` ours in place of what stands above the ancestor. `tip` the ancestor itself is a rollback.
 * What is longer than one append is done in parts: the same command again does the next one, until nothing is left.
 */
export function adoptBranch(ancestor: BlockRef, tip: BlockRef, chain: FollowingChain): readonly ChainEvent[] {
  const isRollback = tip.hash === ancestor.hash;
  const head = chain.links?.ref;
  if (head?.hash === tip.hash || (isRollback && head === undefined)) return [];
  mustBeAdoptableFrom(ancestor, chain);
  if (isRollback) return rolledBack(chain, ancestor);
  const links = chain.branch === undefined ? undefined : cutTo(chain.branch.links, tip.number);
  if (chain.branch === undefined || links?.ref.hash !== tip.hash) throw new BranchIncomplete(ancestor, tip);
  let fork = chain.branch.ancestor;
  let adopted = refsAbove(links, fork.number);
  // What was adopted of it before may be the lower part of the branch.
  while (adopted[0] !== undefined && isOn(chain.links, adopted[0].number, adopted[0].hash)) [fork, ...adopted] = adopted as [BlockRef, ...BlockRef[]];
  if (fork.number < ancestor.number) throw new BranchIncomplete(ancestor, tip);
  mustBeAdoptableFrom(fork, chain);
  return reorganized(chain, fork, adopted);
}

/** Under our lowest block there is nothing to go back to, but where the chain began. */
function rolledBack(chain: FollowingChain, ancestor: BlockRef): readonly ChainEvent[] {
  if (ancestor.number >= chain.firstBlock && !isOn(chain.links, ancestor.number, ancestor.hash)) throw new AncestorUnknown(ancestor);
  return reorganized(chain, ancestor, []);
}

/** Of all that is remembered nothing stays, nor does anybody know what it will stand on. */
export function dropAll(chain: FollowingChain | StoppedChain): readonly ChainEvent[] {
  const bottom = chain.links && lowest(chain.links);
  return bottom === undefined || bottom.ref.number === 0 ? [] : reorganized(chain, { number: bottom.ref.number - 1, hash: bottom.parentHash }, []);
}

/**
 * One event where at most MOST_REFS are dropped and adopted. Of a longer one a reader may see the steps: first the old
 * branch falls from above, then the new one grows; each step leaves a chain without a gap.
 */
function reorganized(chain: FollowingChain | StoppedChain, ancestor: BlockRef, adopted: readonly BlockRef[]): readonly ChainEvent[] {
  const events: ReorganizedEvent[] = [];
  const tell = (from: BlockRef, dropped: readonly BlockRef[], gained: readonly BlockRef[]): void => {
    events.push({ type: 'ChainReorganized', data: { chainId: chain.chainId, ancestor: from, dropped, adopted: gained } });
  };
  let dropped = refsAbove(chain.links, ancestor.number);
  while (dropped.length > MOST_REFS) {
    const kept = dropped.slice(0, -MOST_REFS);
    tell(kept.at(-1)!, dropped.slice(-MOST_REFS), []);
    dropped = kept;
  }
  if (dropped.length > 0 || adopted.length > 0) tell(ancestor, dropped, adopted.slice(0, MOST_REFS));
  for (let at = MOST_REFS; at < adopted.length; at += MOST_REFS) tell(adopted[at - 1]!, [], adopted.slice(at, at + MOST_REFS));
  return partThatFits(events);
}

function partThatFits(events: readonly ReorganizedEvent[]): readonly ReorganizedEvent[] {
  let refs = 0;
  return events.filter(({ data }) => (refs += data.dropped.length + data.adopted.length) <= MOST_REFS_AT_ONCE);
}

/** Ours, and not under what is final. */
function mustBeAdoptableFrom(ancestor: BlockRef, chain: FollowingChain): void {
  const { finalized } = chain;
  if (finalized !== undefined && ancestor.number < finalized.number) {
    throw new ChainRefusal(
      'reorg-below-finalized',
      'A branch leaves our chain below the block that was final',
      { ancestor: ancestor.number, ancestorHash: ancestor.hash, finalized: finalized.number, finalizedHash: finalized.hash },
      'Either the node is wrong or the chain broke its promise: stop the chain, find out which, then resume it.',
    );
  }
  if (isOurAncestor(ancestor, chain)) return;
  throw new AncestorUnknown(ancestor);
}

class BranchIncomplete extends ChainRefusal {
  constructor(ancestor: BlockRef, tip: BlockRef) {
    super(
      'branch-incomplete',
      'The branch to adopt was not observed up to its tip',
      { ancestor: ancestor.hash, number: tip.number, tip: tip.hash },
      'Observe all blocks of the branch first.',
    );
  }
}

class AncestorUnknown extends ChainRefusal {
  constructor({ number, hash }: BlockRef) {
    super(
      'ancestor-unknown',
      'The block that the branch is said to leave from is not one of ours',
      { number, hash },
      'Look further down for the block that both chains share.',
    );
  }
}

/**
 * The block under our lowest one is known by the lowest one's parent. A chain that begins in the middle may even lose
 * its first block: then the branch replaces all that is held, and anything under it can be the ancestor. Not so where a
 * backfill holds what stands there, for that would stay canonical on the branch that is left.
 */
function isOurAncestor(ancestor: BlockRef, chain: FollowingChain): boolean {
  if (chain.links === undefined) return false;
  if (isOn(chain.links, ancestor.number, ancestor.hash)) return true;
  const first = lowest(chain.links);
  if (ancestor.number !== first.ref.number - 1) return false;
  if (ancestor.hash === first.parentHash) return true;
  return first.ref.number === chain.firstBlock && chain.finalized === undefined && !isBackfilled(ancestor.number, chain.backfills);
}

function isOn(links: Links | undefined, number: number, hash: Hex): boolean {
  return cutTo(links, number)?.ref.hash === hash;
}
