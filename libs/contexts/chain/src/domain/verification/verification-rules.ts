import type { BlockPart } from '../chain.events.ts';
import { BLOCK_PARTS } from '../chain.events.ts';
import type { FetchedBlock } from '../rpc-types.ts';
import type { VerificationCrypto } from './crypto.ts';
import type { BlockReport } from './part-report.ts';
import type { PartRule, VerificationRules } from './part-rules.ts';
import { ENFORCE_ALL } from './part-rules.ts';
import { checkBlock } from './verify-block.ts';

export { ENFORCE_ALL } from './part-rules.ts';
export type { PartRule, VerificationRules } from './part-rules.ts';

/** So many blocks must fail before it is the chain and not the answer. */
const ODD_ANSWERS = 2;
const PROBED_SENDERS = 2;

/**
 * Finds a chain's rules from several of its blocks (`verify: auto`). A part is unverifiable only if it fails on at least
 * two blocks and on more than it verifies, so a single odd answer changes nothing. Where some blocks have something in
 * that part (transactions, withdrawals), only they count: an empty list recomputes on any chain.
 */
export function probeRules(samples: readonly FetchedBlock[], crypto: VerificationCrypto): VerificationRules {
  const probes = samples.map((fetched) => ({
    fetched,
    report: checkBlock(fetched, crypto, { count: PROBED_SENDERS, seed: 0 }),
  }));
  const rules: { [part in BlockPart]: PartRule } = { ...ENFORCE_ALL };
  for (const part of BLOCK_PARTS) rules[part] = ruleFor(part, probes);
  return rules;
}

function ruleFor(part: BlockPart, probes: readonly { readonly fetched: FetchedBlock; readonly report: BlockReport }[]): PartRule {
  const telling = probes.filter(({ fetched }) => isTelling(part, fetched));
  let verified = 0;
  let failed = 0;
  for (const { report } of telling.length > 0 ? telling : probes) {
    const found = report[part];
    if (found === undefined || (found.outcome === 'unverifiable' && found.cause === 'unknown-type')) continue;
    if (found.outcome === 'verified') verified += 1;
    else failed += 1;
  }
  return failed >= ODD_ANSWERS && failed > verified ? 'unverifiable' : 'enforce';
}

function isTelling(part: BlockPart, { block }: FetchedBlock): boolean {
  if (part === 'header') return true;
  const list = part === 'withdrawals' ? block['withdrawals'] : block.transactions;
  return Array.isArray(list) && list.length > 0;
}
