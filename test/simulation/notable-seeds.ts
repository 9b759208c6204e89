/** Seeds that once found something, with what they found, and seeds that notice when a protection is taken away. They are run for ever. */
export const NOTABLE_SEEDS: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 4, found: 'one answer about a head far ahead that requested a backfill of sixteen million blocks for ever' },
  { seed: 9, found: 'one odd answer about the genesis that stopped the chain until an operator came' },
  { seed: 7, found: 'a liar met after a restart that made the receipts unverifiable, so that its lies were recorded' },
  { seed: 109, found: 'a late second provider that stopped the chain by ending below what was final' },
  { seed: 8, found: 'a second provider on a dead branch that stopped the chain while the first one was cast out for a lie' },
  { seed: 136, found: 'a rebuilt generation that went live behind what readers had seen' },
  { seed: 11, found: 'a kept generation that is shown before it has caught up, where that is let happen' },
  { seed: 570, found: 'one odd answer about the genesis, as seed 9, where one is believed' },
  { seed: 6, found: 'blocks shown before their branch is adopted, and commands forgotten, where that is let happen' },
  { seed: 3, found: 'the wrong revision let pass with two owners, where that is let happen' },
];
