import { ChainRefusal } from './chain.errors.ts';
import type { ChainEvent } from './chain.events.ts';
import type { BackfillRange, FollowingChain, NumberRange, StoppedChain } from './chain-state.ts';

type Started = FollowingChain | StoppedChain;

/** An older range. Ranges never overlap, and never lie ahead: what does is followed, or left by `leaveGap`. */
export function requestBackfill({ from, to }: NumberRange, chain: Started): readonly ChainEvent[] {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || to < from) {
    throw new ChainRefusal('backfill-range-invalid', 'That is not a range of blocks', { from, to }, 'Both ends are block numbers, and `from` is not above `to`.', 'invalid');
  }
  const overlapped = capturedOf(chain).find((range) => range.from <= to && range.to >= from);
  if (overlapped !== undefined) {
    const facts = { from, to, overlapsFrom: overlapped.from, overlapsTo: overlapped.to };
    throw new ChainRefusal('backfill-overlaps', 'Blocks of this range are captured or requested already', facts, `Leave out blocks ${overlapped.from} to ${overlapped.to}.`);
  }
  const next = nextBlock(chain);
  if (to >= next) {
    throw new ChainRefusal('backfill-ahead', 'This range lies ahead of what is captured', { from, to, next }, `Blocks from ${next} on are captured by following the head.`);
  }
  return [{ type: 'BackfillRequested', data: { chainId: chain.chainId, from, to } }];
}

export function completeBackfill({ from, to }: NumberRange, chain: Started): readonly ChainEvent[] {
  return requestedRange({ from, to }, chain).completed ? [] : [{ type: 'BackfillCompleted', data: { chainId: chain.chainId, from, to } }];
}

/** The way out of a range that no provider has, or whose blocks join nothing: it may be asked for again, whole or in parts. */
export function cancelBackfill({ from, to, reason }: NumberRange & { readonly reason: string }, chain: Started): readonly ChainEvent[] {
  if (requestedRange({ from, to }, chain).completed) {
    throw new ChainRefusal('backfill-complete', 'All blocks of this backfill are captured', { from, to }, 'There is nothing left to cancel; what is captured stays.');
  }
  return [{ type: 'BackfillCancelled', data: { chainId: chain.chainId, from, to, reason } }];
}

function requestedRange({ from, to }: NumberRange, { backfills }: Started): BackfillRange {
  const range = backfills.find((known) => known.from === from && known.to === to);
  if (range === undefined) throw new ChainRefusal('backfill-unknown', 'This backfill is not requested', { from, to }, 'Request it first; both ends must be those of the request.', 'missing');
  return range;
}

type Ranges = Pick<Started, 'backfills' | 'holes'>;

export function withRequest({ backfills, holes }: Ranges, { from, to }: NumberRange): Ranges {
  return { backfills: [...backfills, { from, to, completed: false }], holes: holes.flatMap((hole) => without(hole, { from, to })) };
}

export function withCompletion({ backfills, holes }: Ranges, { from, to }: NumberRange): Ranges {
  return { backfills: backfills.map((range) => (range.from === from && range.to === to ? { ...range, completed: true } : range)), holes };
}

/** Ahead of the head it leaves no hole: those blocks come by following. */
export function withCancellation(chain: Ranges & Pick<Started, 'links' | 'firstBlock'>, { from, to }: NumberRange): Ranges {
  const { backfills, holes, links, firstBlock } = chain;
  const isBelowHead = links !== undefined && from > firstBlock && to < links.ref.number;
  return { backfills: backfills.filter((range) => range.from !== from || range.to !== to), holes: isBelowHead ? [...holes, { from, to }] : holes };
}

/** What is left of a range beside another one. */
export function without(range: NumberRange, taken: NumberRange): readonly NumberRange[] {
  if (taken.to < range.from || taken.from > range.to) return [range];
  const sides = [{ from: range.from, to: taken.from - 1 }, { from: taken.to + 1, to: range.to }];
  return sides.filter(({ from, to }) => from <= to);
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

export function rangeWith<Range extends NumberRange>(number: number, backfills: readonly Range[]): Range | undefined {
  return backfills.find((range) => range.from <= number && range.to >= number);
}

/** Before the first block has come, the place is kept for it. */
function capturedOf({ firstBlock, links, backfills, holes }: Started): readonly NumberRange[] {
  const followed = { from: firstBlock, to: Math.max(firstBlock, links?.ref.number ?? firstBlock) };
  const gaps = [...holes, ...backfills];
  return [...gaps.reduce<readonly NumberRange[]>((left, gap) => left.flatMap((range) => without(range, gap)), [followed]), ...backfills];
}

/** The next block of the head: above it, and above what is left to backfills. */
export function nextBlock({ firstBlock, links, backfills }: Started): number {
  let next = links === undefined ? firstBlock : links.ref.number + 1;
  for (let range = rangeWith(next, backfills); range !== undefined; range = rangeWith(next, backfills)) next = range.to + 1;
  return next;
}
