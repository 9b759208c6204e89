import type { BlockPlan, KeyAccess, Plannable, Planning, PlanNeed, ProviderKeys } from '#contracts/key-pool';
import { ChainfoldError } from '#platform/kernel';

/** How a chain's blocks are fetched, for people. */
export interface PlanInWords {
  readonly name: string;
  readonly blocks: string;
  readonly receipts: string | null;
  readonly heads: string | null;
  readonly note?: string;
}

export interface PlannedChain {
  readonly plans: readonly BlockPlan[];
  readonly words: PlanInWords;
}

/** One is used; the others take over while it can not be. */
const MOST_PLANS = 3;

/** Until more is known of a chain: as on Ethereum. */
const USUAL = { transactionsPerBlock: 150, blockTimeMs: 12_000 };

export function needOf({ receipts, blockTimeMs = USUAL.blockTimeMs }: { readonly receipts: boolean; readonly blockTimeMs?: number | undefined }): PlanNeed {
  return { ...USUAL, receipts, blockTimeMs };
}

/** The plans for a chain on these providers, the cheapest first. Throws `no-plan` where none is possible. */
export function planChain(keys: KeyAccess, chainId: string, providers: readonly ProviderKeys[], need: PlanNeed): PlannedChain {
  const plannable = providers.map(({ tariff, keys: own }): Plannable => ({ tariff, keys: new Set(own.map(({ alias }) => alias)).size, pushes: own.some(({ wsUrl }) => wsUrl !== undefined) }));
  const planning = keys.plan(plannable, need);
  keys.planned(chainId, plannable, planning);
  const plans = ofDifferentProviders(planning).slice(0, MOST_PLANS);
  const [best] = plans;
  if (best === undefined) throw new NoPlan(chainId, planning.refused);
  return { plans, words: inWords(best, planning, need.receipts) };
}

/** Two plans of the same providers fail together. */
function ofDifferentProviders({ plans }: Planning): readonly BlockPlan[] {
  return plans.filter((plan, at) => plans.findIndex((other) => other.blocks === plan.blocks && other.receipts === plan.receipts) === at);
}

function inWords({ name, blocks, receipts, heads }: BlockPlan, { withoutReceipts, refused }: Planning, wanted: boolean): PlanInWords {
  const why = refused.map((one) => `${one.name}: ${one.why}`).join('; ');
  const note = withoutReceipts ? `Captured without receipts and logs, for no key can pay for them (${why}).` : !wanted ? 'Captured without receipts and logs, as configured.' : undefined;
  return { name, blocks, receipts: receipts ?? null, heads: heads ?? null, ...(note === undefined ? {} : { note }) };
}

class NoPlan extends ChainfoldError {
  constructor(chainId: string, refused: Planning['refused']) {
    super(`No key can capture chain ${chainId}`, {
      code: 'no-plan',
      kind: 'invalid',
      facts: { chainId, refused: refused.map((one) => ({ ...one })) },
      hint: 'Add keys of a provider that serves this chain (config/keys.yaml or KEYS), or follow a node with RPC_URL.',
    });
  }
}
