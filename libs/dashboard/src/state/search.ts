import { ApiError, chainPath, get } from '../api/client.ts';

export type Found = { readonly to: string } | { readonly problem: string };

/** Where a number, hash or address leads within a chain. A hash is looked for among transactions, then among blocks. */
export async function search(chainId: string, text: string): Promise<Found> {
  const asked = text.trim().toLowerCase().replaceAll(/[\s,_]/g, '');
  const within = (rest: string): Found => ({ to: `/chains/${encodeURIComponent(chainId)}${rest}` });
  if (asked === '') return { problem: 'Enter a block number, a hash or an address.' };
  if (/^(latest|safe|finalized)$/.test(asked)) return within(`/blocks/${asked}`);
  if (/^\d{1,15}$/.test(asked)) return exists(chainId, `/blocks/${asked}`, `Block ${asked} is not captured.`, within);
  const hex = asked.startsWith('0x') ? asked : `0x${asked}`;
  if (/^0x[0-9a-f]{40}$/.test(hex)) return within(`/address/${hex}`);
  if (!/^0x[0-9a-f]{64}$/.test(hex)) return { problem: 'That is no block number, no hash (64 hex digits) and no address (40 hex digits).' };
  const transaction = await exists(chainId, `/transactions/${hex}`, '', () => within(`/tx/${hex}`));
  if ('to' in transaction || transaction.problem !== '') return transaction;
  return exists(chainId, `/blocks/${hex}`, 'No captured transaction or block has this hash.', within);
}

async function exists(chainId: string, path: string, otherwise: string, within: (rest: string) => Found): Promise<Found> {
  try {
    await get(chainPath(chainId, path));
    return within(path);
  } catch (error) {
    return { problem: error instanceof ApiError && error.missing ? otherwise : error instanceof Error ? error.message : 'unknown' };
  }
}
