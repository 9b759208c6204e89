import type { BlockPart } from '../chain.events.ts';

/** enforce: must recompute, or the block is refused. unverifiable: this chain has its own rule, which is shown. off: not asked. */
export type PartRule = 'enforce' | 'unverifiable' | 'off';
export type VerificationRules = { readonly [part in BlockPart]: PartRule };

export const ENFORCE_ALL: VerificationRules = { header: 'enforce', transactions: 'enforce', receipts: 'enforce', withdrawals: 'enforce', senders: 'enforce' };
