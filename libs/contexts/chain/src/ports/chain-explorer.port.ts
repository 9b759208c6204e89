import type { JsonValue, Position } from '#platform/kernel';
import type { TransactionKind, Verification } from '../domain/chain.events.ts';
import type { Hex } from '../domain/rpc-types.ts';

export type Finality = 'canonical' | 'safe' | 'finalized' | 'orphaned';
export type Order = 'asc' | 'desc';

/** The log position that an answer stands for: everything in it is of this one moment. */
export type AsOf = { readonly asOf: Position };

export type Page<Item, Cursor> = { readonly items: readonly Item[]; readonly next: Cursor | null } & AsOf;

/** Keys of the last item of a page. Not offsets: they stay right while rows are inserted, and across a reorg. */
export type BlockCursor = readonly [number: number, hash: Hex];
/** Names the block: a list of a block's transactions stays with the block that it began with. */
export type BlockTransactionCursor = readonly [block: Hex, index: number];
export type AddressCursor = readonly [number: number, index: number, block: Hex];
export type ReorgCursor = readonly [revision: number];
export type StopCursor = readonly [revision: number];
export type BackfillCursor = readonly [from: number, to: number];

export interface PageRequest<Cursor> {
  readonly limit: number;
  readonly order: Order;
  readonly after?: Cursor | undefined;
}
export type WithOrphans = { readonly orphaned: boolean };

/** How a block is asked for. */
export type BlockSelector = number | Hex | 'latest' | 'safe' | 'finalized';

export type BlockPoint = { readonly number: number; readonly hash: Hex; readonly timestamp?: string };

export type ChainFacts = {
  readonly chainId: string;
  readonly genesisHash?: Hex;
  readonly startBlock?: number;
  readonly startedAt?: string;
  readonly head: BlockPoint | null;
  readonly safe: BlockPoint | null;
  readonly finalized: BlockPoint | null;
  readonly blocks: number;
  readonly transactions: number;
  readonly kinds: { readonly [kind in TransactionKind]: number };
  readonly reorgs: number;
  /** Blocks and transactions that a reorg dropped or no branch ever adopted; only when asked for. */
  readonly orphaned?: { readonly blocks: number; readonly transactions: number };
  /** Of the stream of the chain, for If-Match. */
  readonly revision: number;
  /** Why the chain stands still by decision; null while it goes on. */
  readonly stop: { readonly code: string; readonly reason: string; readonly at: string } | null;
};

/** Fields of the node in the form of the API, and beside them what this system knows. */
export type BlockAnswer = {
  readonly number: number;
  readonly hash: Hex;
  readonly finality: Finality;
  readonly transactionCount: number;
  readonly kinds: { readonly [kind in TransactionKind]: number };
  readonly verified: boolean;
  readonly verification: Verification;
  readonly extra?: { readonly [field: string]: JsonValue | undefined };
  readonly [field: string]: unknown;
};

export type TransactionSummary = {
  readonly hash: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly index: number;
  readonly kind: TransactionKind;
  readonly finality: Finality;
  readonly [field: string]: unknown;
};

export type AddressRole = 'sender' | 'receiver' | 'created';
export type AddressTransaction = TransactionSummary & { readonly roles: readonly AddressRole[]; readonly timestamp?: string };

export type Inclusion = { readonly blockNumber: number; readonly blockHash: Hex; readonly transactionIndex: number; readonly finality: Finality };

export type TransactionAnswer = {
  readonly hash: Hex;
  readonly kind: TransactionKind;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly transactionIndex: number;
  readonly finality: Finality;
  readonly receipt: 'captured' | 'not-captured';
  readonly inclusions?: readonly Inclusion[];
  readonly extra?: { readonly [field: string]: JsonValue | undefined };
  readonly [field: string]: unknown;
};

export type ReorgAnswer = {
  readonly revision: number;
  readonly ancestor: { readonly number: number; readonly hash: Hex };
  readonly depth: number;
  readonly dropped: readonly { readonly number: number; readonly hash: Hex }[];
  readonly adopted: readonly { readonly number: number; readonly hash: Hex }[];
  readonly at: string;
};

export type StopAnswer = {
  readonly code: string;
  readonly reason: string;
  readonly at: string;
  readonly resumedAt: string | null;
  readonly resumeReason: string | null;
};

export type BackfillState = 'requested' | 'running' | 'finished' | 'cancelled';
export type BackfillAnswer = {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly state: BackfillState;
  readonly done: number;
  readonly total: number;
  /** Of the blocks, in percent, rounded down. */
  readonly percent: number;
  readonly blocksPerSecond: number | null;
  readonly etaSeconds: number | null;
  readonly requestedAt: string | null;
  readonly startedAt: string | null;
  readonly lastBlockAt: string | null;
  readonly finishedAt: string | null;
  readonly cancelledAt: string | null;
  readonly cancelReason: string | null;
};

/**
 * Everything that can be asked of the captured chains. Each answer is of one moment and never mixes two forks.
 * Throws `chain-unknown`, `block-unknown`, `transaction-unknown`, `backfill-unknown` (missing).
 */
export abstract class ChainExplorer {
  abstract chains(): Promise<{ readonly items: readonly ChainFacts[] } & AsOf>;
  abstract chain(chainId: string, options?: WithOrphans): Promise<ChainFacts & AsOf>;
  abstract blocks(chainId: string, page: PageRequest<BlockCursor> & WithOrphans): Promise<Page<BlockAnswer, BlockCursor>>;
  abstract block(chainId: string, block: BlockSelector): Promise<BlockAnswer & AsOf>;
  abstract blockTransactions(
    chainId: string,
    block: BlockSelector,
    page: PageRequest<BlockTransactionCursor>,
  ): Promise<Page<TransactionSummary, BlockTransactionCursor> & { readonly block: BlockPoint & { readonly finality: Finality } }>;
  abstract transaction(chainId: string, hash: Hex): Promise<TransactionAnswer & AsOf>;
  /** Empty for an address that was never seen: it may be seen later. */
  abstract addressTransactions(
    chainId: string,
    address: Hex,
    page: PageRequest<AddressCursor> & WithOrphans,
  ): Promise<Page<AddressTransaction, AddressCursor>>;
  abstract reorgs(chainId: string, page: PageRequest<ReorgCursor>): Promise<Page<ReorgAnswer, ReorgCursor>>;
  abstract stops(chainId: string, page: PageRequest<StopCursor>): Promise<Page<StopAnswer, StopCursor>>;
  abstract backfills(chainId: string, page: PageRequest<BackfillCursor>): Promise<Page<BackfillAnswer, BackfillCursor>>;
  abstract backfill(chainId: string, from: number, to: number): Promise<BackfillAnswer & AsOf>;
  /** Returns once answers stand for this position. Throws `not-yet-visible` after two seconds, `invalid-position`, `foreign-position`. */
  abstract visible(position: string): Promise<void>;
}
