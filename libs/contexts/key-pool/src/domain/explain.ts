import type { BlockPlan, Plannable, Planning } from './plans.ts';

export interface PlannedChain {
  readonly chainId: string;
  readonly providers: readonly Plannable[];
  readonly planning: Planning;
}

/** What a provider's keys do for a chain, and why them or why not. */
export function explainRole(provider: string, { chainId, providers, planning }: PlannedChain): { readonly chainId: string; readonly role: readonly string[]; readonly chosen: boolean; readonly because: string } {
  const own = providers.find(({ tariff }) => tariff.provider === provider);
  if (own === undefined) return { chainId, role: [], chosen: false, because: 'This chain is not captured through its provider.' };
  const [best] = planning.plans;
  const role = best === undefined ? [] : rolesIn(best, provider);
  if (role.length > 0) return { chainId, role, chosen: true, because: whyChosen(best as BlockPlan, provider, own) };
  const refusal = planning.refused.find(({ name }) => name.startsWith(own.tariff.title));
  const spare = planning.plans.find((plan) => rolesIn(plan, provider).length > 0);
  if (spare !== undefined) return { chainId, role: ['spare'], chosen: false, because: `"${spare.name}" takes ${share(spare.price)} of a day for each block, "${best?.name}" ${share(best?.price ?? 0)}; it is used when that one can not be.` };
  return { chainId, role: [], chosen: false, because: refusal === undefined ? 'No plan needs it.' : `${sentence(refusal.why)}` };
}

function rolesIn(plan: BlockPlan, provider: string): readonly string[] {
  return [...(plan.blocks === provider ? ['blocks'] : []), ...(plan.receipts === provider ? ['receipts'] : []), ...(plan.heads === provider ? ['heads'] : [])];
}

function whyChosen(plan: BlockPlan, provider: string, { tariff, keys }: Plannable): string {
  const pays = plan.blocksPerDay === Number.POSITIVE_INFINITY ? 'nothing limits it' : `all keys together pay for ${Math.floor(plan.blocksPerDay)} blocks a day`;
  const witness = plan.receipts !== undefined && plan.receipts !== plan.blocks ? ' The two providers witness each other: block and receipts must belong together by hash.' : '';
  return `"${plan.name}" is the cheapest plan: a block takes ${plan.unitsPerBlock[provider] ?? 0} ${tariff.unit} of ${keys} ${keys === 1 ? 'key' : 'keys'} here, and ${pays}.${witness}`;
}

function share(price: number): string {
  return price === 0 ? 'nothing' : `1/${Math.round(1 / price)}`;
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
