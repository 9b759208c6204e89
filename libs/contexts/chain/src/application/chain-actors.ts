import type { ActorDefinition, ActorSystem, Actors, Told, TellOptions } from '#platform/actors';
import type { StreamName } from '#platform/kernel';
import { backfillDecider } from '../domain/backfill.decider.ts';
import type { Backfill } from '../domain/backfill.decider.ts';
import { blockBodyDecider } from '../domain/block-body.decider.ts';
import type { BlockBody } from '../domain/block-body.decider.ts';
import { chainDecider } from '../domain/chain.decider.ts';
import type { BackfillCommand, BlockBodyCommand, ChainCommand } from '../domain/chain.commands.ts';
import type { BackfillEvent, BlockBodyEvent, ChainEvent } from '../domain/chain.events.ts';
import { chainFromJson, chainToJson } from '../domain/chain-snapshot.ts';
import type { Chain } from '../domain/chain-state.ts';
import type { Keccak256 } from '../domain/verification/crypto.ts';

/** `chain-{chainId}`: order. */
export abstract class ChainActors implements Actors<Chain, ChainCommand> {
  abstract stream(id: string): StreamName;
  abstract tell(id: string, command: ChainCommand, options?: TellOptions): Promise<Told>;
  abstract peek(id: string): Promise<{ readonly state: Chain; readonly revision: number }>;
}

/** `block-{chainId}.{hash}`: the body of one block. */
export abstract class BlockBodyActors implements Actors<BlockBody, BlockBodyCommand> {
  abstract stream(id: string): StreamName;
  abstract tell(id: string, command: BlockBodyCommand, options?: TellOptions): Promise<Told>;
  abstract peek(id: string): Promise<{ readonly state: BlockBody; readonly revision: number }>;
}

/** `backfill-{chainId}.{from}.{to}`: the order of an older range. */
export abstract class BackfillActors implements Actors<Backfill, BackfillCommand> {
  abstract stream(id: string): StreamName;
  abstract tell(id: string, command: BackfillCommand, options?: TellOptions): Promise<Told>;
  abstract peek(id: string): Promise<{ readonly state: Backfill; readonly revision: number }>;
}

/** Bodies are written once and hardly ever asked again, so few stay in memory. */
const RESIDENT_BODIES = 64;

const CHAIN_VERSIONS: ActorDefinition<Chain, ChainCommand, ChainEvent>['schemaVersions'] = {
  ChainStarted: 1,
  BlockObserved: 1,
  BranchBlockObserved: 1,
  ChainReorganized: 1,
  BlocksSafe: 1,
  BlocksFinalized: 1,
  BackfillRequested: 1,
  BackfillCompleted: 1,
  BackfillCancelled: 1,
  ChainStopped: 1,
  ChainResumed: 1,
};

export const BODY_VERSIONS: ActorDefinition<BlockBody, BlockBodyCommand, BlockBodyEvent>['schemaVersions'] = {
  TxFetched: 1,
  TxInputContinued: 1,
  TxLogsContinued: 1,
  BlockCompleted: 1,
};

const BACKFILL_VERSIONS: ActorDefinition<Backfill, BackfillCommand, BackfillEvent>['schemaVersions'] = { BackfillStarted: 1, BlockObserved: 1, BackfillFinished: 1 };

/** By category. A log that holds later ones, or other types of these, is of a newer release. */
export const CHAIN_EVENT_VERSIONS = { chain: CHAIN_VERSIONS, block: BODY_VERSIONS, backfill: BACKFILL_VERSIONS };

/** The three kinds of actors of this context. Once per process. */
export function defineChainActors(system: ActorSystem, keccak256: Keccak256): { readonly chains: ChainActors; readonly bodies: BlockBodyActors; readonly backfills: BackfillActors } {
  return {
    chains: system.define({ category: 'chain', decider: chainDecider(), schemaVersions: CHAIN_VERSIONS, snapshot: { stateVersion: 3, everyEvents: 500, toJson: chainToJson, fromJson: chainFromJson } }),
    bodies: system.define({ category: 'block', decider: blockBodyDecider(keccak256), schemaVersions: BODY_VERSIONS, resumable: true, commandBytes: ({ fetched }) => fetched.bytes, maxResident: RESIDENT_BODIES }),
    backfills: system.define({ category: 'backfill', decider: backfillDecider, schemaVersions: BACKFILL_VERSIONS, snapshot: { stateVersion: 3, everyEvents: 2_000, toJson: (state) => state, fromJson: (json) => json as Backfill } }),
  };
}
