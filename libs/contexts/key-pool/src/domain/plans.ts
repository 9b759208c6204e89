import type { Tariff } from './tariff.ts';

/** A provider as far as a plan must know it. */
export interface Plannable {
  readonly tariff: Tariff;
  /** Budgets that can be used: revoked ones do not count. */
  readonly keys: number;
  /** Whether it announces heads. */
  readonly pushes: boolean;
}

export interface PlanNeed {
  readonly receipts: boolean;
  /** As of late, or a guess. */
  readonly transactionsPerBlock: number;
  readonly blockTimeMs: number;
}

/** How the blocks of a chain can be fetched: from whom, and what that takes. */
export interface BlockPlan {
  readonly name: string;
  readonly blocks: string;
  readonly receipts: string | undefined;
  readonly receiptsBy: 'block' | 'transaction';
  /** Who announces heads; undefined: they are asked for. */
  readonly heads: string | undefined;
  /** Units that one block of the head takes, by provider. */
  readonly unitsPerBlock: Readonly<Record<string, number>>;
  /** The largest share of a day's budget that one block takes, of the limit that is scarcest. */
  readonly price: number;
  /** What the keys could pay for in a day. */
  readonly blocksPerDay: number;
}

export interface RefusedPlan {
  readonly name: string;
  /** Those it would have taken. */
  readonly providers: readonly string[];
  readonly why: string;
}

export interface Planning {
  /** The cheapest first. */
  readonly plans: readonly BlockPlan[];
  /** What can not be done, and why. */
  readonly refused: readonly RefusedPlan[];
  /** No key can pay for receipts, so blocks are captured without them. */
  readonly withoutReceipts: boolean;
}
