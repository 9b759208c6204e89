import type { ActorDefinition } from '#platform/actors';
import type { BackfillEvent, BlockBodyEvent, ChainEvent } from '../domain/chain.events.ts';
import type { BackfillCommand, BlockBodyCommand, ChainCommand } from '../domain/chain.commands.ts';
import type { Backfill } from '../domain/backfill.decider.ts';
import { backfillDecider } from '../domain/backfill.decider.ts';
import type { BlockBody } from '../domain/block-body.decider.ts';
import { blockBodyDecider } from '../domain/block-body.decider.ts';
import type { Chain, ChainDeciderOptions } from '../domain/chain.decider.ts';
import { chainDecider } from '../domain/chain.decider.ts';
import { chainFromJson, chainToJson } from '../domain/chain-snapshot.ts';
import type { Keccak256 } from '../domain/verification/crypto.ts';

/** The three kinds of actor of this context. Categories as in the table of streams: `chain-1`, `block-1.0x…`, `backfill-1.0.99`. */

export function chainActor(options?: ChainDeciderOptions): ActorDefinition<Chain, ChainCommand, ChainEvent> {
  return {
    category: 'chain',
    decider: chainDecider(options),
    schemaVersions: {
      ChainStarted: 1,
      BlockObserved: 1,
      BranchBlockObserved: 1,
      ChainReorganized: 1,
      BlocksSafe: 1,
      BlocksFinalized: 1,
      BackfillRequested: 1,
      BackfillCompleted: 1,
      ChainStopped: 1,
      ChainResumed: 1,
    },
    snapshot: { stateVersion: 1, everyEvents: 500, toJson: chainToJson, fromJson: chainFromJson },
  };
}

/** A stream per block, told once and then only read: few stay in memory. */
export function blockActor(keccak256: Keccak256): ActorDefinition<BlockBody, BlockBodyCommand, BlockBodyEvent> {
  return {
    category: 'block',
    decider: blockBodyDecider(keccak256),
    schemaVersions: { TxFetched: 1, TxInputContinued: 1, TxLogsContinued: 1, BlockCompleted: 1 },
    resumable: true,
    maxResident: 32,
  };
}

export function backfillActor(): ActorDefinition<Backfill, BackfillCommand, BackfillEvent> {
  return {
    category: 'backfill',
    decider: backfillDecider,
    schemaVersions: { BackfillStarted: 1, BlockObserved: 1, BackfillFinished: 1 },
    snapshot: { stateVersion: 1, everyEvents: 2_000, toJson: (backfill) => backfill, fromJson: (json) => json as Backfill },
  };
}
