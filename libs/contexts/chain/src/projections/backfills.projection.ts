import type { RecordedEvent } from '#platform/kernel';
import type { ProjectionBatch } from '#platform/projections';
import type { Row } from '#platform/read-store';

type Requested = { readonly chainId: string; readonly from: number; readonly to: number };

export async function noteBackfill(range: Requested, change: Row, batch: ProjectionBatch): Promise<void> {
  const key = { chain: range.chainId, from_block: range.from, to_block: range.to };
  const unknown = { done: 0, requested_at: null, started_at: null, last_block_at: null, finished_at: null, cancelled_at: null, cancel_reason: null };
  batch.put('backfills', { ...unknown, ...(await batch.get('backfills', key)), ...change, ...key });
}

/** A backfill is gap-free and rising, so the number of its last block says how much is done. */
export async function noteBackfilled(event: RecordedEvent, number: number, batch: ProjectionBatch): Promise<void> {
  const range = rangeOf(event.stream);
  await noteBackfill(range, { done: number - range.from + 1, last_block_at: event.recordedAt }, batch);
}

export function isBackfill(stream: string): boolean {
  return stream.startsWith('backfill-');
}

/** `backfill-{chainId}.{from}.{to}` */
function rangeOf(stream: string): Requested {
  const [chainId, from, to] = stream.slice('backfill-'.length).split('.');
  return { chainId: chainId ?? '', from: Number(from), to: Number(to) };
}
