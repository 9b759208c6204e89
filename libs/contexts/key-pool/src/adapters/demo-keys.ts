import { createHash } from 'node:crypto';

/** The founding case: 17 keys of one provider, 5 of the other. */
const KEYS = [
  { provider: 'infura', count: 17 },
  { provider: 'alchemy', count: 5 },
] as const;

/** Keys of the emulated providers. Their secrets open nothing anywhere. */
export function demoKeys(): readonly { readonly alias: string; readonly provider: string; readonly secret: string }[] {
  return KEYS.flatMap(({ provider, count }) =>
    Array.from({ length: count }, (_, at) => {
      const alias = `${provider}-${String(at + 1).padStart(2, '0')}`;
      return { alias, provider, secret: createHash('sha256').update(`demo ${alias}`).digest('hex').slice(0, 32) };
    }),
  );
}
