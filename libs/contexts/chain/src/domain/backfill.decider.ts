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
  /**
   * `tip`: the last block observed; `firstParent`: parent of the first one. Both undefined before it. `recent`: the last
   * REWINDABLE ones up to the tip, in rising order, which a branch may still replace.
   */
  | ({ readonly status: 'running'; readonly tip: BlockRef | undefined; readonly firstParent: Hex | undefined; readonly recent: readonly BlockRef[] } & Range)
  | ({ readonly status: 'finished'; readonly tip: BlockRef } & Range);

type Running = Extract<Backfill, { status: 'running' }>;

/** As deep as a reorganisation may reach into a range that is being captured. */
export const REWINDABLE = 128;

/**
 * An older range in rising order, without a gap, linked to what stands above and below it. Its newest blocks may be
 * replaced by a branch while it runs, or all of them once it is finished: then the numbers come again, and what came last
 * at a number is what stands there.
 */
export const backfillDecider: Decider<Backfill, BackfillCommand, BackfillEvent> = {
  initialState: () => ({ status: 'absent' }),
  decide(command, backfill) {
    switch (command.type) {
      case 'StartBackfill':
        return start(command, backfill);
      case 'RestartBackfill':
        return backfill.status === 'finished' ? [started(backfill)] : [];
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
        return { status: 'running', chainId, from, to, tip: undefined, firstParent: undefined, recent: [] };
      }
      case 'BlockObserved':
        if (backfill.status !== 'running') return backfill;
        return observed(backfill, event.data);
      case 'BackfillFinished': {
        const { chainId, from, to } = event.data;
        return backfill.status === 'running' && backfill.tip !== undefined ? { status: 'finished', chainId, from, to, tip: backfill.tip } : backfill;
      }
      default:
        return unreachable(event);
    }
  },
};

function started({ chainId, from, to }: Range): BackfillEvent {
  return { type: 'BackfillStarted', data: { chainId, from, to } };
}

function start({ chainId, from, to }: Range, backfill: Backfill): readonly BackfillEvent[] {
  if (backfill.status === 'absent') return [started({ chainId, from, to })];
  if (backfill.chainId === chainId && backfill.from === from && backfill.to === to) return [];
  throw new ChainRefusal('backfill-range-differs', 'This backfill has another range', { from, to, ownFrom: backfill.from, ownTo: backfill.to }, undefined, 'bug');
}

function running(backfill: Backfill): Running {
  if (backfill.status === 'running') return backfill;
  throw new ChainRefusal('backfill-unknown', 'This backfill was not started', {}, 'Start it first.', 'missing');
}

function observed(backfill: Running, { number, hash, parentHash }: ObservedBlock): Running {
  const tip = { number, hash };
  const below = backfill.recent.filter((block) => block.number < number).slice(1 - REWINDABLE);
  return { ...backfill, tip, firstParent: number === backfill.from ? parentHash : backfill.firstParent, recent: [...below, tip] };
}

/** What we have is passed over: a restart may bring it again. Another block at one of the last numbers replaces all from there. */
function observe(blocks: readonly ObservedBlock[], backfill: Running): readonly BackfillEvent[] {
  const events: BackfillEvent[] = [];
  let state = backfill;
  for (const block of blocks) {
    if (isOurs(block, state)) continue;
    mustFollow(block, state);
    state = observed(state, block);
    const occurredAt = blockTime(block.header.timestamp);
    events.push({ type: 'BlockObserved', data: block, naturalKey: block.hash, ...(occurredAt === undefined ? {} : { occurredAt }) });
  }
  return events;
}

function isOurs({ number, hash }: ObservedBlock, { tip, recent }: Running): boolean {
  if (tip === undefined || number > tip.number) return false;
  const oldest = recent[0]?.number ?? tip.number;
  return number < oldest || recent.some((one) => one.hash === hash);
}

/** On the block under it, which for the first of the range is judged at the end. */
function mustFollow(block: ObservedBlock, { chainId, from, to, tip, recent }: Running): void {
  const next = tip === undefined ? from : tip.number + 1;
  if (block.chainId !== chainId) throw new ChainRefusal('foreign-block', 'That block is of another chain', { chainId, blockChainId: block.chainId }, undefined, 'bug');
  if (block.number > to) throw new ChainRefusal('backfill-beyond-range', 'This block lies above the range', { number: block.number, from, to });
  if (block.number > next) throw new ChainRefusal('block-gap', 'Blocks before this one are missing', { expected: next, actual: block.number, hash: block.hash });
  if (block.number === from) return;
  const under = block.number === next ? tip : recent.find(({ number }) => number === block.number - 1);
  if (block.number >= from && block.parentHash === under?.hash) return;
  throw new ChainRefusal(
    'parent-mismatch',
    'This block does not follow the one before it',
    { number: block.number, parentHash: block.parentHash, tip: tip?.hash ?? 'none' },
    'The chain left a branch, or providers disagree about older blocks: ask one of them for the newest of the range again.',
  );
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
      'The node told of another chain, or the chain was reorganised: the newest blocks are read again; if that changes nothing, check the node.',
    );
  }
}
