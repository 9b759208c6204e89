import type { ErrorKind, JsonObject } from '#platform/kernel';
import { ChainfoldError } from '#platform/kernel';
import type { BlockPart } from './chain.events.ts';
import type { Hex } from './rpc-types.ts';

const SHOWN = 200;

/** A part of a block does not recompute from what the node answered. Another provider may answer right. */
export class BlockMismatch extends ChainfoldError {
  constructor(found: {
    readonly number: Hex;
    readonly hash: Hex;
    readonly part: BlockPart;
    readonly field: string;
    readonly expected: string;
    readonly actual: string;
  }) {
    super('The answer of the node does not recompute', {
      code: 'block-mismatch',
      kind: 'unavailable',
      retryable: true,
      facts: { ...found, expected: found.expected.slice(0, SHOWN), actual: found.actual.slice(0, SHOWN) },
      hint: 'The block was not recorded; another provider is asked. If all agree, this chain hashes in its own way: set verify for that part.',
    });
  }
}

/** A block or its receipts are not of the shape of Ethereum JSON-RPC, or do not belong together. */
export class BlockShapeInvalid extends ChainfoldError {
  constructor(path: string, expected: string, actual: unknown) {
    super('The answer of the node is not what JSON-RPC promises', {
      code: 'node-answer-invalid',
      kind: 'unavailable',
      retryable: true,
      facts: { path, expected, actual: describe(actual) },
      hint: 'Nothing of it is recorded; another provider is asked, or this one again.',
    });
  }
}

function describe(value: unknown): string {
  if (value === undefined) return 'absent';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return (JSON.stringify(value) ?? typeof value).slice(0, SHOWN);
}

/** A decision that was refused; `code` says which rule of the chain it would have broken. */
export class ChainRefusal extends ChainfoldError {
  constructor(code: string, message: string, facts: JsonObject, hint?: string, kind: ErrorKind = 'conflict') {
    super(message, { code, kind, facts, ...(hint === undefined ? {} : { hint }) });
  }
}
