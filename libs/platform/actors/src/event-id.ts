import { createHash } from 'node:crypto';
import type { StreamName } from '#platform/kernel';

/** Namespace of our event ids (RFC 9562, 5.5). Never changes: the same fact at the same place keeps its id for ever. */
const NAMESPACE = Buffer.from('3f1c5a0e8d6b5b8e9a4c7d2e61b0f9a3', 'hex');

/** UUIDv5 of (stream, revision, type, natural key). */
export function eventId(stream: StreamName, revision: number, type: string, naturalKey: string): string {
  // No part but the last can hold a line break, so different facts never make the same name.
  const name = `${stream}\n${revision}\n${type}\n${naturalKey}`;
  const bytes = createHash('sha1').update(NAMESPACE).update(name, 'utf8').digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
