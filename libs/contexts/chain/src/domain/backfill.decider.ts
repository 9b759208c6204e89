import type { Decider } from '#platform/kernel';
import { unreachable } from '#platform/kernel';
import type { BackfillCommand } from './chain.commands.ts';
import { ChainRefusal } from './chain.errors.ts';
import type { BackfillEvent, ObservedBlock } from './chain.events.ts';
import { blockTime } from './observe.ts';
import type { BlockRef, Hex } from './rpc-types.ts';

interface Range {
  readonly chainId: string;
  readonly from: number;
  readonly to: number;
}

export type Backfill =
  | { readonly status: 'absent' }
  /** `tip`: the last block observed; `firstParent`: parent of the first one. Both undefined before it. */
  | ({ readonly status: 'running'; readonly tip: BlockRef | undefined; readonly firstParent: Hex | undefined } & Range)
  | ({ readonly status: 'finished' } & Range);

type Running = Extract<Backfill, { status: 'running' }>;

/** An older range in rising order, without a gap, linked to what stands above and below it. */
export const backfillDecider: Decider<Backfill, BackfillCommand, BackfillEvent> = {
  initialState: () => ({ status: 'absent' }),
  decide(command, backfill) {
    switch (command.type) {
      case 'StartBackfill':
        return start(command, backfill);
      case 'ObserveBackfilled':
        return backfill.status === 'finished' ? [] : observe(command.blocks, running(backfill));
      case 'FinishBackfill':
        return backfill.status === 'finished' ? [] : finish(command, running(backfill));
      default:
        return unreachable(command);
    }
  },
  evolve(backfill, event) {
    switch (event.type) {
      case 'BackfillStarted': {
        const { chainId, from, to } = event.data;
        return { status: 'running', chainId, from, to, tip: undefined, firstParent: undefined };
      }
      case 'BlockObserved':
        if (backfill.status !== 'running') return backfill;
        return { ...backfill, tip: { number: event.data.number, hash: event.data.hash }, firstParent: backfill.firstParent ?? event.data.parentHash };
      case 'BackfillFinished': {
        const { chainId, from, to } = event.data;
        return { status: 'finished', chainId, from, to };
      }
      default:
        return unreachable(event);
    }
  },
};

function start({ chainId, from, to }: Range, backfill: Backfill): readonly BackfillEvent[] {
  if (backfill.status === 'absent') return [{ type: 'BackfillStarted', data: { chainId, from, to } }];
  if (backfill.chainId === chainId && backfill.from === from && backfill.to === to) return [];
  throw new ChainRefusal('backfill-range-differs', 'This backfill has another range', { from, to, ownFrom: backfill.from, ownTo: backfill.to }, undefined, 'bug');
}

function running(backfill: Backfill): Running {
  if (backfill.status === 'running') return backfill;
  throw new ChainRefusal('backfill-unknown', 'This backfill was not started', {}, 'Start it first.', 'missing');
}

/** Blocks under the tip are passed over: a restart may bring them again. */
function observe(blocks: readonly ObservedBlock[], backfill: Running): readonly BackfillEvent[] {
  const events: BackfillEvent[] = [];
  let tip = backfill.tip;
  for (const block of blocks) {
    if (tip !== undefined && block.number < tip.number) continue;
    if (tip !== undefined && block.number === tip.number && block.hash === tip.hash) continue;
    mustFollow(block, tip, backfill);
    tip = { number: block.number, hash: block.hash };
    const occurredAt = blockTime(block.header.timestamp);
    events.push({ type: 'BlockObserved', data: block, naturalKey: block.hash, ...(occurredAt === undefined ? {} : { occurredAt }) });
  }
  return events;
}

function mustFollow(block: ObservedBlock, tip: BlockRef | undefined, { chainId, from, to }: Running): void {
  const next = tip === undefined ? from : tip.number + 1;
  if (block.chainId !== chainId) throw new ChainRefusal('foreign-block', 'That block is of another chain', { chainId, blockChainId: block.chainId }, undefined, 'bug');
  if (block.number > to) throw new ChainRefusal('backfill-beyond-range', 'This block lies above the range', { number: block.number, from, to });
  if (block.number > next) throw new ChainRefusal('block-gap', 'Blocks before this one are missing', { expected: next, actual: block.number, hash: block.hash });
  if (block.number < next || (tip !== undefined && block.parentHash !== tip.hash)) {
    throw new ChainRefusal('parent-mismatch', 'This block does not follow the one before it', { number: block.number, parentHash: block.parentHash, tip: tip?.hash ?? 'none' }, 'Providers disagree about older blocks: ask one of them for the whole range.');
  }
}

function finish({ above, below }: Extract<BackfillCommand, { type: 'FinishBackfill' }>, { chainId, from, to, tip, firstParent }: Running): readonly BackfillEvent[] {
  if (tip?.number !== to) {
    throw new ChainRefusal('backfill-incomplete', 'Blocks of this range are still missing', { from, to, next: tip === undefined ? from : tip.number + 1 });
  }
  if (above !== undefined && above !== tip.hash) throw new BackfillUnlinked({ number: to, hash: tip.hash, expected: above });
  if (below !== undefined && below !== firstParent) throw new BackfillUnlinked({ number: from - 1, hash: firstParent ?? 'none', expected: below });
  return [{ type: 'BackfillFinished', data: { chainId, from, to, blocks: to - from + 1 } }];
}

class BackfillUnlinked extends ChainRefusal {
  constructor(facts: { readonly number: number; readonly hash: string; readonly expected: string }) {
    super(
      'backfill-unlinked',
      'The range does not join the chain that is captured beside it',
      facts,
      'The node told of another chain for this range, or the chain was reorganised meanwhile: check the node, then request ranges that are final.',
    );
  }
}
