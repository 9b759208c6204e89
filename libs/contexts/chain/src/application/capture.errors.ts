import { ChainfoldError } from '#platform/kernel';
import type { Hex } from '../domain/rpc-types.ts';

/** A replica has not come as far as was announced. */
export class NodeLagging extends ChainfoldError {
  constructor(node: string, number: number) {
    super('The node does not have a block that was announced', {
      code: 'node-lagging',
      kind: 'unavailable',
      retryable: true,
      facts: { node, number },
      hint: 'A replica behind a load balancer is late; it is asked again.',
    });
  }
}

/** A provider that no block comes from any more while another one has the next: it lost its network, or tells of a head that is not there. */
export class NodeStandsStill extends ChainfoldError {
  constructor(node: string, number: number) {
    super(`The node stands still below block ${number}, which another one has`, {
      code: 'node-stands-still',
      kind: 'unavailable',
      retryable: true,
      facts: { node, number },
      hint: 'Check that the node is in touch with its network; it is used again when it has that block.',
    });
  }
}

/** No provider can be used at this moment. */
export class NoProvider extends ChainfoldError {
  readonly waitMs: number;
  /** By label of the provider. */
  readonly reasons: Readonly<Record<string, string>>;

  constructor(waitMs: number, reasons: Readonly<Record<string, string>>) {
    const only = Object.values(reasons);
    super(only.length === 1 ? `The node can not be used: ${only[0] ?? ''}` : 'None of the providers can be used', {
      code: 'no-provider',
      kind: 'unavailable',
      retryable: true,
      facts: { waitMs, providers: reasons },
      hint: 'Check that a node runs at the configured address; capturing goes on by itself when one answers.',
    });
    this.waitMs = waitMs;
    this.reasons = reasons;
  }
}

export class WrongChain extends ChainfoldError {
  constructor(node: string, expected: string, actual: string) {
    super(`The node serves chain ${actual}, configured is ${expected}`, {
      code: 'wrong-chain',
      kind: 'invalid',
      facts: { node, expected, actual },
      hint: 'Correct rpcUrls or chainId of this chain, or use another data directory.',
    });
  }
}

/** The chain contradicts what was held to be final: only an operator can say what is right. */
export class ChainContradicts extends ChainfoldError {
  constructor(code: 'reorg-below-finalized' | 'genesis-changed' | 'reorg-below-first-block', reason: string, facts: { readonly [key: string]: string | number }) {
    super(reason, { code, kind: 'conflict', facts, hint: 'Find out which node is right, then resume the chain by command.' });
  }
}

/** Another chain altogether under the same chain id: of it nothing is ever ours, and what we hold stays as it is. */
export class GenesisChanged extends ChainContradicts {
  constructor(node: string, ours: Hex | undefined, theirs: Hex) {
    super('genesis-changed', 'The node serves a chain with another genesis than the captured one', { node, ours: ours ?? '', theirs });
  }
}

/** The branch changed while it was being fetched. Looked at again at once. */
export class BranchMoved extends ChainfoldError {
  constructor(number: number, expectedParent: Hex, actualParent: Hex) {
    super('The chain changed while it was being read', {
      code: 'branch-moved',
      kind: 'unavailable',
      retryable: true,
      facts: { number, expectedParent, actualParent },
    });
  }
}

/** What an error says beside its message, for an operator: what the node said, or which field was wrong. */
export function detailsOf(error: ChainfoldError): string {
  const { what, message, part, field, path } = error.facts;
  // Of an answer it is a place in its JSON; of the data it is a folder of this machine, which is nobody's business.
  return [what, message, part, field, isNodeTrouble(error) ? path : undefined].filter((one) => typeof one === 'string').join(', ');
}

/** Trouble of nodes: answered by asking another one, or the same later. Anything else is trouble of our own. */
export function isNodeTrouble(error: unknown): error is ChainfoldError {
  return error instanceof ChainfoldError && NODE_TROUBLE.has(error.code);
}

const NODE_TROUBLE: ReadonlySet<string> = new Set([
  'node-unreachable',
  'node-answer-invalid',
  'node-refused',
  'method-unsupported',
  'history-pruned',
  'node-lagging',
  'node-stands-still',
  'block-mismatch',
  'wrong-chain',
]);
