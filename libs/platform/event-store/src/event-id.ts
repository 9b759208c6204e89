import { hash } from 'node:crypto';
import type { StreamName } from '#platform/kernel';

/** Namespace of our event ids (RFC 9562, 5.5). Never changes: the same fact at the same place keeps its id for ever. */
const NAMESPACE = Buffer.from('3f1c5a0e8d6b5b8e9a4c7d2e61b0f9a3', 'hex');

/** Names are written behind the namespace in here; longer ones than fit are rare. */
const room = Buffer.alloc(1_024);
NAMESPACE.copy(room);
const LONGEST_CHARACTER = 4;

/** UUIDv5 of (stream, revision, type, natural key). */
export function eventId(stream: StreamName, revision: number, type: string, naturalKey: string): string {
  // No part but the last can hold a line break, so different facts never make the same name.
  const name = `${stream}\n${revision}\n${type}\n${naturalKey}`;
  const length = NAMESPACE.length + room.write(name, NAMESPACE.length);
  const whole = length < room.length - LONGEST_CHARACTER ? room.subarray(0, length) : Buffer.concat([NAMESPACE, Buffer.from(name)]);
  const hex = hash('sha1', whole, 'hex');
  // The version and the variant, which take the place of some bits.
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
