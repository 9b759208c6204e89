import { ChainfoldError } from './errors.ts';
import type { JsonObject } from './json.ts';

/** What of an error crosses the border of a thread or process: everything but its class, its cause and its stack. */
export interface ErrorMessage {
  readonly message: string;
  readonly code: string;
  readonly kind: ChainfoldError['kind'];
  readonly retryable: boolean;
  readonly facts: JsonObject;
  readonly hint?: string;
}

/** Of anything thrown; what was not thrown on purpose is a `bug` with the code `unexpected`. */
export function toErrorMessage(error: unknown): ErrorMessage {
  if (error instanceof ChainfoldError) {
    const { message, code, kind, retryable, facts, hint } = error;
    return { message, code, kind, retryable, facts, ...(hint === undefined ? {} : { hint }) };
  }
  return { message: messageOf(error), code: 'unexpected', kind: 'bug', retryable: false, facts: {} };
}

export function fromErrorMessage({ message, ...details }: ErrorMessage): ChainfoldError {
  return new ChainfoldError(message, details);
}

/** A sentence about anything thrown, also across realms, where `instanceof Error` says no. */
export function messageOf(error: unknown): string {
  const message: unknown = typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined;
  return typeof message === 'string' ? message : String(error);
}
