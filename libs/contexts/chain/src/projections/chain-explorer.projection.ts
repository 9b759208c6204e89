import { type RecordedEvent, unreachable } from '#platform/kernel';
import type { Projection, ProjectionBatch } from '#platform/projections';
import type { BackfillEvent, BlockBodyEvent, ChainEvent } from '../domain/chain.events.ts';
import { isBackfill, noteBackfill, noteBackfilled } from './backfills.projection.ts';
import { makeCanonical, moveHead, rememberBlock, reorganize } from './canonical-chain.projection.ts';
import { chainExplorerTables } from './chain-explorer.table.ts';
import { ChainRow } from './chain-row.ts';
import { bytesOf } from './hex-bytes.ts';
import { completeBody, storePart, storeTransaction } from './transaction-bodies.projection.ts';

type ExplorerEvent = BlockBodyEvent | ChainEvent | BackfillEvent;
type OrderEvent = ChainEvent | BackfillEvent;

export const CHAIN_EXPLORER = 'chain-explorer';

const TYPES: { readonly [type in ExplorerEvent['type']]: true } = {
  TxFetched: true,
  TxInputContinued: true,
  TxLogsContinued: true,
  BlockCompleted: true,
  ChainStarted: true,
  BlockObserved: true,
  BranchBlockObserved: true,
  ChainReorganized: true,
  BlocksSafe: true,
  BlocksFinalized: true,
  BackfillRequested: true,
  BackfillCompleted: true,
  BackfillCancelled: true,
  ChainStopped: true,
  ChainResumed: true,
  BackfillStarted: true,
  BackfillFinished: true,
};

/**
 * Everything the explorer shows is one projection with one checkpoint, so one answer is of one moment. The key is the
 * chain: a block must not be shown while one of its transactions waits, so a poison event holds up its chain, and no other.
 */
export const chainExplorer: Projection = {
  name: CHAIN_EXPLORER,
  version: 4,
  types: Object.keys(TYPES),
  // TYPES names every type of these two, by its own type: a missing revision is a missing event, never an unread one.
  gapless: ['chain', 'backfill'],
  tables: chainExplorerTables,
  keyOf: (event) => event.data.chainId as string,
  apply: (event, batch) => applyEvent(event, event as unknown as ExplorerEvent, batch),
};

async function applyEvent(recorded: RecordedEvent, event: ExplorerEvent, batch: ProjectionBatch): Promise<void> {
  if (!Object.hasOwn(TYPES, event.type)) return;
  switch (event.type) {
    case 'TxFetched':
      return storeTransaction(event.data, batch);
    case 'TxInputContinued':
    case 'TxLogsContinued':
      return storePart(event.data, batch);
    case 'BlockCompleted':
      return completeBody(event.data, batch);
    default: {
      const chain = await ChainRow.of(event.data.chainId, batch);
      await applyOrder(recorded, event, chain, batch);
      if (!isBackfill(recorded.stream)) chain.set({ revision: recorded.revision });
      chain.write(batch);
    }
  }
}

async function applyOrder(recorded: RecordedEvent, event: OrderEvent, chain: ChainRow, batch: ProjectionBatch): Promise<void> {
  const { data, type } = event;
  switch (type) {
    case 'ChainStarted':
      return chain.set({ genesis: bytesOf(data.genesisHash), start_block: data.firstBlock, started_at: recorded.recordedAt });
    case 'BlockObserved':
      await rememberBlock(data, chain, batch);
      await makeCanonical(data.chainId, data, chain, batch);
      return isBackfill(recorded.stream) ? noteBackfilled(recorded, data.number, batch) : moveHead(data.chainId, data, chain, batch);
    case 'BranchBlockObserved':
      return rememberBlock(data, chain, batch);
    case 'ChainReorganized':
      return reorganize(recorded, data, chain, batch);
    case 'BlocksSafe':
      return chain.set({ safe_number: data.number, safe_hash: bytesOf(data.hash) });
    case 'BlocksFinalized':
      return chain.set({ finalized_number: data.number, finalized_hash: bytesOf(data.hash) });
    case 'BackfillRequested':
      return noteBackfill(data, { requested_at: recorded.recordedAt, cancelled_at: null, cancel_reason: null }, batch);
    case 'BackfillStarted':
      // It is started again where the chain left the branch that it was captured on.
      return noteBackfill(data, { started_at: recorded.recordedAt, finished_at: null, done: 0 }, batch);
    case 'BackfillFinished':
      return noteBackfill(data, { done: data.blocks, finished_at: recorded.recordedAt }, batch);
    case 'BackfillCompleted':
      return undefined;
    case 'BackfillCancelled':
      return noteBackfill(data, { cancelled_at: recorded.recordedAt, cancel_reason: data.reason }, batch);
    case 'ChainStopped':
      return stop(recorded, data, chain, batch);
    case 'ChainResumed':
      return resume(recorded, data, chain, batch);
    default:
      return unreachable(type);
  }
}

function stop(event: RecordedEvent, data: { chainId: string; code: string; reason: string }, chain: ChainRow, batch: ProjectionBatch): void {
  const { chainId, code, reason } = data;
  chain.set({ stop_revision: event.revision });
  batch.put('stops', { chain: chainId, revision: event.revision, code, reason, at: event.recordedAt, resumed_at: null, resume_reason: null });
}

async function resume(event: RecordedEvent, data: { chainId: string; reason: string }, chain: ChainRow, batch: ProjectionBatch): Promise<void> {
  const stopped = await batch.get('stops', { chain: data.chainId, revision: chain.number('stop_revision') });
  if (chain.knows('stop_revision') && stopped !== undefined) {
    batch.put('stops', { ...stopped, resumed_at: event.recordedAt, resume_reason: data.reason });
  }
  // As the chain itself: who lets it go on takes the node's word over what was promised.
  if (stopped?.code === 'reorg-below-finalized' || stopped?.code === 'reorg-below-first-block') chain.set({ finalized_number: null, finalized_hash: null });
  if (stopped?.code === 'reorg-below-first-block') chain.set({ safe_number: null, safe_hash: null });
  chain.set({ stop_revision: null });
}
