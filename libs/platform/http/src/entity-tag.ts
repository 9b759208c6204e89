import { createHash } from 'node:crypto';

const TAG_LENGTH = 22;

export interface Versioned {
  /** The whole answer, ready to send. */
  readonly text: string;
  readonly etag: string;
}

/**
 * An answer with the version of what it shows. `asOf` moves with every event of the log and `volatile` fields with the
 * clock, so neither is part of it; but which log it is (the front half of a position) is, for a 304 keeps the old `asOf`
 * in the client's hands. A resource with a `revision` has it in front, so that If-Match may take the whole tag.
 */
export function versioned(body: object, volatile: readonly string[] = []): Versioned {
  const { asOf, ...shown } = body as { readonly asOf?: unknown; readonly revision?: unknown };
  const text = JSON.stringify(shown);
  const lasting = volatile.length === 0 ? text : JSON.stringify(shown, (key: string, value: unknown) => (volatile.includes(key) ? undefined : value));
  const hash = createHash('sha256').update(logOf(asOf)).update(lasting).digest('base64url').slice(0, TAG_LENGTH);
  const revision = Number.isSafeInteger(shown.revision) ? `${String(shown.revision)}.` : '';
  return { text: asOf === undefined ? text : `${text.slice(0, -1)}${text === '{}' ? '' : ','}"asOf":${JSON.stringify(asOf)}}`, etag: `"${revision}${hash}"` };
}

function logOf(asOf: unknown): string {
  return typeof asOf === 'string' ? asOf.slice(0, asOf.indexOf(':') + 1) : '';
}

/** RFC 9110, 13.1.2: the weak comparison. */
export function isSame(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
