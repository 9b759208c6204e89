import { z } from 'zod';

const MAX_LENGTH = 512;
const CURSOR = /^[A-Za-z0-9_-]+$/;

/** A place in a list, opaque to clients. `list` is in it, so a cursor of one list is refused by another. */
export function cursorOf(list: string, keys: readonly (string | number)[] | null): string | null {
  return keys === null ? null : Buffer.from(JSON.stringify([list, ...keys])).toString('base64url');
}

/** Reads a cursor back, and refuses everything that `cursorOf` did not make. */
export function cursorSchema<Keys extends z.ZodType>(list: string, keys: Keys) {
  return z
    .string()
    .max(MAX_LENGTH, `A cursor is at most ${MAX_LENGTH} characters: pass back \`next\` of a page as it is`)
    .transform((text, context): z.output<Keys> => {
      const [name, ...values] = decoded(text);
      const read = keys.safeParse(values);
      if (name === list && read.success) return read.data;
      context.addIssue({ code: 'custom', message: 'That is not a cursor of this list: pass back `next` of a page as it is' });
      return z.NEVER;
    })
    .describe('`next` of the page before.');
}

function decoded(text: string): readonly unknown[] {
  if (!CURSOR.test(text)) return [];
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return Array.isArray(value) ? (value as unknown[]) : [];
  } catch {
    return [];
  }
}
