import { isBackfilled, nextBlock } from '../domain/chain-backfills.ts';
import type { Chain } from '../domain/chain-state.ts';
import { cutTo, lowest } from '../domain/chain-links.ts';
import type { BlockPart } from '../domain/chain.events.ts';
import type { BlockRef, Hex } from '../domain/rpc-types.ts';

/** What capturing needs to know of the chain as the log holds it. */
export interface ChainView {
  readonly status: Chain['status'];
  readonly stopReason: string | undefined;
  readonly genesisHash: Hex | undefined;
  readonly firstBlock: number;
  readonly head: BlockRef | undefined;
  /** The next block of the head: above it, and above what is left to backfills. */
  readonly next: number;
  readonly safe: BlockRef | undefined;
  readonly finalized: BlockRef | undefined;
  /** Parts of blocks that have verified on this chain. */
  readonly proven: readonly BlockPart[];
  /** Lowest number whose hash is still remembered, and the parent that it names. */
  readonly lowest: number;
  readonly lowestParent: Hex | undefined;
  /** The block under the lowest one is held too, by a backfill that is complete. */
  readonly backfilledBelow: boolean;
  /** Undefined where it is not remembered, or was never captured. */
  hashAt(number: number): Hex | undefined;
}

export function viewOf(chain: Chain): ChainView {
  if (chain.status === 'absent') return { ...NOTHING, status: 'absent' };
  const { links, genesisHash, firstBlock, safe, finalized, proven } = chain;
  const bottom = links === undefined ? undefined : lowest(links);
  return {
    status: chain.status,
    stopReason: chain.status === 'stopped' ? chain.reason : undefined,
    genesisHash,
    firstBlock,
    head: links?.ref,
    next: nextBlock(chain),
    safe,
    finalized,
    proven,
    lowest: bottom?.ref.number ?? firstBlock,
    lowestParent: bottom?.parentHash,
    backfilledBelow: bottom !== undefined && isBackfilled(bottom.ref.number - 1, chain.backfills),
    hashAt: (number) => cutTo(links, number)?.ref.hash,
  };
}

const NOTHING = {
  next: 0,
  stopReason: undefined,
  genesisHash: undefined,
  firstBlock: 0,
  head: undefined,
  safe: undefined,
  finalized: undefined,
  proven: [],
  lowest: 0,
  lowestParent: undefined,
  backfilledBelow: false,
  hashAt: () => undefined,
} as const;
