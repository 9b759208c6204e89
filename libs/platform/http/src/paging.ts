import { z } from 'zod';
import { cursorOf, cursorSchema } from './cursor.ts';

export const MAX_LIMIT = 500;
export const DEFAULT_LIMIT = 50;

/** Whole decimal numbers only: no sign, no space, no 1e3, no 0x. */
export function wholeNumber(min: number, max: number) {
  const message = `Takes a whole number from ${min} to ${max}`;
  return z
    .string({ error: message })
    .regex(/^(0|[1-9][0-9]{0,15})$/, message)
    .transform(Number)
    .refine((number) => number >= min && number <= max, message)
    .meta({ type: 'integer', minimum: min, maximum: max });
}

export const limit = wholeNumber(1, MAX_LIMIT).default(DEFAULT_LIMIT).describe(`Items of a page, 1 to ${MAX_LIMIT}; ${DEFAULT_LIMIT} when left out.`);

export function order(byDefault: 'asc' | 'desc') {
  return z.enum(['asc', 'desc'], 'Takes asc or desc').default(byDefault).describe('asc: oldest first. desc: newest first.');
}

export const flag = z.enum(['true', 'false'], 'Takes true or false').default('false').transform((text) => text === 'true');

/** Of a position of the log: opaque, but never long. */
export const positionText = z.string().regex(/^[a-z0-9:._-]{1,100}$/i, 'That is not a position: use one that this service answered');

export const atLeast = positionText
  .optional()
  .describe('Answer only once it stands for this log position, as a command answered it. Waits up to 2 s, then 503 `position-not-reached`.');

/** The query of every list: limit, after, order, atLeast. */
export function pageQuery<Keys extends z.ZodType>(list: string, keys: Keys, byDefault: 'asc' | 'desc') {
  return z.strictObject({ limit, after: cursorSchema(list, keys).optional(), order: order(byDefault), atLeast });
}

/** `{items, next, asOf}` */
export function pageAnswer<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    items: z.array(item),
    next: z.string().nullable().describe('Cursor of the next page; null on the last one.'),
    asOf: z.string().describe('Log position that the answer was read at.'),
  });
}

/** A page with its cursor made opaque. */
export function sealed<Page extends { readonly next: readonly (string | number)[] | null }>(list: string, page: Page): Omit<Page, 'next'> & { next: string | null } {
  return { ...page, next: cursorOf(list, page.next) };
}
