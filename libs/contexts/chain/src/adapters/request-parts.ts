import { costOf, type Cost, type Tariff, tooDearFor } from '#contracts/key-pool';
import type { RpcCall } from './chain-node-transport.ts';

/** Of a rolling limit that one batch may take. A lease may be a part of it, and while a large batch waits for room what is free stays unused. */
const SHARE_OF_A_BATCH = 0.1;

/** As the tariff makes them cheapest: together where that costs nothing and no limit minds, each alone otherwise. */
export function inParts(calls: readonly RpcCall[], tariff: Tariff): readonly (readonly RpcCall[])[] {
  const batchCosts = Object.values(tariff.ledgers).some(({ batch }) => batch > 0);
  if (batchCosts || tariff.mostCallsPerRequest === 1) return calls.map((call) => [call]);
  const parts: RpcCall[][] = [];
  for (const call of calls) {
    const last = parts.at(-1);
    if (last !== undefined && last.length < tariff.mostCallsPerRequest && fits([...last, call], tariff)) last.push(call);
    else parts.push([call]);
  }
  return parts;
}

/** By method, for the accounts. */
export function counted(methods: readonly string[]): Record<string, number> {
  const calls: Record<string, number> = {};
  for (const method of methods) calls[method] = (calls[method] ?? 0) + 1;
  return calls;
}

function fits(calls: readonly RpcCall[], tariff: Tariff): boolean {
  const cost = costOf(tariff, calls.map(({ method }) => method));
  const dear: Cost = Object.fromEntries(Object.entries(cost).map(([ledger, units]) => [ledger, units / SHARE_OF_A_BATCH]));
  return tooDearFor(tariff, dear) === undefined;
}
