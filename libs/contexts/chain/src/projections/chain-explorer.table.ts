import type { TableDefinition } from '#platform/read-store';

/**
 * Immutable by (chain, number, hash) is everything that a block is; which block is canonical says `canonical` alone.
 * A reorg moves pointers and the row of the chain, and rewrites nothing else. `verification` in short form, `header`
 * without the hash, which the row has: of the row of an empty block these two were some 120 of 550 bytes.
 */
const blocks: TableDefinition = {
  name: 'blocks',
  columns: {
    chain: 'text',
    number: 'integer',
    hash: 'blob',
    timestamp: 'text',
    transactions: 'integer',
    transfers: 'integer',
    calls: 'integer',
    deploys: 'integer',
    receipts: 'integer',
    verification: 'text',
    header: 'blob',
  },
  key: ['chain', 'number', 'hash'],
  indexes: [['chain', 'hash']],
};

const canonical: TableDefinition = {
  name: 'canonical',
  columns: { chain: 'text', number: 'integer', hash: 'blob' },
  key: ['chain', 'number'],
  clustered: true,
};

/** Where a transaction stood; more than one row when a reorg or two branches included it again. */
const inclusions: TableDefinition = {
  name: 'inclusions',
  columns: { chain: 'text', hash: 'blob', number: 'integer', block: 'blob', tx: 'integer' },
  key: ['chain', 'hash', 'number', 'block'],
  clustered: true,
};

/** Bodies of CHUNK transactions together: a frame of its own for each would cost twice the time and a third more room. */
const chunks: TableDefinition = {
  name: 'chunks',
  columns: { chain: 'text', number: 'integer', block: 'blob', chunk: 'integer', body: 'blob' },
  key: ['chain', 'number', 'block', 'chunk'],
};

/** Transactions of a chunk that is not full yet; empty wherever a block is complete. */
const pending: TableDefinition = {
  name: 'pending',
  columns: { chain: 'text', number: 'integer', block: 'blob', tx: 'integer', body: 'text' },
  key: ['chain', 'number', 'block', 'tx'],
};

/** What did not fit into one event of an oversize transaction. `sort`: input or logs. */
const parts: TableDefinition = {
  name: 'parts',
  columns: { chain: 'text', number: 'integer', block: 'blob', tx: 'integer', sort: 'text', part: 'integer', body: 'blob' },
  key: ['chain', 'number', 'block', 'tx', 'sort', 'part'],
};

/** `roles`: sum of 1 sender, 2 receiver, 4 created contract. */
const addresses: TableDefinition = {
  name: 'addresses',
  columns: { chain: 'text', address: 'blob', number: 'integer', tx: 'integer', block: 'blob', roles: 'integer' },
  key: ['chain', 'address', 'number', 'tx', 'block'],
  clustered: true,
};

/** Counts are absolute: of canonical blocks, and beside them of all blocks ever seen. */
const chains: TableDefinition = {
  name: 'chains',
  columns: {
    chain: 'text',
    genesis: 'blob',
    start_block: 'integer',
    started_at: 'text',
    head_number: 'integer',
    head_hash: 'blob',
    head_timestamp: 'text',
    safe_number: 'integer',
    safe_hash: 'blob',
    finalized_number: 'integer',
    finalized_hash: 'blob',
    blocks: 'integer',
    transactions: 'integer',
    transfers: 'integer',
    calls: 'integer',
    deploys: 'integer',
    seen_blocks: 'integer',
    seen_transactions: 'integer',
    reorgs: 'integer',
    stop_revision: 'integer',
    revision: 'integer',
  },
  key: ['chain'],
};

const reorgs: TableDefinition = {
  name: 'reorgs',
  columns: {
    chain: 'text',
    revision: 'integer',
    ancestor_number: 'integer',
    ancestor_hash: 'blob',
    dropped: 'text',
    adopted: 'text',
    at: 'text',
  },
  key: ['chain', 'revision'],
};

const backfills: TableDefinition = {
  name: 'backfills',
  columns: {
    chain: 'text',
    from_block: 'integer',
    to_block: 'integer',
    done: 'integer',
    requested_at: 'text',
    started_at: 'text',
    last_block_at: 'text',
    finished_at: 'text',
    cancelled_at: 'text',
    cancel_reason: 'text',
  },
  key: ['chain', 'from_block', 'to_block'],
};

const stops: TableDefinition = {
  name: 'stops',
  columns: { chain: 'text', revision: 'integer', code: 'text', reason: 'text', at: 'text', resumed_at: 'text', resume_reason: 'text' },
  key: ['chain', 'revision'],
};

export const chainExplorerTables: readonly TableDefinition[] = [
  blocks, canonical, inclusions, chunks, pending, parts, addresses, chains, reorgs, backfills, stops,
];
