import type { Decider } from '#platform/kernel';
import { unreachable } from '#platform/kernel';
import { cancelBackfill, completeBackfill, requestBackfill } from './chain-backfills.ts';
import { adoptBranch, observeBranch } from './chain-branches.ts';
import type { ChainCommand } from './chain.commands.ts';
import { ChainRefusal } from './chain.errors.ts';
import type { ChainEvent } from './chain.events.ts';
import { evolveChain } from './chain.evolve.ts';
import { markFinalized, markSafe } from './chain-finality.ts';
import { leaveGap, observeBlocks } from './chain-head.ts';
import type { Chain, FollowingChain, StoppedChain } from './chain-state.ts';
import { resumeChain, stopChain } from './chain-stops.ts';

export type { Chain } from './chain-state.ts';

export interface ChainDeciderOptions {
  /**
   * Links kept below the head where nothing is final, and always this many below it: no deeper reorganisation can be
   * judged. Blocks above the finalized one are all kept.
   */
  readonly window: number;
}

/** Where nothing is final yet. Finality by a depth can not lie deeper. */
export const LINKS_KEPT = 4_096;

/** The order of one chain's blocks. Its head only rises, except by adopting a branch that leaves above what is final. */
export function chainDecider({ window }: ChainDeciderOptions = { window: LINKS_KEPT }): Decider<Chain, ChainCommand, ChainEvent> {
  return {
    initialState: () => ({ status: 'absent' }),
    decide,
    evolve: (chain, event) => evolveChain(chain, event, window),
  };
}

function decide(command: ChainCommand, chain: Chain): readonly ChainEvent[] {
  switch (command.type) {
    case 'StartChain':
      return startChain(command, chain);
    case 'ObserveBlocks':
      return observeBlocks(command.blocks, following(chain));
    case 'LeaveGap':
      return leaveGap(command.block, following(chain));
    case 'ObserveBranch':
      return observeBranch(command.ancestor, command.blocks, following(chain));
    case 'AdoptBranch':
      return adoptBranch(command.ancestor, command.tip, following(chain));
    case 'MarkSafe':
      return markSafe(command.block, following(chain));
    case 'MarkFinalized':
      return markFinalized(command.block, following(chain));
    case 'RequestBackfill':
      return requestBackfill(command, started(chain));
    case 'CompleteBackfill':
      return completeBackfill(command, started(chain));
    case 'CancelBackfill':
      return cancelBackfill(command, started(chain));
    case 'StopChain':
      return stopChain(command, started(chain));
    case 'ResumeChain':
      return resumeChain(command, started(chain));
    default:
      return unreachable(command);
  }
}

/** A chain that runs already goes on from where it is, whatever first block is asked for now. */
function startChain({ chainId, genesisHash, firstBlock }: Extract<ChainCommand, { type: 'StartChain' }>, chain: Chain): readonly ChainEvent[] {
  if (chain.status === 'absent') return [{ type: 'ChainStarted', data: { chainId, genesisHash, firstBlock } }];
  if (chain.chainId === chainId && chain.genesisHash === genesisHash) return [];
  throw new ChainRefusal(
    'genesis-mismatch',
    'This is another chain than the one that was captured here',
    { chainId: chain.chainId, genesisHash: chain.genesisHash, toldChainId: chainId, toldGenesisHash: genesisHash },
    'Point the chain to its own node, or capture the other one into a data directory of its own.',
  );
}

function started(chain: Chain): FollowingChain | StoppedChain {
  if (chain.status !== 'absent') return chain;
  throw new ChainRefusal('chain-not-started', 'This chain is not captured', {}, 'Configure the chain and start its capture.', 'missing');
}

function following(chain: Chain): FollowingChain {
  const known = started(chain);
  if (known.status === 'following') return known;
  const { chainId, code, reason } = known;
  throw new ChainRefusal('chain-stopped', 'This chain is stopped', { chainId, code, reason }, 'Resume it once the reason is gone.');
}
