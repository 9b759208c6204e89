import type { Links } from './chain-links.ts';
import type { BlockPart } from './chain.events.ts';
import type { BlockRef, Hex } from './rpc-types.ts';

/** Both ends included. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

export interface BackfillRange extends NumberRange {
  readonly completed: boolean;
}

/** Blocks that leave our chain above `ancestor`, not ours until they are adopted. */
export interface Branch {
  readonly ancestor: BlockRef;
  readonly links: Links;
}

interface StartedChain {
  readonly chainId: string;
  readonly genesisHash: Hex;
  readonly firstBlock: number;
  /** From the head down to the finalized block and some more; undefined before the first block. */
  readonly links: Links | undefined;
  readonly safe: BlockRef | undefined;
  readonly finalized: BlockRef | undefined;
  readonly branch: Branch | undefined;
  readonly backfills: readonly BackfillRange[];
  /** Below the head, and neither captured nor requested: their backfill was cancelled. */
  readonly holes: readonly NumberRange[];
  /** Parts of blocks that have verified. */
  readonly proven: readonly BlockPart[];
}

export interface FollowingChain extends StartedChain {
  readonly status: 'following';
}

/** Nothing moves until somebody resumes it. */
export interface StoppedChain extends StartedChain {
  readonly status: 'stopped';
  readonly code: string;
  readonly reason: string;
}

export type Chain = { readonly status: 'absent' } | FollowingChain | StoppedChain;
