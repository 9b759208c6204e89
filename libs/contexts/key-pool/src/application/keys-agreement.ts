import { createHash } from 'node:crypto';
import type { ConfiguredKeys } from './configured-keys.ts';

/**
 * What a worker must hold as the owner does, so that a lease means the same on both sides. Of secrets it has what everybody may
 * see, their fingerprints: a worker with another secret would have a good key taken for revoked.
 */
export function keysAgreement({ providers, keys }: ConfiguredKeys): Readonly<Record<string, string>> {
  const used = [...new Set(keys.map(({ provider }) => provider))].map((name) => [`providers/${name}`, hashOf(providers.get(name)?.tariff ?? null)] as const);
  return { ...Object.fromEntries(used), ...Object.fromEntries(keys.map(({ alias, provider, fingerprints }) => [`keys/${alias}`, hashOf([provider, fingerprints.toSorted()])])) };
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
