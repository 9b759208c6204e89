import type { ProjectionBatch } from '#platform/projections';
import type { BlockBodyEvent } from '../domain/chain.events.ts';
import { bytesOf, isAddress } from './hex-bytes.ts';
import { packJson } from './packed-json.ts';
import { CHUNK, outcomeOf, packChunk, transactionLines } from './transaction-chunk.ts';

type Data<Type extends BlockBodyEvent['type']> = Extract<BlockBodyEvent, { type: Type }>['data'];

export const SENDER = 1;
export const RECEIVER = 2;
export const CREATED = 4;

/** A body is written whether or not its block is ever observed; only a block makes it visible. */
export async function storeTransaction(data: Data<'TxFetched'>, batch: ProjectionBatch): Promise<void> {
  const block = { chain: data.chainId, number: data.blockNumber, block: bytesOf(data.blockHash) };
  batch.put('inclusions', { ...block, hash: bytesOf(data.transaction.hash), tx: data.index });
  for (const [address, roles] of rolesOf(data)) batch.put('addresses', { ...block, address: bytesOf(address), tx: data.index, roles });
  const facts = {
    kind: data.kind,
    parts: data.continued ?? { input: 0, logs: 0 },
    receipt: data.receipt !== undefined,
    outcome: data.receipt === undefined ? {} : outcomeOf(data.receipt),
  };
  const last = data.index % CHUNK === CHUNK - 1;
  const lines = transactionLines(facts, data.transaction, data.receipt);
  if (last) await closeChunk(data, data.index, lines, batch);
  else batch.put('pending', { ...block, tx: data.index, body: lines });
}

/** The last chunk of a block is rarely full. */
export async function completeBody(data: Data<'BlockCompleted'>, batch: ProjectionBatch): Promise<void> {
  if (data.count % CHUNK !== 0) await closeChunk(data, data.count, undefined, batch);
}

export function storePart(data: Data<'TxInputContinued'> | Data<'TxLogsContinued'>, batch: ProjectionBatch): void {
  const sort = 'input' in data ? 'input' : 'logs';
  const { chainId: _chain, blockNumber: _number, blockHash: _hash, index: _index, part: _part, ...piece } = data;
  const body = packJson(piece);
  batch.put('parts', { chain: data.chainId, number: data.blockNumber, block: bytesOf(data.blockHash), tx: data.index, sort, part: data.part, body });
}

/** Events may come again after the chunk was written and its pending rows went: then it stands already, whole. */
async function closeChunk(
  at: { readonly chainId: string; readonly blockNumber: number; readonly blockHash: string },
  end: number,
  lastLines: string | undefined,
  batch: ProjectionBatch,
): Promise<void> {
  const block = { chain: at.chainId, number: at.blockNumber, block: bytesOf(at.blockHash) };
  const chunk = lastLines === undefined ? Math.floor((end - 1) / CHUNK) : Math.floor(end / CHUNK);
  const key = { ...block, chunk };
  const written = (await batch.get('chunks', key)) !== undefined;
  const transactions: string[] = [];
  for (let tx = chunk * CHUNK; tx < end; tx++) {
    const row = await batch.get('pending', { ...block, tx });
    if (row === undefined && written) continue;
    if (row === undefined) throw new Error(`transaction ${tx} of block ${at.blockHash} is missing before ${end}`);
    transactions.push(row.body as string);
    batch.delete('pending', { ...block, tx });
  }
  if (written) return;
  if (lastLines !== undefined) transactions.push(lastLines);
  batch.put('chunks', { ...key, body: packChunk(transactions) });
}

/** One row per transaction and address, whatever it was in it. */
function rolesOf(data: Data<'TxFetched'>): Map<string, number> {
  const roles = new Map<string, number>();
  const add = (address: unknown, role: number): void => {
    if (isAddress(address)) roles.set(address, (roles.get(address) ?? 0) | role);
  };
  add(data.transaction.from, SENDER);
  add(data.transaction.to, RECEIVER);
  add(data.receipt?.contractAddress, CREATED);
  return roles;
}
