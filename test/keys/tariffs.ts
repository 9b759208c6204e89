import type { Costs, Limit, Tariff } from '#contracts/key-pool';

/** A provider for tests: each call costs one unit, and so does each announcement. */
export function testTariff(provider: string, more: { readonly batch?: number; readonly most?: number; readonly perByte?: number; readonly limits?: readonly Limit[] } = {}): Tariff {
  const { batch = 0, most = 100, perByte = 0, limits = [] } = more;
  const units: Costs = { default: 1, methods: {}, batch, push: { each: perByte === 0 ? 1 : 0, perByte } };
  return { provider, title: `The ${provider}`, unit: 'units', ledgers: { units }, limits, mostCallsPerRequest: most, unsupported: [], slackMs: 0 };
}
