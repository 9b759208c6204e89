import { z } from 'zod';
import { atLeast, pageAnswer, pageQuery } from '#platform/http';
import { asOf, chainIdPath } from './fields.dto.ts';

const RANGE = /^(0|[1-9][0-9]{0,15})-(0|[1-9][0-9]{0,15})$/;
const number = z.int('Takes a block number').min(0, 'No block is below 0');

export const backfillParams = z.object({
  chainId: chainIdPath,
  backfill: z
    .string()
    .regex(RANGE, 'Takes from-to, like 100-200')
    .transform((text) => {
      const [from, to] = text.split('-').map(Number);
      return { from: from ?? 0, to: to ?? 0 };
    })
    .refine(({ from, to }) => Number.isSafeInteger(from) && Number.isSafeInteger(to) && from <= to, 'Takes from-to with from not above to')
    .describe('from-to'),
});
export type BackfillParams = z.output<typeof backfillParams>;

export const backfillsQuery = pageQuery('backfills', z.tuple([z.int(), z.int()]), 'desc');
export type BackfillsQuery = z.output<typeof backfillsQuery>;
export const backfillQuery = z.strictObject({ atLeast });

export const backfillBody = z
  .strictObject({ from: number.describe('First block.'), to: number.describe('Last block, included.') })
  .refine(({ from, to }) => from <= to, { path: ['from'], error: 'Takes a block that is not above `to`' });
export type BackfillBody = z.output<typeof backfillBody>;

export const cancelBody = z.strictObject({
  reason: z.string('Takes a sentence').trim().min(1, 'Takes a sentence: why is the range not wanted any more?').max(500, 'Takes at most 500 characters'),
});
export type CancelBody = z.output<typeof cancelBody>;

const backfill = z
  .strictObject({
    id: z.string().describe('from-to'),
    from: z.int(),
    to: z.int(),
    state: z.enum(['requested', 'running', 'finished', 'cancelled']),
    done: z.int().describe('Blocks that are captured.'),
    total: z.int(),
    percent: z.int(),
    blocksPerSecond: z.number().nullable().describe('Over the whole run so far; null before the first block.'),
    etaSeconds: z.int().nullable(),
    requestedAt: z.string().nullable(),
    startedAt: z.string().nullable(),
    lastBlockAt: z.string().nullable(),
    finishedAt: z.string().nullable(),
    cancelledAt: z.string().nullable(),
    cancelReason: z.string().nullable(),
  })
  .meta({ id: 'Backfill' });

export const backfillList = pageAnswer(backfill);
export const backfillAnswer = backfill.extend({ asOf });

export const backfillRequested = z
  .strictObject({
    id: z.string(),
    from: z.int(),
    to: z.int(),
    revision: z.int(),
    position: z.string().describe('Log position; pass it as `?atLeast=` to the address in Location.'),
    repeated: z.boolean(),
  })
  .meta({ id: 'BackfillRequested' });
