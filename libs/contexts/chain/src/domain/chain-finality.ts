import { ChainRefusal } from './chain.errors.ts';
import type { ChainEvent } from './chain.events.ts';
import { cutTo } from './chain-links.ts';
import type { FollowingChain } from './chain-state.ts';
import type { BlockRef } from './rpc-types.ts';

/** Rises until a reorganisation takes it back to the ancestor. */
export function markSafe(block: BlockRef, chain: FollowingChain): readonly ChainEvent[] {
  if (chain.safe !== undefined && block.number <= chain.safe.number) return [];
  return isOurs(block, chain) ? [{ type: 'BlocksSafe', data: { chainId: chain.chainId, number: block.number, hash: block.hash } }] : [];
}

/** Only rises. */
export function markFinalized(block: BlockRef, chain: FollowingChain): readonly ChainEvent[] {
  const { finalized } = chain;
  if (finalized !== undefined && block.number === finalized.number && block.hash !== finalized.hash) throw new FinalityContradicted(block, finalized);
  if (finalized !== undefined && block.number <= finalized.number) return [];
  return isOurs(block, chain) ? [{ type: 'BlocksFinalized', data: { chainId: chain.chainId, number: block.number, hash: block.hash } }] : [];
}

/** Nothing is said of blocks that are not captured yet, or stood before our first one. Another block at a number of ours is refused. */
function isOurs(block: BlockRef, { links }: FollowingChain): boolean {
  const ours = cutTo(links, block.number)?.ref;
  if (ours !== undefined && ours.hash !== block.hash) throw new FinalityContradicted(block, ours);
  return ours !== undefined;
}

class FinalityContradicted extends ChainRefusal {
  constructor(told: BlockRef, ours: BlockRef) {
    super(
      'finality-not-ours',
      'The node calls another block safe or final than the one we hold',
      { number: told.number, told: told.hash, ours: ours.hash },
      'Our chain may be a branch that lost: look for the block that both share.',
    );
  }
}
