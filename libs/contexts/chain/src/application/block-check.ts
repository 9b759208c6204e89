import type { BlockPart, ObservedBlock } from '../domain/chain.events.ts';
import { BLOCK_PARTS } from '../domain/chain.events.ts';
import type { FetchedBlock } from '../domain/rpc-types.ts';
import { withProofs } from '../domain/chain-proofs.ts';
import { observe } from '../domain/observe.ts';
import type { VerificationCrypto } from '../domain/verification/crypto.ts';
import type { VerificationRules } from '../domain/verification/verification-rules.ts';
import { ENFORCE_ALL, probeRules } from '../domain/verification/verification-rules.ts';
import { verifyBlock } from '../domain/verification/verify-block.ts';
import { ChainfoldError } from '#platform/kernel';
import type { CaptureMetrics } from './capture-log.ts';

export interface BlockCheckOptions {
  readonly chainId: string;
  readonly crypto: VerificationCrypto;
  readonly metrics: CaptureMetrics;
  /** `auto`: all parts are enforced until the chain was probed. */
  readonly rules: VerificationRules | 'auto';
}

/** Lets through only blocks that recompute as far as this chain's rules allow. */
export class BlockCheck {
  readonly #options: BlockCheckOptions;
  #rules: VerificationRules;
  #proven: readonly BlockPart[] = [];

  constructor(options: BlockCheckOptions) {
    this.#options = options;
    this.#rules = options.rules === 'auto' ? ENFORCE_ALL : options.rules;
  }

  get rules(): VerificationRules {
    return this.#rules;
  }

  get wantsProbe(): boolean {
    return this.#options.rules === 'auto';
  }

  /**
   * Finds out which parts this chain hashes in its own way, from the answers of one provider or of several. From several
   * blocks, so one odd answer changes nothing; a part that one of them verifies, or that was proven before, stays
   * enforced, so neither does a provider that always lies.
   */
  probe(answers: readonly (readonly FetchedBlock[])[], proven: readonly BlockPart[] = []): VerificationRules {
    if (!this.wantsProbe) return this.#rules;
    const found = answers.filter((blocks) => blocks.length > 0).map((blocks) => probeRules(blocks, this.#options.crypto));
    const isOwn = (part: BlockPart): boolean => found.length > 0 && !proven.includes(part) && found.every((rules) => rules[part] === 'unverifiable');
    this.#rules = Object.fromEntries(BLOCK_PARTS.map((part) => [part, isOwn(part) ? 'unverifiable' : 'enforce'])) as VerificationRules;
    return this.#rules;
  }

  /** Parts that verified on this chain, as the log holds. */
  remember(proven: readonly BlockPart[]): void {
    this.#proven = proven;
  }

  /** Of a block that passed, wherever it was verified. */
  passed(observed: ObservedBlock): void {
    this.#proven = withProofs(this.#proven, observed);
  }

  /** It holds a type that nobody here knows, on a chain where that part verified so far: it may be new, or made up. */
  isDoubtful({ verification }: ObservedBlock): boolean {
    return this.#proven.some((part) => verification[part] === 'unverifiable' && this.#rules[part] === 'enforce');
  }

  /** Throws `block-mismatch`. */
  verified(fetched: FetchedBlock, senders = 1): ObservedBlock {
    const { chainId, crypto } = this.#options;
    const observed = verifiedBlock(chainId, fetched, this.#rules, crypto, senders);
    this.passed(observed);
    return observed;
  }

  /** Counts an answer that is not believed, by the part that does not recompute or else by its shape; what came as no answer at all is not counted. */
  failed(error: unknown): void {
    if (!(error instanceof ChainfoldError) || (error.code !== 'block-mismatch' && error.code !== 'node-answer-invalid')) return;
    const { part, path } = error.facts;
    if (typeof part === 'string') this.#options.metrics.verificationFailed(this.#options.chainId, part);
    else if (typeof path === 'string') this.#options.metrics.verificationFailed(this.#options.chainId, 'shape');
  }
}

/** Recovering a sender costs as much as all the rest, so `senders` says how many. Throws `block-mismatch`. */
export function verifiedBlock(chainId: string, fetched: FetchedBlock, rules: VerificationRules, crypto: VerificationCrypto, senders: number): ObservedBlock {
  const seed = Number(BigInt(fetched.block.number) % 4_294_967_296n);
  return observe(chainId, fetched, verifyBlock(fetched, rules, crypto, { count: senders, seed }));
}

/** Of the blocks that are not at the head, one in so many has a sender recovered. */
const ONE_SENDER_IN = 16;

export function sendersOfOlder(number: number): number {
  return number % ONE_SENDER_IN === 0 ? 1 : 0;
}
