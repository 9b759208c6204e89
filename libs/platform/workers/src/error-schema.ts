import type { ErrorMessage, JsonObject } from '#platform/kernel';
import { z } from 'zod';

const MOST_FACTS_CHARS = 8_000;

/** An error as it may come from another process. */
export const errorMessage: z.ZodType<ErrorMessage> = z.object({
  message: z.string().max(1_000),
  code: z.string().regex(/^[a-z][a-z0-9-]{0,60}$/),
  kind: z.enum(['invalid', 'conflict', 'missing', 'forbidden', 'throttled', 'unavailable', 'bug']),
  retryable: z.boolean(),
  facts: z.record(z.string().max(100), z.json()).refine((facts) => JSON.stringify(facts).length <= MOST_FACTS_CHARS) as unknown as z.ZodType<JsonObject>,
  hint: z.string().max(1_000).exactOptional(),
});
