import type { BlockPart, ObservedBlock } from './chain.events.ts';
import { BLOCK_PARTS } from './chain.events.ts';

/**
 * Parts that this chain was seen to hash by the known rules: from then on no later answer makes them unverifiable. A
 * block that has nothing in a part proves nothing of it, for an empty list recomputes on any chain.
 */
export function withProofs(proven: readonly BlockPart[], block: ObservedBlock): readonly BlockPart[] {
  if (proven.length === BLOCK_PARTS.length) return proven;
  const added = BLOCK_PARTS.filter((part) => !proven.includes(part) && block.verification[part] === 'verified' && isTelling(part, block));
  return added.length === 0 ? proven : [...proven, ...added];
}

function isTelling(part: BlockPart, { header, transactionCount }: ObservedBlock): boolean {
  if (part === 'header') return true;
  if (part !== 'withdrawals') return transactionCount > 0;
  const list = header['withdrawals'];
  return Array.isArray(list) && list.length > 0;
}
