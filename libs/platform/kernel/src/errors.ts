import type { JsonObject } from './json.ts';

/**
 * What sort of trouble it is. One file at the rim turns it into an HTTP status and a log level.
 * `bug` is the only kind whose message is not meant for the caller.
 */
export type ErrorKind = 'invalid' | 'conflict' | 'missing' | 'forbidden' | 'throttled' | 'unavailable' | 'bug';

export interface ErrorDetails {
  /** Stable slug that machines may match on: `revision-conflict`. */
  readonly code: string;
  readonly kind: ErrorKind;
  /** May the very same request succeed later without anybody doing anything? */
  readonly retryable?: boolean;
  /** What was seen, without secrets. */
  readonly facts?: JsonObject;
  /** The way out, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Root of every error that chainfold throws on purpose. */
export class ChainfoldError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly retryable: boolean;
  readonly facts: JsonObject;
  readonly hint: string | undefined;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = details.code;
    this.kind = details.kind;
    this.retryable = details.retryable ?? false;
    this.facts = details.facts ?? {};
    this.hint = details.hint;
  }
}
