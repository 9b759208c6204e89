import type { ErrorMessage, JsonObject } from '#platform/kernel';
import { ChainfoldError, fromErrorMessage } from '#platform/kernel';

/** What a provider's refusal means for the one who asked. */
export type RefusalMeaning =
  /** Until the reset of a quota. */
  | 'exhausted'
  /** Too fast: wait. */
  | 'throttled'
  /** Too much at once: ask for less. */
  | 'split'
  /** This replica has not come that far. */
  | 'lagging'
  | 'down'
  /** The key is dead. */
  | 'revoked'
  | 'unsupported'
  /** Old state or bodies were thrown away by this node. */
  | 'pruned'
  /** The chain has no such thing (a tag before the merge). */
  | 'absent'
  | 'refused';

/** No answer at all: the connection failed, was cut, or nothing came in time. */
export class NodeUnreachable extends ChainfoldError {
  constructor(label: string, what: string, cause?: unknown) {
    super('The node does not answer', {
      code: 'node-unreachable',
      kind: 'unavailable',
      retryable: true,
      facts: { node: label, what },
      hint: 'Check that the node runs and that its address is right; it is asked again by itself.',
      cause,
    });
  }
}

/** Something came, but it is not an answer of JSON-RPC, or its parts do not belong together. */
export class NodeAnswerInvalid extends ChainfoldError {
  constructor(label: string, what: string, facts: JsonObject = {}) {
    super('The node gave an answer that can not be used', {
      code: 'node-answer-invalid',
      kind: 'unavailable',
      retryable: true,
      facts: { node: label, what, ...facts },
      hint: 'Nothing of it is recorded; another provider is asked, or this one again.',
    });
  }
}

export class NodeRefused extends ChainfoldError {
  readonly meaning: RefusalMeaning;
  /** Come again not before; undefined where the provider says nothing. */
  readonly waitMs: number | undefined;

  constructor(label: string, meaning: RefusalMeaning, facts: JsonObject, waitMs?: number) {
    super('The node refused a request', {
      code: 'node-refused',
      kind: meaning === 'throttled' || meaning === 'exhausted' ? 'throttled' : meaning === 'revoked' ? 'forbidden' : 'unavailable',
      retryable: meaning !== 'revoked' && meaning !== 'refused',
      facts: { node: label, meaning, ...facts, ...(waitMs === undefined ? {} : { waitMs }) },
      hint: HINTS[meaning],
    });
    this.meaning = meaning;
    this.waitMs = waitMs;
  }
}

/** Of an error that crossed the border of a thread or process. What a refusal means decides how long a provider is left alone, so it keeps its class. */
export function fromReaderError(error: ErrorMessage): ChainfoldError {
  if (error.code !== 'node-refused') return fromErrorMessage(error);
  const { node, meaning, waitMs, ...facts } = error.facts;
  const known = typeof meaning === 'string' && Object.hasOwn(HINTS, meaning) ? (meaning as RefusalMeaning) : 'refused';
  return new NodeRefused(typeof node === 'string' ? node : '', known, facts, typeof waitMs === 'number' ? waitMs : undefined);
}

export class MethodUnsupported extends ChainfoldError {
  constructor(label: string, method: string) {
    super('The node does not know this method', {
      code: 'method-unsupported',
      kind: 'unavailable',
      facts: { node: label, method },
      hint: 'Use a node with the eth namespace enabled.',
    });
  }
}

export class HistoryPruned extends ChainfoldError {
  constructor(label: string, facts: JsonObject) {
    super('The node has thrown away this part of the history', {
      code: 'history-pruned',
      kind: 'unavailable',
      facts: { node: label, ...facts },
      hint: 'Give a provider with full history for older blocks, or start at a later block.',
    });
  }
}

const HINTS: Readonly<Record<RefusalMeaning, string>> = {
  exhausted: 'The quota of this provider is used up until its reset; add a provider or a larger plan.',
  throttled: 'Asked too fast; it is asked again after the wait.',
  split: 'Asked for too much at once; it is asked again in smaller parts.',
  lagging: 'This replica is behind; it is asked again.',
  down: 'The provider has trouble of its own; it is asked again.',
  revoked: 'The key was refused: check the address or the key of this provider.',
  unsupported: 'The provider does not offer this method.',
  pruned: 'Give a provider with full history.',
  absent: 'The chain has no such block.',
  refused: 'The provider does not accept this request.',
};
