import { z } from 'zod';
import { cursorSchema, limit, pageAnswer, positionText } from '#platform/http';

const MAX_NAMES = 100;

function names(what: string, rule: RegExp) {
  const message = `Takes ${what}, separated by commas`;
  return z
    .string({ error: message })
    .max(4_000, message)
    .transform((text) => text.split(',').map((name) => name.trim()).filter((name) => name !== ''))
    .refine((found) => found.length > 0 && found.length <= MAX_NAMES && found.every((name) => rule.test(name)), message)
    .optional();
}

const types = names('types of events, like BlockObserved', /^[A-Za-z][A-Za-z0-9]{0,99}$/).describe('Only events of these types, separated by commas.');
const categories = names('first parts of stream names, like chain', /^[a-z][a-z0-9]{0,99}$/).describe('Only events of streams of these categories (what stands before the first hyphen), separated by commas.');
const filter = { types, categories, streams: categories.describe('The same as `categories`.') };

export const eventsQuery = z.strictObject({ limit, after: positionText.optional().describe('Position of the last event seen; `start` or left out for the first page.'), ...filter });
export type EventsQuery = z.output<typeof eventsQuery>;

export const liveQuery = z.strictObject({
  after: positionText.optional().describe('Position of the last event seen, or `start`; left out: from now on. The header Last-Event-ID wins.'),
  ...filter,
});
export type LiveQuery = z.output<typeof liveQuery>;

export const streamPath = z.object({ stream: z.string().describe('category-id, like chain-1') });
export const streamQuery = z.strictObject({ limit, after: cursorSchema('stream', z.tuple([z.int().min(0)])).optional() });
export type StreamQuery = z.output<typeof streamQuery>;

export const streamsQuery = z.strictObject({
  limit,
  after: cursorSchema('streams', z.tuple([z.string()])).optional(),
  category: z.string().regex(/^[a-z][a-z0-9]*$/, 'Takes the first part of a stream name, like chain').optional().describe('Only streams of this category.'),
});
export type StreamsQuery = z.output<typeof streamsQuery>;

export const event = z
  .object({
    id: z.string(),
    type: z.string(),
    schemaVersion: z.int(),
    stream: z.string(),
    revision: z.int(),
    position: z.string(),
    occurredAt: z.string(),
    recordedAt: z.string(),
    correlationId: z.string(),
    causationId: z.string(),
    commandId: z.string().optional(),
    trace: z.string().optional(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' });

export const eventList = pageAnswer(event);
export const streamList = pageAnswer(z.strictObject({ stream: z.string(), lastRevision: z.int() }).meta({ id: 'Stream' }));
