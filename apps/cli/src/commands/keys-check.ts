import type { configuredKeys } from '#contexts/key-pool';
import { explain } from '#platform/runtime';
import type { Finding } from './finding.ts';

type KeySettings = Parameters<typeof configuredKeys>[0];

/** Whose keys there are, or what is wrong with them. Nothing is asked of providers: that is what `keys probe` spends on. */
export async function keysIn(settings: object): Promise<Finding[]> {
  if (!hasKeys(settings)) return [];
  // Only now: loading it takes longer than most commands.
  const keyPool = await import('#contexts/key-pool');
  try {
    const { keys } = keyPool.configuredKeys(settings);
    if (keys.length === 0) return [];
    const counts = new Map<string, number>();
    for (const { provider } of keys) counts.set(provider, (counts.get(provider) ?? 0) + 1);
    const whose = [...counts].map(([provider, count]) => `${count} of ${provider}`).join(', ');
    return [{ what: 'keys', state: 'ok', detail: `${whose}: \`chainfold keys probe\` asks each` }];
  } catch (error) {
    return [{ what: 'keys', state: 'wrong', detail: explain(error) }];
  }
}

function hasKeys(settings: object): settings is KeySettings {
  return 'providers' in settings && 'keys' in settings && 'keyPool' in settings;
}
