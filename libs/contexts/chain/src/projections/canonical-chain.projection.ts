import type { RecordedEvent } from '#platform/kernel';
import type { ProjectionBatch } from '#platform/projections';
import type { Row } from '#platform/read-store';
import type { ChainEvent, ObservedBlock } from '../domain/chain.events.ts';
import type { BlockRef } from '../domain/rpc-types.ts';
import { shortVerification, storedHeader } from './block-form.ts';
import type { ChainRow } from './chain-row.ts';
import { bytesOf } from './hex-bytes.ts';

type Reorganized = Extract<ChainEvent, { type: 'ChainReorganized' }>['data'];

const COUNTED = ['transactions', 'transfers', 'calls', 'deploys'] as const;

/** Known by hash from now on, whether or not it is canonical. The same block may come again (A, B, A). */
export async function rememberBlock(block: ObservedBlock, chain: ChainRow, batch: ProjectionBatch): Promise<void> {
  const key = { chain: block.chainId, number: block.number, hash: bytesOf(block.hash) };
  if ((await batch.get('blocks', key)) !== undefined) return;
  batch.put('blocks', {
    ...key,
    timestamp: block.header.timestamp,
    transactions: block.transactionCount,
    transfers: block.kinds.transfer,
    calls: block.kinds.call,
    deploys: block.kinds.deploy,
    receipts: block.receipts ? 1 : 0,
    verification: shortVerification(block.verification),
    header: storedHeader(block),
  });
  chain.add('seen_blocks', 1);
  chain.add('seen_transactions', block.transactionCount);
}

/** The pointer of its height goes to this block. Counts follow the pointer, so they are right however often it is told. */
export async function makeCanonical(chainId: string, block: BlockRef, chain: ChainRow, batch: ProjectionBatch): Promise<void> {
  const key = { chain: chainId, number: block.number };
  const before = (await batch.get('canonical', key))?.hash as Uint8Array | undefined;
  const hash = bytesOf(block.hash);
  if (before !== undefined && Buffer.compare(before, hash) === 0) return;
  if (before !== undefined) await count(chainId, block.number, before, -1, chain, batch);
  batch.put('canonical', { ...key, hash });
  await count(chainId, block.number, hash, 1, chain, batch);
}

export async function reorganize(event: RecordedEvent, data: Reorganized, chain: ChainRow, batch: ProjectionBatch): Promise<void> {
  const { chainId, ancestor, dropped, adopted } = data;
  for (const block of dropped) await dropCanonical(chainId, block, chain, batch);
  for (const block of adopted) await makeCanonical(chainId, block, chain, batch);
  await moveHead(chainId, adopted.at(-1) ?? ancestor, chain, batch);
  if (chain.knows('safe_number') && chain.number('safe_number') > ancestor.number) {
    chain.set({ safe_number: ancestor.number, safe_hash: bytesOf(ancestor.hash) });
  }
  const key = { chain: chainId, revision: event.revision };
  if ((await batch.get('reorgs', key)) === undefined) chain.add('reorgs', 1);
  batch.put('reorgs', {
    ...key,
    ancestor_number: ancestor.number,
    ancestor_hash: bytesOf(ancestor.hash),
    dropped: JSON.stringify(dropped),
    adopted: JSON.stringify(adopted),
    at: event.recordedAt,
  });
}

export async function moveHead(chainId: string, head: BlockRef, chain: ChainRow, batch: ProjectionBatch): Promise<void> {
  const row = await blockRow(chainId, head.number, bytesOf(head.hash), batch);
  chain.set({ head_number: head.number, head_hash: bytesOf(head.hash), head_timestamp: row?.timestamp ?? null });
}

async function dropCanonical(chainId: string, block: BlockRef, chain: ChainRow, batch: ProjectionBatch): Promise<void> {
  const key = { chain: chainId, number: block.number };
  const before = (await batch.get('canonical', key))?.hash as Uint8Array | undefined;
  if (before === undefined || Buffer.compare(before, bytesOf(block.hash)) !== 0) return;
  await count(chainId, block.number, before, -1, chain, batch);
  batch.delete('canonical', key);
}

async function count(chainId: string, number: number, hash: Uint8Array, sign: 1 | -1, chain: ChainRow, batch: ProjectionBatch): Promise<void> {
  const row = await blockRow(chainId, number, hash, batch);
  if (row === undefined) throw new Error(`block ${number} of chain ${chainId} became canonical without having been observed`);
  chain.add('blocks', sign);
  for (const column of COUNTED) chain.add(column, sign * Number(row[column]));
}

function blockRow(chain: string, number: number, hash: Uint8Array, batch: ProjectionBatch): Row | undefined | Promise<Row | undefined> {
  return batch.get('blocks', { chain, number, hash });
}
