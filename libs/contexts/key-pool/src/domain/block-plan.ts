import type { BlockPlan, Plannable, Planning, PlanNeed, RefusedPlan } from './plans.ts';
import { type Cost, costOf, costOfPush, type Limit, tooDearFor } from './tariff.ts';

const DAY_MS = 86_400_000;
const DAYS_OF_A_MONTH = 30;
/** Of a newHeads notification of Ethereum's mainnet, with its frame: 1,740 since Prague. */
const HEAD_BYTES = 1_800;
const BLOCK = 'eth_getBlockByHash';
const BY_BLOCK = 'eth_getBlockReceipts';
const BY_TRANSACTION = 'eth_getTransactionReceipt';

interface Candidate {
  readonly blocks: Plannable;
  readonly receipts: Plannable | undefined;
  readonly receiptsBy: 'block' | 'transaction';
}

/** Every way to fetch a block, the cheapest first: by the share of a day that it takes of whatever is scarcest. */
export function planBlocks(providers: readonly Plannable[], need: PlanNeed): Planning {
  const usable = providers.filter(({ keys }) => keys > 0);
  const complete = need.receipts ? considered(usable.flatMap((blocks) => usable.flatMap((receipts) => [{ blocks, receipts, receiptsBy: 'block' as const }, { blocks, receipts, receiptsBy: 'transaction' as const }])), usable, need) : { plans: [], refused: [] };
  const refused = [...providers.filter(({ keys }) => keys === 0).map(({ tariff }) => ({ name: tariff.title, providers: [tariff.provider], why: 'none of its keys can be used' })), ...complete.refused];
  if (complete.plans.length > 0) return { plans: complete.plans, refused, withoutReceipts: false };
  const bare = considered(usable.map((blocks) => ({ blocks, receipts: undefined, receiptsBy: 'block' as const })), usable, need);
  return { plans: bare.plans, refused: [...refused, ...bare.refused], withoutReceipts: need.receipts && bare.plans.length > 0 };
}

function considered(candidates: readonly Candidate[], all: readonly Plannable[], need: PlanNeed): Pick<Planning, 'plans' | 'refused'> {
  const heads = cheapestAnnouncer(all);
  const refused: RefusedPlan[] = [];
  const plans: BlockPlan[] = [];
  for (const candidate of candidates) {
    const why = impossible(candidate, need);
    if (why !== undefined) refused.push({ name: nameOf(candidate), providers: providersOf(candidate.blocks.tariff.provider, candidate.receipts?.tariff.provider), why });
    else plans.push(planOf(candidate, heads, need));
  }
  const blocksADay = DAY_MS / need.blockTimeMs;
  const [paid, tooDear] = [plans.filter(({ blocksPerDay }) => blocksPerDay >= blocksADay), plans.filter(({ blocksPerDay }) => blocksPerDay < blocksADay)];
  for (const { name, blocks, receipts, blocksPerDay } of tooDear) refused.push({ name, providers: providersOf(blocks, receipts), why: `its keys pay for ${Math.floor(blocksPerDay)} blocks a day, and the chain makes ${Math.round(blocksADay)}` });
  return { plans: paid.sort((one, other) => one.price - other.price), refused };
}

/** A reason that no number of keys can change. */
function impossible({ blocks, receipts, receiptsBy }: Candidate, { transactionsPerBlock }: PlanNeed): string | undefined {
  const calls: readonly (readonly [Plannable, string])[] = [[blocks, BLOCK], ...(receipts === undefined ? [] : [[receipts, receiptsBy === 'block' ? BY_BLOCK : BY_TRANSACTION] as const])];
  for (const [{ tariff }, method] of calls) {
    if (tariff.unsupported.includes(method)) return `${tariff.title} does not offer ${method}`;
    const cost = costOf(tariff, [method]);
    const limit = tooDearFor(tariff, cost);
    if (limit !== undefined) return `one ${method} costs ${cost[limit.ledger]} ${tariff.unit} at ${tariff.title}, and ${limit.name} has ${limit.units}`;
  }
  return receiptsBy === 'transaction' && transactionsPerBlock === 0 ? 'there are no transactions to ask for' : undefined;
}

function planOf(candidate: Candidate, heads: Plannable | undefined, { transactionsPerBlock }: PlanNeed): BlockPlan {
  const { blocks, receipts, receiptsBy } = candidate;
  const costs = new Map<Plannable, Cost[]>();
  const charge = (provider: Plannable, cost: Cost): void => void costs.set(provider, [...(costs.get(provider) ?? []), cost]);
  charge(blocks, costOf(blocks.tariff, [BLOCK]));
  if (receipts !== undefined) charge(receipts, receiptsBy === 'block' ? costOf(receipts.tariff, [BY_BLOCK]) : times(costOf(receipts.tariff, [BY_TRANSACTION]), transactionsPerBlock));
  if (heads !== undefined) charge(heads, costOfPush(heads.tariff, HEAD_BYTES));
  const shares = [...costs].map(([provider, list]) => shareOfADay(provider, list));
  const price = Math.max(...shares);
  const units = [...costs].map(([{ tariff }, list]) => [tariff.provider, list.reduce((sum, cost) => sum + (cost['units'] ?? 0), 0)] as const);
  return {
    name: nameOf(candidate),
    blocks: blocks.tariff.provider,
    receipts: receipts?.tariff.provider,
    receiptsBy,
    heads: heads?.tariff.provider,
    unitsPerBlock: Object.fromEntries(units),
    price,
    blocksPerDay: price === 0 ? Number.POSITIVE_INFINITY : 1 / price,
  };
}

/** Of the limit that this takes most of, over all keys of the provider. */
function shareOfADay({ tariff, keys }: Plannable, costs: readonly Cost[]): number {
  const used = (ledger: string): number => costs.reduce((sum, cost) => sum + (cost[ledger] ?? 0), 0);
  return Math.max(0, ...tariff.limits.map((limit) => used(limit.ledger) / (unitsADay(limit) * keys)));
}

function unitsADay(limit: Limit): number {
  if (limit.kind === 'rolling') return (limit.units * DAY_MS) / limit.windowMs;
  return limit.period === 'day' ? limit.units : limit.units / DAYS_OF_A_MONTH;
}

function cheapestAnnouncer(providers: readonly Plannable[]): Plannable | undefined {
  const shares = providers.filter(({ pushes }) => pushes).map((provider) => ({ provider, share: shareOfADay(provider, [costOfPush(provider.tariff, HEAD_BYTES)]) }));
  return shares.sort((one, other) => one.share - other.share)[0]?.provider;
}

function nameOf({ blocks, receipts, receiptsBy }: Candidate): string {
  if (receipts === undefined) return `${blocks.tariff.title} without receipts`;
  const how = receiptsBy === 'block' ? '' : ' by transaction';
  return receipts === blocks ? `${blocks.tariff.title}${how}` : `${blocks.tariff.title}, receipts ${receipts.tariff.title}${how}`;
}

function providersOf(blocks: string, receipts: string | undefined): readonly string[] {
  return receipts === undefined || receipts === blocks ? [blocks] : [blocks, receipts];
}

function times(cost: Cost, count: number): Cost {
  return Object.fromEntries(Object.entries(cost).map(([ledger, units]) => [ledger, units * count]));
}
