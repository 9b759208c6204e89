import { z } from 'zod';
import { atLeast, flag, pageAnswer, pageQuery } from '#platform/http';
import { asOf, blockPoint, blockRef, chainIdPath, hash, kinds } from './fields.dto.ts';

export const chainPath = z.object({ chainId: chainIdPath });
export type ChainPath = z.output<typeof chainPath>;

export const chainsQuery = z.strictObject({ atLeast });
export const chainQuery = z.strictObject({ orphaned: flag.describe('Count orphaned blocks and transactions too.'), atLeast });
export type ChainQuery = z.output<typeof chainQuery>;

const chain = z
  .strictObject({
    chainId: z.string(),
    name: z.string(),
    status: z
      .enum(['backfilling', 'following', 'stalled', 'stopped'])
      .describe('stopped: by decision, goes on with POST …/resume. stalled: no progress although it should; `reason` says why.'),
    reason: z.string().nullable().describe('One sentence for an operator; null while all is well.'),
    nodeHead: z.int().nullable().describe('Highest block that a node told of; null before its first answer.'),
    genesisHash: hash.optional(),
    startBlock: z.int().optional().describe('First block that was followed; older ones come as backfills.'),
    startedAt: z.string().optional(),
    head: blockPoint.nullable(),
    safe: blockPoint.nullable(),
    finalized: blockPoint.nullable(),
    headAgeSeconds: z.int().nullable().describe('Since the time of the head block; null before there is any.'),
    plan: z
      .strictObject({ name: z.string(), blocks: z.string(), receipts: z.string().nullable(), heads: z.string().nullable(), note: z.string().optional() })
      .optional()
      .describe('How blocks are fetched on the keys of providers; left out where plain nodes are asked.'),
    blocks: z.int().describe('Canonical blocks that are captured.'),
    transactions: z.int().describe('In canonical blocks.'),
    kinds,
    reorgs: z.int(),
    orphaned: z.strictObject({ blocks: z.int(), transactions: z.int() }).optional(),
    stop: z.strictObject({ code: z.string(), reason: z.string(), at: z.string() }).nullable(),
    revision: z.int().describe('Of the stream of the chain; If-Match takes it.'),
  })
  .meta({ id: 'Chain' });

export const chainList = z.strictObject({ items: z.array(chain), next: z.null(), asOf });
export const chainAnswer = chain.extend({ asOf });

/** They change as time goes on, with nothing having happened. */
export const VOLATILE = ['headAgeSeconds'];

export const reorgsQuery = pageQuery('reorgs', z.tuple([z.int()]), 'desc');
export type ReorgsQuery = z.output<typeof reorgsQuery>;
export const stopsQuery = pageQuery('stops', z.tuple([z.int()]), 'desc');

export const reorgList = pageAnswer(
  z
    .strictObject({
      revision: z.int(),
      ancestor: blockRef,
      depth: z.int().describe('Blocks that were dropped.'),
      dropped: z.array(blockRef),
      adopted: z.array(blockRef).describe('Empty for a rollback.'),
      at: z.string(),
    })
    .meta({ id: 'Reorg' }),
);

export const stopList = pageAnswer(
  z
    .strictObject({
      code: z.string(),
      reason: z.string(),
      at: z.string(),
      resumedAt: z.string().nullable(),
      resumeReason: z.string().nullable(),
    })
    .meta({ id: 'Stop' }),
);

export const resumeBody = z.strictObject({
  reason: z.string('Takes a sentence').trim().min(1, 'Takes a sentence: why may the chain go on?').max(500, 'Takes at most 500 characters'),
});
export type ResumeBody = z.output<typeof resumeBody>;

export const commandAnswer = z
  .strictObject({
    revision: z.int().describe('Of the stream after the command.'),
    position: z.string().describe('Log position; pass it as `?atLeast=` to read your own write.'),
    repeated: z.boolean().describe('The command had been carried out before, under the same Idempotency-Key.'),
  })
  .meta({ id: 'CommandAnswer' });
