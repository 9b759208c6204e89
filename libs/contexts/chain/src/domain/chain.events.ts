import type { DomainEvent } from '#platform/kernel';
import type { BlockRef, Hex, RpcHeader, RpcLog, RpcReceipt, RpcTransaction } from './rpc-types.ts';

/** A deploy has no `to`; a call has input; a transfer has neither. */
export type TransactionKind = 'transfer' | 'call' | 'deploy';

/** What recomputing from the JSON alone said of each part. A mismatch is never recorded. */
export type PartVerdict = 'verified' | 'unverifiable';
export const BLOCK_PARTS = ['header', 'transactions', 'receipts', 'withdrawals', 'senders'] as const;
export type BlockPart = (typeof BLOCK_PARTS)[number];
/** A part that the block does not have (withdrawals before Shanghai, receipts not captured) is left out. */
export type Verification = { readonly [part in BlockPart]?: PartVerdict };

/** Everything of a block but its body, which stands in its own stream. `chainId` is decimal. */
export type ObservedBlock = {
  readonly chainId: string;
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  /** The node's block object without `transactions`. */
  readonly header: RpcHeader;
  readonly transactionCount: number;
  readonly kinds: { readonly [kind in TransactionKind]: number };
  readonly verification: Verification;
  /** False where the chain is captured without receipts. */
  readonly receipts: boolean;
};

/** Stream `block-{chainId}.{hash}`: the body of one block as seen, canonical or not. None for an empty block. */
export type BlockBodyEvent =
  | DomainEvent<
      'TxFetched',
      {
        readonly chainId: string;
        readonly blockNumber: number;
        readonly blockHash: Hex;
        readonly index: number;
        readonly kind: TransactionKind;
        readonly transaction: RpcTransaction;
        readonly receipt?: RpcReceipt;
        /** How many events of each sort follow for this transaction because it is too large for one. */
        readonly continued?: { readonly input: number; readonly logs: number };
      }
    >
  /** `input`: hex digits without 0x, to be put behind what came before. */
  | DomainEvent<
      'TxInputContinued',
      ContinuedPart & {
        readonly input: string;
        /** A piece of the JSON text of other oversize fields (reassemble.ts); TxFetched has null in their place. */
        readonly fields?: string;
      }
    >
  | DomainEvent<
      'TxLogsContinued',
      ContinuedPart & {
        readonly logs: readonly RpcLog[];
        /** The first of `logs` is no new log: its `data` goes on where the last log's before it ended. */
        readonly continuesLog?: true;
      }
    >
  | DomainEvent<
      'BlockCompleted',
      { readonly chainId: string; readonly blockNumber: number; readonly blockHash: Hex; readonly count: number; readonly digest: string }
    >;

type ContinuedPart = {
  readonly chainId: string;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly index: number;
  /** From 1; part 0 is in TxFetched. */
  readonly part: number;
};

/** Stream `chain-{chainId}`: order only. */
export type ChainEvent =
  | DomainEvent<'ChainStarted', { readonly chainId: string; readonly genesisHash: Hex; readonly firstBlock: number }>
  | DomainEvent<'BlockObserved', ObservedBlock>
  /** A block of a branch that is about to be adopted; canonical only once ChainReorganized names it. */
  | DomainEvent<'BranchBlockObserved', ObservedBlock>
  /** `dropped` and `adopted` in rising order; `adopted` may be empty (a rollback). */
  | DomainEvent<
      'ChainReorganized',
      {
        readonly chainId: string;
        readonly ancestor: BlockRef;
        readonly dropped: readonly BlockRef[];
        readonly adopted: readonly BlockRef[];
      }
    >
  | DomainEvent<'BlocksSafe', { readonly chainId: string } & BlockRef>
  | DomainEvent<'BlocksFinalized', { readonly chainId: string } & BlockRef>
  | DomainEvent<'BackfillRequested', { readonly chainId: string; readonly from: number; readonly to: number }>
  | DomainEvent<'BackfillCompleted', { readonly chainId: string; readonly from: number; readonly to: number }>
  /** Nobody fills it any more, and it may be requested again; what of it was captured stays. */
  | DomainEvent<'BackfillCancelled', { readonly chainId: string; readonly from: number; readonly to: number; readonly reason: string }>
  | DomainEvent<'ChainStopped', { readonly chainId: string; readonly code: string; readonly reason: string }>
  | DomainEvent<'ChainResumed', { readonly chainId: string; readonly reason: string }>;

/** Stream `backfill-{chainId}.{from}.{to}`: an older range in rising order, gap-free, linked to what stands above it. */
export type BackfillEvent =
  | DomainEvent<'BackfillStarted', { readonly chainId: string; readonly from: number; readonly to: number }>
  | DomainEvent<'BlockObserved', ObservedBlock>
  | DomainEvent<'BackfillFinished', { readonly chainId: string; readonly from: number; readonly to: number; readonly blocks: number }>;
