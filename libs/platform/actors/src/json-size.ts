/**
 * Bytes of a value as JSON, without making the text: bodies of blocks are megabytes. Exact for what events hold, but
 * for control characters other than line breaks.
 */
export function jsonBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return textBytes(value);
    case 'number':
      return String(value).length;
    case 'bigint':
      return String(value).length + 2;
    case 'boolean':
      return value ? 4 : 5;
    case 'object':
      return value === null ? 4 : objectBytes(value);
    default:
      return 0;
  }
}

function objectBytes(value: object): number {
  if (Array.isArray(value)) return (value as readonly unknown[]).reduce<number>((bytes, item) => bytes + jsonBytes(item) + 1, 2);
  if (ArrayBuffer.isView(value)) return value.byteLength;
  let bytes = 2;
  for (const key in value) {
    const child = (value as Record<string, unknown>)[key];
    if (child !== undefined) bytes += textBytes(key) + 2 + jsonBytes(child);
  }
  return bytes;
}

function textBytes(text: string): number {
  if (text.includes('"') || text.includes('\\') || text.includes('\n')) return Buffer.byteLength(JSON.stringify(text));
  return Buffer.byteLength(text) + 2;
}
