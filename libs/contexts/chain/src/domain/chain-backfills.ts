import { ChainRefusal } from './chain.errors.ts';
import type { ChainEvent } from './chain.events.ts';
import type { BackfillRange, FollowingChain, StoppedChain } from './chain-state.ts';

interface Range {
  readonly from: number;
  readonly to: number;
}

/** An older range, or (after a long stop) all between our head and where the chain is now. Ranges never overlap. */
export function requestBackfill({ from, to }: Range, chain: FollowingChain | StoppedChain): readonly ChainEvent[] {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || to < from) {
    throw new ChainRefusal('backfill-range-invalid', 'That is not a range of blocks', { from, to }, 'Both ends are block numbers, and `from` is not above `to`.', 'invalid');
  }
  const overlapped = capturedOf(chain).find((range) => range.from <= to && range.to >= from);
  if (overlapped !== undefined) {
    throw new ChainRefusal('backfill-overlaps', 'Blocks of this range are captured or requested already', { from, to, overlapsFrom: overlapped.from, overlapsTo: overlapped.to }, `Leave out blocks ${overlapped.from} to ${overlapped.to}.`);
  }
  const next = nextBlock(chain);
  if (to >= next && from !== next) {
    throw new ChainRefusal('backfill-ahead', 'This range lies ahead of what is captured', { from, to, next }, `Blocks from ${next} on are captured by following the head.`);
  }
  return [{ type: 'BackfillRequested', data: { chainId: chain.chainId, from, to } }];
}

export function completeBackfill({ from, to }: Range, chain: FollowingChain | StoppedChain): readonly ChainEvent[] {
  const range = chain.backfills.find((known) => known.from === from && known.to === to);
  if (range === undefined) throw new ChainRefusal('backfill-unknown', 'This backfill was not requested', { from, to }, 'Request it first.', 'missing');
  return range.completed ? [] : [{ type: 'BackfillCompleted', data: { chainId: chain.chainId, from, to } }];
}

/** Are all these blocks in requested ranges? */
export function gapIsBackfilled(from: number, to: number, backfills: readonly BackfillRange[]): boolean {
  let next = from;
  while (next <= to) {
    const range = rangeWith(next, backfills);
    if (range === undefined) return false;
    next = range.to + 1;
  }
  return true;
}

/** Is the block there, and not merely asked for? */
export function isBackfilled(number: number, backfills: readonly BackfillRange[]): boolean {
  return backfills.some(({ from, to, completed }) => completed && from <= number && to >= number);
}

export function rangeWith(number: number, backfills: readonly Range[]): Range | undefined {
  return backfills.find((range) => range.from <= number && range.to >= number);
}

/** Before the first block has come, the place is kept for it. */
function capturedOf({ firstBlock, links, backfills }: FollowingChain | StoppedChain): readonly Range[] {
  return [{ from: firstBlock, to: Math.max(firstBlock, links?.ref.number ?? firstBlock) }, ...backfills];
}

function nextBlock({ firstBlock, links }: FollowingChain | StoppedChain): number {
  return links === undefined ? firstBlock : links.ref.number + 1;
}
