import { BLOCK_PARTS } from '../domain/chain.events.ts';
import type { PartRule, VerificationRules } from '../domain/verification/part-rules.ts';

/** From `verify` of a chain's settings to what the verifier takes. */
export function verificationRules(verify: 'auto' | 'off' | Readonly<Record<string, boolean>>): VerificationRules | 'auto' {
  if (verify === 'auto') return 'auto';
  const rule = (part: string): PartRule => (verify !== 'off' && verify[part] !== false ? 'enforce' : 'off');
  return Object.fromEntries(BLOCK_PARTS.map((part) => [part, rule(part)])) as VerificationRules;
}
