/**
 * What a provider meters and what it charges, as its documents say: data of `config/providers/{name}.yaml`.
 * Units are whole numbers; a ledger is one way of counting them (`units` is what quotas count; Alchemy's rate counts
 * `throughput`, whose costs differ).
 */
export interface Tariff {
  /** Name of its file. */
  readonly provider: string;
  readonly title: string;
  /** What one unit is called: credits, CU, requests. */
  readonly unit: string;
  /** Has `units`; a ledger that gives no cost of a method charges what `units` charges. */
  readonly ledgers: Readonly<Record<string, Costs>>;
  readonly limits: readonly Limit[];
  /** Calls that one request may carry; 1: each goes alone. */
  readonly mostCallsPerRequest: number;
  /** Methods that it does not offer at all. */
  readonly unsupported: readonly string[];
  /** How much the way of a request to the provider's meter may vary. */
  readonly slackMs: number;
  /** Money per million `units`, as a decimal in USD; undefined: costs nothing. */
  readonly pricePerMillion?: string;
}

export interface Costs {
  readonly default: number;
  readonly methods: Readonly<Record<string, number>>;
  /** Of a request with more than one call, on top of its calls. */
  readonly batch: number;
  /** Of each notification of a subscription: so many, and so many per byte (may be a fraction; the sum is rounded up). */
  readonly push: { readonly each: number; readonly perByte: number };
}

export type Limit =
  /** At most so many units in any stretch of `windowMs`, wherever the provider lets its windows begin. */
  | { readonly kind: 'rolling'; readonly name: string; readonly ledger: string; readonly windowMs: number; readonly units: number }
  /** At most so many in a day or month of UTC. */
  | { readonly kind: 'calendar'; readonly name: string; readonly ledger: string; readonly period: 'day' | 'month'; readonly units: number };

/** Units by ledger. */
export type Cost = Readonly<Record<string, number>>;

/** Of one request that carries these calls. */
export function costOf(tariff: Tariff, methods: readonly string[]): Cost {
  return eachLedger(tariff, (ledger) => {
    const calls = methods.reduce((sum, method) => sum + costOfCall(tariff, ledger, method), 0);
    return calls + (methods.length > 1 ? (tariff.ledgers[ledger]?.batch ?? 0) : 0);
  });
}

/** Of one notification of `bytes` bytes. */
export function costOfPush(tariff: Tariff, bytes: number): Cost {
  return eachLedger(tariff, (ledger) => {
    const { each, perByte } = (tariff.ledgers[ledger] as Costs).push;
    return Math.ceil(each + perByte * bytes);
  });
}

/** The limit that no request of this cost can ever pass; undefined: there is none. */
export function tooDearFor(tariff: Tariff, cost: Cost): Limit | undefined {
  return tariff.limits.find((limit) => (cost[limit.ledger] ?? 0) > limit.units);
}

/** What a block is asked for with; which of them a provider can serve at all, its limits say. */
const CALLS_OF_A_BLOCK = ['eth_getBlockByHash', 'eth_getBlockByNumber', 'eth_getBlockReceipts'];

/** Units, by name of each rolling limit, of the dearest call of a block that it lets pass: a smaller share of it is of no use. */
export function leastShares(tariff: Tariff): Readonly<Record<string, number>> {
  const costs = CALLS_OF_A_BLOCK.map((method) => costOf(tariff, [method])).filter((cost) => tooDearFor(tariff, cost) === undefined);
  const rolling = tariff.limits.filter(({ kind }) => kind === 'rolling');
  return Object.fromEntries(rolling.map(({ name, ledger }) => [name, Math.max(1, ...costs.map((cost) => cost[ledger] ?? 0))]));
}

/** How many holders can share one key. More would not spend more of it, and each would wait longer for its turn, the head too. */
export function mostShares(tariff: Tariff): number {
  const least = leastShares(tariff);
  const shares = tariff.limits.flatMap(({ kind, name, units }) => (kind === 'rolling' ? [Math.floor(units / (CALLS_OF_A_SHARE * (least[name] as number)))] : []));
  return Math.max(1, Math.min(...shares, MOST_SHARES));
}

/** In a window: a block and its receipts, and one more that is on its way. */
const CALLS_OF_A_SHARE = 3;
/** Of a key that no rate limits. */
const MOST_SHARES = 1_000;

export function addCosts(one: Cost, other: Cost): Cost {
  return Object.fromEntries([...new Set([...Object.keys(one), ...Object.keys(other)])].map((ledger) => [ledger, (one[ledger] ?? 0) + (other[ledger] ?? 0)]));
}

function costOfCall(tariff: Tariff, ledger: string, method: string): number {
  const { methods, default: usual } = tariff.ledgers[ledger] as Costs;
  return methods[method] ?? (ledger === 'units' ? usual : (tariff.ledgers['units']?.methods[method] ?? usual));
}

function eachLedger(tariff: Tariff, units: (ledger: string) => number): Cost {
  return Object.fromEntries(Object.keys(tariff.ledgers).map((ledger) => [ledger, units(ledger)]));
}
