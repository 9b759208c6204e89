import type { ObservedBlock } from './chain.events.ts';
import type { BlockRef, FetchedBlock, Hex } from './rpc-types.ts';

/** To the actor `chain-{chainId}`. */
export type ChainCommand =
  | { readonly type: 'StartChain'; readonly chainId: string; readonly genesisHash: Hex; readonly firstBlock: number }
  /**
   * In rising order; the first one's parent is our head. Blocks that we have already are passed over. Numbers may be
   * left out only where requested backfills hold all of them (after a long stop).
   */
  | { readonly type: 'ObserveBlocks'; readonly blocks: readonly ObservedBlock[] }
  /** The next blocks of a branch that leaves our chain above `ancestor`; bodies are complete. May come in several parts. */
  | { readonly type: 'ObserveBranch'; readonly ancestor: BlockRef; readonly blocks: readonly ObservedBlock[] }
  /** `tip` is the last block of the observed branch, or the ancestor itself (a rollback). */
  | { readonly type: 'AdoptBranch'; readonly ancestor: BlockRef; readonly tip: BlockRef }
  | { readonly type: 'MarkSafe'; readonly block: BlockRef }
  | { readonly type: 'MarkFinalized'; readonly block: BlockRef }
  /**
   * A block far above our head: what lies between is requested as a backfill in the same append, so that the head never
   * waits for a range that somebody else fills. Only for who has verified that the block stands there.
   */
  | { readonly type: 'LeaveGap'; readonly block: ObservedBlock }
  /** Below the head. Refused with `backfill-overlaps` (conflict) when any block of it is captured or requested already. */
  | { readonly type: 'RequestBackfill'; readonly from: number; readonly to: number }
  | { readonly type: 'CompleteBackfill'; readonly from: number; readonly to: number }
  /** The very range that was requested. Refused with `backfill-complete` (conflict) when all of it is captured. */
  | { readonly type: 'CancelBackfill'; readonly from: number; readonly to: number; readonly reason: string }
  | { readonly type: 'StopChain'; readonly code: string; readonly reason: string }
  | { readonly type: 'ResumeChain'; readonly reason: string };

/** To the actor `block-{chainId}.{hash}`: resumes at the next missing index, whoever's answer it is. */
export type BlockBodyCommand = { readonly type: 'RecordBody'; readonly chainId: string; readonly fetched: FetchedBlock };

/** To the actor `backfill-{chainId}.{from}.{to}`. */
export type BackfillCommand =
  | { readonly type: 'StartBackfill'; readonly chainId: string; readonly from: number; readonly to: number }
  /** A finished one is captured again from its first block, for the chain left the branch that it is on. */
  | { readonly type: 'RestartBackfill' }
  | { readonly type: 'ObserveBackfilled'; readonly blocks: readonly ObservedBlock[] }
  /** `above`: parent hash of the block that stands above the range; `below`: hash of the one under it; where we hold them. */
  | { readonly type: 'FinishBackfill'; readonly above: Hex | undefined; readonly below?: Hex | undefined };
