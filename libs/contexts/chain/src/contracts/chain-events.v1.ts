/**
 * What other contexts and other teams may know of a chain's events, version 1. Names and shapes here stay; a new shape
 * gets a new version beside this one.
 */
export type {
  BackfillEvent,
  BlockBodyEvent,
  BlockPart,
  ChainEvent,
  ObservedBlock,
  PartVerdict,
  TransactionKind,
  Verification,
} from '../domain/chain.events.ts';
export type { BlockRef, Hex, RpcHeader, RpcLog, RpcReceipt, RpcTransaction } from '../domain/rpc-types.ts';

/** Categories of the streams that hold them: `{category}-{id}`. */
export const CHAIN_STREAMS_V1 = { order: 'chain', body: 'block', backfill: 'backfill' } as const;

export const CHAIN_EVENT_TYPES_V1 = [
  'ChainStarted',
  'BlockObserved',
  'BranchBlockObserved',
  'ChainReorganized',
  'BlocksSafe',
  'BlocksFinalized',
  'BackfillRequested',
  'BackfillCompleted',
  'BackfillCancelled',
  'ChainStopped',
  'ChainResumed',
] as const;

export const BLOCK_BODY_EVENT_TYPES_V1 = ['TxFetched', 'TxInputContinued', 'TxLogsContinued', 'BlockCompleted'] as const;

export const BACKFILL_EVENT_TYPES_V1 = ['BackfillStarted', 'BlockObserved', 'BackfillFinished'] as const;
