/** Seeds that once found something, with what they found. They are run for ever. */
export const NOTABLE_SEEDS: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 1, found: 'nothing yet' },
];
