/** Seeds that once found something, with what they found. They are run for ever. */
export const NOTABLE_SEEDS: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 4, found: 'one answer about a head far ahead that requested a backfill of sixteen million blocks for ever' },
  { seed: 9, found: 'one odd answer about the genesis that stopped the chain until an operator came' },
  { seed: 7, found: 'a liar met after a restart that made the receipts unverifiable, so that its lies were recorded' },
  { seed: 109, found: 'a late second provider that stopped the chain by ending below what was final' },
];
