import { gapIsBackfilled, nextBlock, rangeWith, withRequest } from './chain-backfills.ts';
import { ChainRefusal } from './chain.errors.ts';
import type { ChainEvent, ObservedBlock } from './chain.events.ts';
import type { Links } from './chain-links.ts';
import { cutTo, extended, lowest } from './chain-links.ts';
import type { FollowingChain } from './chain-state.ts';
import { blockTime } from './observe.ts';

/** Each block on top of the one before; what we have is passed over. */
export function observeBlocks(blocks: readonly ObservedBlock[], chain: FollowingChain): readonly ChainEvent[] {
  const events: ChainEvent[] = [];
  let links = chain.links;
  for (const block of blocks) {
    mustBeOf(chain, block);
    if (isOurs(block, links, chain)) continue;
    mustFollow(block, links, chain);
    links = extended(links, { number: block.number, hash: block.hash }, block.parentHash);
    events.push(observedAs('BlockObserved', block));
  }
  return events;
}

/** The block far above our head, and before it the request for all between that nobody was asked for yet. */
export function leaveGap(block: ObservedBlock, chain: FollowingChain): readonly ChainEvent[] {
  mustBeOf(chain, block);
  const gap = { from: nextBlock(chain), to: block.number - 1 };
  if (gap.to < gap.from) return observeBlocks([block], chain);
  const asked: ChainEvent = { type: 'BackfillRequested', data: { chainId: chain.chainId, ...gap } };
  return [asked, ...observeBlocks([block], { ...chain, ...withRequest(chain, gap) })];
}

export function observedAs(type: 'BlockObserved' | 'BranchBlockObserved', block: ObservedBlock): ChainEvent {
  const occurredAt = blockTime(block.header.timestamp);
  return { type, data: block, naturalKey: block.hash, ...(occurredAt === undefined ? {} : { occurredAt }) };
}

export function mustBeOf(chain: FollowingChain, block: ObservedBlock): void {
  if (block.chainId !== chain.chainId) {
    throw new ChainRefusal('foreign-block', 'That block is of another chain', { chainId: chain.chainId, blockChainId: block.chainId, hash: block.hash }, undefined, 'bug');
  }
  if (block.number === 0 && block.hash !== chain.genesisHash) {
    throw new ChainRefusal('genesis-mismatch', 'Block 0 is not the one that this chain began with', { expected: chain.genesisHash, actual: block.hash });
  }
}

/** Under the lowest link nothing can be compared any more; the capture of those numbers is long done. */
function isOurs(block: ObservedBlock, links: Links | undefined, chain: FollowingChain): boolean {
  if (links === undefined || block.number > links.ref.number) return false;
  const known = cutTo(links, block.number);
  if (known === undefined) return block.number >= chain.firstBlock && block.number < lowest(links).ref.number;
  return known.ref.hash === block.hash;
}

function mustFollow(block: ObservedBlock, links: Links | undefined, chain: FollowingChain): void {
  const head = links?.ref;
  const next = head === undefined ? chain.firstBlock : head.number + 1;
  if (block.number < next) {
    const ours = cutTo(links, block.number)?.ref.hash ?? 'before the first block';
    throw new ChainRefusal('parent-mismatch', 'We hold another block at this number', { number: block.number, hash: block.hash, ours }, FORK_HINT);
  }
  if (block.number > next && !gapIsBackfilled(next, block.number - 1, chain.backfills)) {
    throw new ChainRefusal('block-gap', 'Blocks between this one and our head are missing', { expected: next, actual: block.number, hash: block.hash }, 'Observe the blocks between first, or request their backfill.');
  }
  const range = rangeWith(block.number, chain.backfills);
  if (head !== undefined && range !== undefined) {
    throw new ChainRefusal('backfill-overlaps', 'This block belongs to a backfill', { number: block.number, from: range.from, to: range.to }, `Go on with block ${range.to + 1}.`);
  }
  if (head === undefined || block.number > next || block.parentHash === head.hash) return;
  throw new ChainRefusal('parent-mismatch', 'This block does not follow our head', { number: block.number, parentHash: block.parentHash, head: head.hash }, FORK_HINT);
}

const FORK_HINT = 'Find the block that both chains share, observe the branch above it, and adopt it.';
