import { ChainfoldError } from '#platform/kernel';
import { redactUrlsIn } from './redact-url.ts';

const SECRET_KEY = /(?:secret|password|passphrase|authorization|cookie|api_?key|private_?key|access_?token|auth_?token)$/i;
const DEEPEST = 8;

/** Fields of a line as they may be shown: addresses masked, keys that name a secret hidden, errors with their facts. */
export function shownFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, shown(key, value, 0)]));
}

export function shownError(error: Error, depth = 0): Record<string, unknown> {
  const cause = error.cause;
  return {
    type: error.name,
    message: redactUrlsIn(error.message),
    ...(error instanceof ChainfoldError && { code: error.code, kind: error.kind, retryable: error.retryable, facts: shown('facts', error.facts, 0), hint: error.hint }),
    ...('code' in error && !(error instanceof ChainfoldError) && { code: error.code }),
    ...(cause instanceof Error && depth < DEEPEST && { cause: shownError(cause, depth + 1) }),
    ...(error.stack !== undefined && { stack: redactUrlsIn(error.stack) }),
  };
}

function shown(key: string, value: unknown, depth: number): unknown {
  if (value !== undefined && value !== null && SECRET_KEY.test(key)) return '[secret]';
  if (typeof value === 'string') return redactUrlsIn(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return shownError(value);
  if (value instanceof URL) return redactUrlsIn(value.href);
  if (depth >= DEEPEST) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => shown('', item, depth + 1));
  // What prints itself (a Secret, a Date) knows best.
  if ('toJSON' in value && typeof value.toJSON === 'function') return shown(key, (value.toJSON as () => unknown)(), depth + 1);
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, shown(name, child, depth + 1)]));
}
