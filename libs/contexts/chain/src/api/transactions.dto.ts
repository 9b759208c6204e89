import { z } from 'zod';
import { atLeast, flag, pageAnswer, pageQuery } from '#platform/http';
import { addressPath, asOf, blockNumber, blockPoint, chainIdPath, data, extra, finality, hash, hashPath, kind, quantity, time } from './fields.dto.ts';

export const transactionParams = z.object({ chainId: chainIdPath, hash: hashPath });
export type TransactionParams = z.output<typeof transactionParams>;
export const addressParams = z.object({ chainId: chainIdPath, address: addressPath });
export type AddressParams = z.output<typeof addressParams>;

const cursorHash = z.string().regex(/^0x[0-9a-f]{64}$/);
export const transactionQuery = z.strictObject({ atLeast });
export const blockTransactionsQuery = pageQuery('block-transactions', z.tuple([cursorHash, z.int().min(0)]), 'asc');
export type BlockTransactionsQuery = z.output<typeof blockTransactionsQuery>;
export const addressTransactionsQuery = pageQuery('address-transactions', z.tuple([z.int(), z.int(), cursorHash]), 'desc').extend({
  orphaned: flag.describe('List transactions of orphaned blocks too.'),
});
export type AddressTransactionsQuery = z.output<typeof addressTransactionsQuery>;

const status = z.enum(['success', 'reverted']).nullable().describe('null before Byzantium.');

const summary = z.strictObject({
  hash,
  blockNumber,
  blockHash: hash,
  index: z.int(),
  kind,
  finality,
  type: z.int().optional(),
  from: data.optional(),
  to: data.nullable().optional().describe('null for a deploy.'),
  contractAddress: data.nullable().optional().describe('Of the created contract.'),
  value: quantity.optional().describe('In wei.'),
  input: data.optional(),
  nonce: quantity.optional(),
  gas: quantity.optional(),
  gasUsed: quantity.optional(),
  status: status.optional(),
  receipt: z.literal('not-captured').optional(),
});

export const blockTransactionList = pageAnswer(summary.meta({ id: 'TransactionSummary' }))
  .extend({ block: blockPoint.extend({ finality }) })
  .describe('Each page names its block: the pages that `next` leads to stay with it, also when the head moves on or a reorg drops it.');

export const addressTransactionList = pageAnswer(
  summary.extend({ roles: z.array(z.enum(['sender', 'receiver', 'created'])), timestamp: time.optional() }).meta({ id: 'AddressTransaction' }),
);

const log = z.looseObject({
  address: data.optional(),
  topics: z.array(z.unknown()).optional(),
  data: data.optional(),
  blockNumber: blockNumber.optional(),
  blockHash: hash.optional(),
  blockTimestamp: time.optional(),
  transactionHash: hash.optional(),
  transactionIndex: z.int().optional(),
  logIndex: z.int().optional(),
  removed: z.boolean().optional(),
  extra: extra.optional(),
});

const authorization = z.looseObject({
  chainId: quantity.optional(),
  address: data.optional(),
  nonce: quantity.optional(),
  yParity: quantity.optional(),
  r: quantity.optional(),
  s: quantity.optional(),
});

const inclusion = z.strictObject({ blockNumber, blockHash: hash, transactionIndex: z.int(), finality });

export const transactionAnswer = z
  .strictObject({
    hash,
    kind,
    blockNumber,
    blockHash: hash,
    blockTimestamp: time.optional(),
    transactionIndex: z.int(),
    finality,
    inclusions: z.array(inclusion).optional().describe('Where it stood, when in more than one block; the one shown comes first.'),
    type: z.int().optional(),
    chainId: quantity.optional(),
    nonce: quantity.optional(),
    from: data.optional(),
    to: data.nullable().optional().describe('null for a deploy.'),
    value: quantity.optional(),
    input: data.optional(),
    gas: quantity.optional(),
    gasPrice: quantity.optional(),
    maxFeePerGas: quantity.optional(),
    maxPriorityFeePerGas: quantity.optional(),
    maxFeePerBlobGas: quantity.optional(),
    blobVersionedHashes: z.array(z.unknown()).optional(),
    accessList: z.array(z.unknown()).optional(),
    authorizationList: z.array(authorization).optional(),
    v: quantity.optional(),
    yParity: quantity.optional(),
    r: quantity.optional(),
    s: quantity.optional(),
    receipt: z.enum(['captured', 'not-captured']).describe('not-captured: this chain is captured without receipts; their fields are left out.'),
    status: status.optional(),
    root: data.optional().describe('Before Byzantium.'),
    gasUsed: quantity.optional(),
    cumulativeGasUsed: quantity.optional(),
    effectiveGasPrice: quantity.optional(),
    contractAddress: data.nullable().optional(),
    logs: z.array(log).optional(),
    logsBloom: data.optional(),
    blobGasUsed: quantity.optional(),
    blobGasPrice: quantity.optional(),
    extra: extra.optional(),
    asOf,
  })
  .meta({ id: 'Transaction' });
