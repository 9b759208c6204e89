import type { BackfillRange, FollowingChain, StoppedChain } from './chain-state.ts';
import { dropAll } from './chain-branches.ts';
import type { ChainEvent } from './chain.events.ts';

type Started = FollowingChain | StoppedChain;

export function stopChain({ code, reason }: { readonly code: string; readonly reason: string }, { chainId, status }: Started): readonly ChainEvent[] {
  return status === 'stopped' ? [] : [{ type: 'ChainStopped', data: { chainId, code, reason } }];
}

/** After a branch that left below all that can be compared nothing may stay of what was captured on the other one. */
export function resumeChain({ reason }: { readonly reason: string }, chain: Started): readonly ChainEvent[] {
  if (chain.status === 'following') return [];
  const { chainId, code, backfills } = chain;
  const resumed: ChainEvent = { type: 'ChainResumed', data: { chainId, reason } };
  if (code !== 'reorg-below-first-block') return [resumed];
  return [...dropAll(chain), resumed, ...backfills.flatMap((range) => again(range, chain))];
}

/** What stands above the first block comes by following. A range that is not complete finds out by itself. */
function again({ from, to, completed }: BackfillRange, { chainId, firstBlock }: Started): readonly ChainEvent[] {
  const cancelled: ChainEvent = { type: 'BackfillCancelled', data: { chainId, from, to, reason: 'the chain left the branch that it was captured on' } };
  if (to >= firstBlock) return [cancelled];
  return completed ? [cancelled, { type: 'BackfillRequested', data: { chainId, from, to } }] : [];
}
