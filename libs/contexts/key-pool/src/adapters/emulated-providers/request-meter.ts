import type { Cost, Costs, Tariff } from '../../contracts/index.ts';

/**
 * What a provider writes down for a request, by ledger, worked out from its price list alone: the product has a sum of
 * its own, and the two must come to the same.
 */
export function meterCalls(tariff: Tariff, methods: readonly string[], batch = methods.length > 1): Cost {
  const totals: Record<string, number> = {};
  for (const [ledger, costs] of Object.entries(tariff.ledgers)) {
    let total = batch ? costs.batch : 0;
    for (const method of methods) total += priceOf(tariff, ledger, costs, method);
    totals[ledger] = total;
  }
  return totals;
}

export function meterPush(tariff: Tariff, bytes: number): Cost {
  const totals: Record<string, number> = {};
  for (const [ledger, { push }] of Object.entries(tariff.ledgers)) totals[ledger] = Math.ceil(push.each + bytes * push.perByte);
  return totals;
}

/** A ledger without a price of its own for a method takes that of the ledger `units`. */
function priceOf(tariff: Tariff, ledger: string, costs: Costs, method: string): number {
  if (Object.hasOwn(costs.methods, method)) return costs.methods[method] as number;
  const units = tariff.ledgers['units'];
  if (ledger !== 'units' && units !== undefined && Object.hasOwn(units.methods, method)) return units.methods[method] as number;
  return costs.default;
}
