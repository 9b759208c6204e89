import { unreachable } from '#platform/kernel';
import { withCancellation, withCompletion, withRequest } from './chain-backfills.ts';
import type { ChainEvent, ObservedBlock } from './chain.events.ts';
import type { Links } from './chain-links.ts';
import { cutTo, extended, lowest, trimmedBelow } from './chain-links.ts';
import type { Branch, Chain, FollowingChain, StoppedChain } from './chain-state.ts';
import { withProofs } from './chain-proofs.ts';
import type { BlockRef } from './rpc-types.ts';

/** What each fact makes of the chain. `window`: links that are kept in any case. */
export function evolveChain(chain: Chain, event: ChainEvent, window: number): Chain {
  if (event.type === 'ChainStarted') {
    const none = { links: undefined, safe: undefined, finalized: undefined, branch: undefined, backfills: [], holes: [], proven: [] };
    return { status: 'following', ...event.data, ...none };
  }
  return chain.status === 'absent' ? chain : evolveStarted(chain, event, window);
}

function evolveStarted(chain: FollowingChain | StoppedChain, event: Exclude<ChainEvent, { type: 'ChainStarted' }>, window: number): Chain {
  switch (event.type) {
    case 'BlockObserved':
      return { ...chain, links: withBlock(chain, event.data, window), proven: withProofs(chain.proven, event.data) };
    case 'BranchBlockObserved':
      return { ...chain, branch: withBranchBlock(chain, chain.branch, event.data), proven: withProofs(chain.proven, event.data) };
    case 'ChainReorganized':
      return reorganized(chain, event.data);
    case 'BlocksSafe':
      return { ...chain, safe: refOf(event.data) };
    case 'BlocksFinalized':
      return finalized(chain, refOf(event.data), window);
    case 'BackfillRequested':
      return { ...chain, ...withRequest(chain, event.data) };
    case 'BackfillCompleted':
      return { ...chain, ...withCompletion(chain, event.data) };
    case 'BackfillCancelled':
      return { ...chain, ...withCancellation(chain, event.data) };
    case 'ChainStopped':
      return { ...chain, status: 'stopped', code: event.data.code, reason: event.data.reason };
    case 'ChainResumed':
      return resumed(chain);
    default:
      return unreachable(event);
  }
}

/** After a jump over a backfilled gap nothing below it can be an ancestor any more. */
function withBlock(chain: FollowingChain | StoppedChain, block: ObservedBlock, window: number): Links {
  const follows = chain.links?.ref.number === block.number - 1;
  const links = extended(follows ? chain.links : undefined, { number: block.number, hash: block.hash }, block.parentHash);
  return trimmed(links, chain.finalized, window);
}

/** All above the finalized block is kept, however late finality is. Cut at twice the length, so it costs little per block. */
function trimmed(links: Links, finalized: BlockRef | undefined, window: number): Links {
  const head = links.ref.number;
  const lowestKept = Math.min(finalized?.number ?? head, head - window);
  return links.count > 2 * (head - lowestKept + 1) ? trimmedBelow(links, lowestKept) : links;
}

/** The branch with this block on it; undefined when it follows neither the branch nor our own chain. */
export function withBranchBlock(chain: FollowingChain | StoppedChain, branch: Branch | undefined, block: ObservedBlock): Branch | undefined {
  const ref = { number: block.number, hash: block.hash };
  const parent = { number: block.number - 1, hash: block.parentHash };
  const onBranch = branch === undefined ? undefined : cutTo(branch.links, parent.number);
  if (branch !== undefined && onBranch?.ref.hash === parent.hash) return { ancestor: branch.ancestor, links: extended(onBranch, ref, parent.hash) };
  if (chain.links === undefined) return undefined;
  const first = lowest(chain.links);
  const onOurs = cutTo(chain.links, parent.number)?.ref.hash === parent.hash;
  const underFirst = block.number === first.ref.number && (parent.hash === first.parentHash || block.number === chain.firstBlock);
  return onOurs || underFirst ? { ancestor: parent, links: extended(undefined, ref, parent.hash) } : undefined;
}

function reorganized(chain: FollowingChain | StoppedChain, { ancestor, adopted }: Extract<ChainEvent, { type: 'ChainReorganized' }>['data']): Chain {
  let links = cutTo(chain.links, ancestor.number);
  let parent = ancestor.hash;
  for (const ref of adopted) {
    links = extended(links, ref, parent);
    parent = ref.hash;
  }
  const safe = chain.safe !== undefined && chain.safe.number > ancestor.number ? ancestorAsSafe(chain, ancestor) : chain.safe;
  const branch = continues(chain.branch, ancestor, adopted) ? chain.branch : undefined;
  return { ...chain, links, safe, branch };
}

/** A long reorganisation is told in several events; until the last one the branch is still needed. */
function continues(branch: Branch | undefined, ancestor: BlockRef, adopted: readonly BlockRef[]): boolean {
  if (branch === undefined) return false;
  const last = adopted.at(-1);
  return last === undefined ? ancestor.number >= branch.ancestor.number : last.number < branch.links.ref.number;
}

/** An ancestor under our first block is not ours to call safe. */
function ancestorAsSafe(chain: FollowingChain | StoppedChain, ancestor: BlockRef): BlockRef | undefined {
  return ancestor.number >= chain.firstBlock ? ancestor : undefined;
}

function finalized(chain: FollowingChain | StoppedChain, block: BlockRef, window: number): Chain {
  const { links, safe } = chain;
  return {
    ...chain,
    finalized: block,
    safe: safe === undefined || safe.number < block.number ? block : safe,
    links: links === undefined ? undefined : trimmed(links, block, window),
  };
}

/**
 * Who resumes a chain that broke its promise of finality takes the node's word over the promise. One that left below
 * all that can be compared is captured anew from its first block: where the old blocks and the new ones meet is unknown.
 */
function resumed(chain: FollowingChain | StoppedChain): Chain {
  const { chainId, genesisHash, firstBlock, links, safe, finalized, branch, backfills, holes, proven } = chain;
  const known = { status: 'following', chainId, genesisHash, firstBlock, links, safe, finalized, branch, backfills, holes, proven } as const;
  if (chain.status !== 'stopped') return known;
  if (chain.code === 'reorg-below-finalized') return { ...known, finalized: undefined };
  if (chain.code !== 'reorg-below-first-block') return known;
  const below = backfills.filter(({ to }) => to < firstBlock);
  return { ...known, links: undefined, safe: undefined, finalized: undefined, branch: undefined, backfills: below, holes: [] };
}

function refOf({ number, hash }: BlockRef): BlockRef {
  return { number, hash };
}
