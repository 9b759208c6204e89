import { addCosts, costOf, type Cost, type Tariff, tooDearFor } from '#contracts/key-pool';
import type { RpcCall } from './chain-node-transport.ts';

/** Of a rolling limit that one batch may take. A lease may be a part of it, and while a large batch waits for room what is free stays unused. */
const SHARE_OF_A_BATCH = 0.1;

interface Part {
  readonly places: number[];
  cost: Cost;
}

/**
 * Places of `calls` that go out together, as the tariff makes them cheapest: together where that costs nothing and no limit
 * minds, each alone otherwise. Calls join the last ones of their method, so that cheap ones fill a request beside dear ones.
 */
export function inParts(calls: readonly RpcCall[], tariff: Tariff): readonly (readonly number[])[] {
  const batchCosts = Object.values(tariff.ledgers).some(({ batch }) => batch > 0);
  if (batchCosts || tariff.mostCallsPerRequest === 1) return calls.map((_, at) => [at]);
  const parts: Part[] = [];
  const lastOf = new Map<string, Part>();
  for (const [at, { method }] of calls.entries()) {
    const cost = costOf(tariff, [method]);
    let part = lastOf.get(method) ?? parts.at(-1);
    const sum = part && addCosts(part.cost, cost);
    if (part !== undefined && sum !== undefined && part.places.length < tariff.mostCallsPerRequest && fits(sum, tariff)) {
      part.places.push(at);
      part.cost = sum;
    } else {
      part = { places: [at], cost };
      parts.push(part);
    }
    lastOf.set(method, part);
  }
  return parts.map(({ places }) => places);
}

/** By method, for the accounts. */
export function counted(methods: readonly string[]): Record<string, number> {
  const calls: Record<string, number> = {};
  for (const method of methods) calls[method] = (calls[method] ?? 0) + 1;
  return calls;
}

function fits(cost: Cost, tariff: Tariff): boolean {
  return tooDearFor(tariff, Object.fromEntries(Object.entries(cost).map(([ledger, units]) => [ledger, units / SHARE_OF_A_BATCH]))) === undefined;
}
