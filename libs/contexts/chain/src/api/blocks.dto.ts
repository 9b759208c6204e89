import { z } from 'zod';
import { atLeast, flag, pageAnswer, pageQuery } from '#platform/http';
import { asOf, blockNumber, blockPath, chainIdPath, data, extra, finality, hash, kinds, quantity, time } from './fields.dto.ts';

export const blockParams = z.object({ chainId: chainIdPath, block: blockPath });
export type BlockParams = z.output<typeof blockParams>;

export const blocksQuery = pageQuery('blocks', z.tuple([z.int(), z.string().regex(/^0x[0-9a-f]{64}$/)]), 'desc').extend({
  orphaned: flag.describe('List orphaned blocks too.'),
});
export type BlocksQuery = z.output<typeof blocksQuery>;

export const blockQuery = z.strictObject({ atLeast });

const part = z.enum(['verified', 'unverifiable']);
const withdrawal = z.looseObject({ index: z.int(), validatorIndex: z.int(), address: data, amount: quantity.describe('In Gwei.') });

const block = z
  .strictObject({
    number: blockNumber,
    hash,
    parentHash: hash,
    timestamp: time.optional(),
    sha3Uncles: data.optional(),
    miner: data.optional(),
    stateRoot: data.optional(),
    transactionsRoot: data.optional(),
    receiptsRoot: data.optional(),
    logsBloom: data.optional(),
    gasLimit: quantity.optional(),
    gasUsed: quantity.optional(),
    extraData: data.optional(),
    mixHash: data.optional(),
    nonce: data.optional(),
    size: z.int().optional().describe('Bytes.'),
    uncles: z.array(z.unknown()).optional().describe('Hashes.'),
    difficulty: quantity.optional(),
    totalDifficulty: quantity.optional(),
    baseFeePerGas: quantity.optional(),
    withdrawalsRoot: data.optional(),
    withdrawals: z.array(withdrawal).optional(),
    blobGasUsed: quantity.optional(),
    excessBlobGas: quantity.optional(),
    parentBeaconBlockRoot: data.optional(),
    requestsHash: data.optional(),
    transactionCount: z.int(),
    kinds,
    finality,
    verified: z.boolean().describe("Everything that this chain's rules allow was recomputed."),
    verification: z
      .strictObject({
        header: part.optional(),
        transactions: part.optional(),
        receipts: part.optional(),
        withdrawals: part.optional(),
        senders: part.optional(),
      })
      .describe('Per part; a part that the block does not have is left out.'),
    extra: extra.optional(),
  })
  .meta({ id: 'Block' });

export const blockList = pageAnswer(block);
export const blockAnswer = block.extend({ asOf });
