import type { BlockPlan, Plannable, Planning } from './plans.ts';

export interface PlannedChain {
  readonly chainId: string;
  readonly providers: readonly Plannable[];
  readonly planning: Planning;
}

export interface RoleOfKey {
  readonly chainId: string;
  readonly role: readonly string[];
  readonly chosen: boolean;
  readonly because: string;
}

/** What a provider's keys do for a chain, and why them or why not. */
export function explainRole(provider: string, { chainId, providers, planning }: PlannedChain): RoleOfKey {
  const own = providers.find(({ tariff }) => tariff.provider === provider);
  const [best] = planning.plans;
  if (own === undefined) return { chainId, role: [], chosen: false, because: 'This chain is not captured through its provider.' };
  if (best === undefined) return { chainId, role: [], chosen: false, because: `No plan is possible. ${refusals(planning, provider)}`.trimEnd() };
  const role = rolesIn(best, provider);
  const witness = best.blocks !== provider && planning.plans.some(({ blocks }) => blocks === provider) ? ['witness'] : [];
  if (role.length > 0) return { chainId, role: [...role, ...witness], chosen: true, because: whyChosen(best, planning, own) };
  const spare = planning.plans.find((plan) => rolesIn(plan, provider).length > 0);
  if (spare === undefined) return { chainId, role: [], chosen: false, because: refusals(planning, provider) || 'No plan needs it.' };
  return { chainId, role: ['spare', ...witness], chosen: false, because: `"${spare.name}" takes ${share(spare.price)} of a day for each block, "${best.name}" ${share(best.price)}; it is used when that one can not be.` };
}

function rolesIn(plan: BlockPlan, provider: string): readonly string[] {
  return [...(plan.blocks === provider ? ['blocks'] : []), ...(plan.receipts === provider ? ['receipts'] : []), ...(plan.heads === provider ? ['heads'] : [])];
}

function whyChosen(plan: BlockPlan, planning: Planning, { tariff, keys }: Plannable): string {
  const pays = plan.blocksPerDay === Number.POSITIVE_INFINITY ? 'nothing limits it' : `all keys together pay for ${Math.floor(plan.blocksPerDay)} blocks a day`;
  const witness = plan.receipts !== undefined && plan.receipts !== plan.blocks ? ' The two providers witness each other: block and receipts must belong together by hash.' : '';
  const without = planning.withoutReceipts ? ` Nobody can pay for receipts. ${refusals(planning, tariff.provider)}` : '';
  return `"${plan.name}" is the cheapest plan: a block takes ${plan.unitsPerBlock[tariff.provider] ?? 0} ${tariff.unit} of ${keys} ${keys === 1 ? 'key' : 'keys'} here, and ${pays}.${witness}${without}`.trimEnd();
}

/** Why plans with this provider can not be: those that need nobody else, or else all. */
function refusals({ refused }: Planning, provider: string): string {
  const all = refused.filter(({ providers }) => providers.includes(provider));
  const alone = all.filter(({ providers }) => providers.length === 1);
  return (alone.length > 0 ? alone : all).map(({ name, why }) => sentence(`${name}: ${why}`)).join(' ');
}

function share(price: number): string {
  return price === 0 ? 'nothing' : `1/${Math.round(1 / price)}`;
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
