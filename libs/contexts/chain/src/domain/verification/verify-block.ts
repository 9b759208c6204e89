import type { BlockPart, PartVerdict, Verification } from '../chain.events.ts';
import { BLOCK_PARTS } from '../chain.events.ts';
import { BlockMismatch } from '../chain.errors.ts';
import type { FetchedBlock } from '../rpc-types.ts';
import { unreachable } from '#platform/kernel';
import type { VerificationCrypto } from './crypto.ts';
import { recomputeHeader } from './header.ts';
import type { BlockReport, PartReport } from './part-report.ts';
import { reportOf } from './part-report.ts';
import { recomputeReceipts } from './receipts.ts';
import { RlpWriter } from './rlp.ts';
import type { SenderSample } from './senders.ts';
import { recoverSenders, sampleOf } from './senders.ts';
import { recomputeTransactions } from './transactions.ts';
import type { Progress } from './transactions.ts';
import type { VerificationRules } from './part-rules.ts';
import { hasWithdrawals, recomputeWithdrawals } from './withdrawals.ts';

/** No sender is recovered unless a sample is asked for. */
const NO_SENDERS: SenderSample = { count: 0, seed: 0 };
/** One thread verifies one block at a time and nothing here waits, so all share one buffer. */
const writer = new RlpWriter();

/**
 * Recomputes the asked parts (all, when left out) from the JSON alone and says what came out. Never throws for what a
 * node answers. Expects lower-case hex.
 */
export function checkBlock(
  fetched: FetchedBlock,
  crypto: VerificationCrypto,
  sample: SenderSample = NO_SENDERS,
  parts: readonly BlockPart[] = BLOCK_PARTS,
): BlockReport {
  const report: { [part in BlockPart]?: PartReport } = {};
  for (const part of parts) {
    const found = checkPart(part, fetched, crypto, sample);
    if (found !== undefined) report[part] = found;
  }
  return report;
}

function checkPart(part: BlockPart, fetched: FetchedBlock, crypto: VerificationCrypto, sample: SenderSample): PartReport | undefined {
  const { block, receipts } = fetched;
  const { keccak256, recoverSender } = crypto;
  const progress: Progress = { path: '' };
  writer.reset();
  switch (part) {
    case 'header':
      return reportOf(() => recomputeHeader(block, writer, keccak256), () => '');
    case 'transactions':
      return reportOf(() => recomputeTransactions(block, writer, keccak256, progress), () => progress.path);
    case 'receipts':
      if (receipts === undefined) return undefined;
      return reportOf(() => recomputeReceipts(block, receipts, writer, keccak256, progress), () => progress.path);
    case 'withdrawals':
      if (!hasWithdrawals(block)) return undefined;
      return reportOf(() => recomputeWithdrawals(block, writer, keccak256, progress), () => progress.path);
    case 'senders': {
      const places = recoverSender === undefined || sample.count === 0 ? [] : sampleOf(block.transactions, sample);
      if (recoverSender === undefined || places.length === 0) return undefined;
      return reportOf(() => recoverSenders(block, places, writer, keccak256, recoverSender), () => 'transactions.');
    }
    default:
      return unreachable(part);
  }
}

/**
 * Verifies a block as its chain's rules ask for. Throws BlockMismatch when an enforced part does not recompute or lacks
 * a field that it must have: such a block is never recorded. A type that nobody here knows makes its part unverifiable.
 */
export function verifyBlock(
  fetched: FetchedBlock,
  rules: VerificationRules,
  crypto: VerificationCrypto,
  sample: SenderSample = NO_SENDERS,
): Verification {
  const verdicts: { [part in BlockPart]?: PartVerdict } = {};
  for (const part of BLOCK_PARTS) {
    const rule = rules[part];
    if (rule === 'off') continue;
    if (rule === 'unverifiable') {
      if (hasPart(part, fetched)) verdicts[part] = 'unverifiable';
      continue;
    }
    const report = checkPart(part, fetched, crypto, sample);
    if (report !== undefined) verdicts[part] = enforced(part, report, fetched);
  }
  return verdicts;
}

function enforced(part: BlockPart, report: PartReport, { block }: FetchedBlock): PartVerdict {
  switch (report.outcome) {
    case 'verified':
      return 'verified';
    case 'mismatched':
      throw new BlockMismatch({ number: block.number, hash: block.hash, part, field: report.field, expected: report.expected, actual: report.actual });
    case 'unverifiable':
      if (report.cause === 'unknown-type') return 'unverifiable';
      throw new BlockMismatch({ number: block.number, hash: block.hash, part, field: report.field, expected: 'a value', actual: 'absent' });
    default:
      return unreachable(report);
  }
}

function hasPart(part: BlockPart, { block, receipts }: FetchedBlock): boolean {
  if (part === 'receipts') return receipts !== undefined;
  if (part === 'withdrawals') return hasWithdrawals(block);
  return part !== 'senders';
}
