import type { BlockPlan, KeyAccess, Plannable, Planning, PlanNeed, ProviderKeys } from '#contracts/key-pool';
import { SettingsInvalid } from '#platform/settings';
import type { ConfiguredChain } from '../chain.settings.ts';

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

/** The plans for a chain on these providers, the cheapest first. Throws `settings-invalid` of the setting that asked for it where none is possible. */
export function planChain(keys: KeyAccess, { chainId, asked }: { readonly chainId: string; readonly asked: string }, providers: readonly ProviderKeys[], need: PlanNeed): PlannedChain {
  const plannable = providers.map(({ tariff, keys: own }): Plannable => ({ tariff, keys: new Set(own.map(({ alias }) => alias)).size, pushes: own.some(({ wsUrl }) => wsUrl !== undefined) }));
  const planning = keys.plan(plannable, need);
  keys.planned(chainId, plannable, planning);
  const plans = ofDifferentProviders(planning).slice(0, MOST_PLANS);
  const [best] = plans;
  if (best === undefined) throw noPlan(chainId, asked, planning.refused);
  return { plans, words: inWords(best, planning, need.receipts) };
}

/** Two plans of the same providers fail together. */
function ofDifferentProviders({ plans }: Planning): readonly BlockPlan[] {
  return plans.filter((plan, at) => plans.findIndex((other) => other.blocks === plan.blocks && other.receipts === plan.receipts) === at);
}

function inWords({ name, blocks, receipts, heads }: BlockPlan, { withoutReceipts, refused }: Planning, wanted: boolean): PlanInWords {
  const why = reasonsIn(refused);
  const note = withoutReceipts ? `Captured without receipts and logs, for no key can pay for them (${why}).` : !wanted ? 'Captured without receipts and logs, as configured.' : undefined;
  return { name, blocks, receipts: receipts ?? null, heads: heads ?? null, ...(note === undefined ? {} : { note }) };
}

/** The setting by which a chain is captured on keys. */
export function whereAsked({ name, through }: ConfiguredChain): string {
  return 'providers' in through && through.providers === undefined ? 'capture.chainId' : `chains/${name}.providers`;
}

function noPlan(chainId: string, asked: string, refused: Planning['refused']): SettingsInvalid {
  const why = refused.length === 0 ? 'No key serves it' : reasonsIn(refused);
  return new SettingsInvalid([{ path: asked, rule: `must be a chain that the keys can capture, and chain ${chainId} is none`, hint: `${why}. Add keys (config/keys.yaml or KEYS), or follow a node with RPC_URL.` }]);
}

function reasonsIn(refused: Planning['refused']): string {
  return refused.map(({ name, why }) => `${name}: ${why}`).join('; ');
}
