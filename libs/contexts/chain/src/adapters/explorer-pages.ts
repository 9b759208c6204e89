import type { Position } from '#platform/kernel';
import type { ReadView, Row } from '#platform/read-store';
import type { BackfillAnswer, BackfillCursor, Page, PageRequest, ReorgAnswer, ReorgCursor, StopAnswer, StopCursor } from '../ports/chain-explorer.port.ts';
import { hexOf } from '../projections/hex-bytes.ts';

/** One row more than asked for says whether there is a next page. */
export function pageOf<Item, Cursor>(
  asOf: Position,
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  cursor: (row: Row) => Cursor,
): Page<Item, Cursor> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(item), next: rows.length > limit && last !== undefined ? cursor(last) : null, asOf };
}

/** Comparison and direction for a keyset: rows beyond the cursor. */
export function direction(order: 'asc' | 'desc'): { readonly beyond: '>' | '<'; readonly sql: 'ASC' | 'DESC' } {
  return order === 'asc' ? { beyond: '>', sql: 'ASC' } : { beyond: '<', sql: 'DESC' };
}

export function revisionRows(view: ReadView, table: 'reorgs' | 'stops', chainId: string, page: PageRequest<ReorgCursor>): Row[] {
  const { beyond, sql } = direction(page.order);
  const after = page.after?.[0] ?? (page.order === 'asc' ? -1 : Number.MAX_SAFE_INTEGER);
  return view.all(
    `SELECT * FROM ${view.table(table)} WHERE chain = ? AND revision ${beyond} ? ORDER BY revision ${sql} LIMIT ?`,
    chainId, after, page.limit + 1,
  );
}

export function backfillRows(view: ReadView, chainId: string, page: PageRequest<BackfillCursor>): Row[] {
  const { beyond, sql } = direction(page.order);
  const edge = page.order === 'asc' ? -1 : Number.MAX_SAFE_INTEGER;
  return view.all(
    `SELECT * FROM ${view.table('backfills')} WHERE chain = ? AND (from_block, to_block) ${beyond} (?, ?) ORDER BY from_block ${sql}, to_block ${sql} LIMIT ?`,
    chainId, page.after?.[0] ?? edge, page.after?.[1] ?? edge, page.limit + 1,
  );
}

export function reorgOf(row: Row): ReorgAnswer {
  const dropped = JSON.parse(String(row.dropped)) as ReorgAnswer['dropped'];
  return {
    revision: Number(row.revision),
    ancestor: { number: Number(row.ancestor_number), hash: hexOf(row.ancestor_hash) },
    depth: dropped.length,
    dropped,
    adopted: JSON.parse(String(row.adopted)) as ReorgAnswer['adopted'],
    at: String(row.at),
  };
}

export function stopOf(row: Row): StopAnswer {
  return {
    code: String(row.code),
    reason: String(row.reason),
    at: String(row.at),
    resumedAt: textOrNull(row.resumed_at),
    resumeReason: textOrNull(row.resume_reason),
  };
}

export const stopCursor = (row: Row): StopCursor => [Number(row.revision)];

/** The rate is over the whole run so far, as the log dates it: pauses count, and a replay gives the same. */
export function backfillOf(row: Row): BackfillAnswer {
  const [from, to, done] = [Number(row.from_block), Number(row.to_block), Number(row.done)];
  const total = to - from + 1;
  const finished = row.finished_at !== null;
  const cancelled = row.cancelled_at !== null;
  const rate = rateOf(textOrNull(row.started_at), textOrNull(row.last_block_at), done);
  return {
    id: `${from}-${to}`,
    from,
    to,
    state: cancelled ? 'cancelled' : finished ? 'finished' : row.started_at === null ? 'requested' : 'running',
    done,
    total,
    percent: Math.floor((done * 100) / total),
    blocksPerSecond: rate === null ? null : Math.round(rate * 10) / 10,
    etaSeconds: cancelled ? null : finished ? 0 : rate === null ? null : Math.ceil((total - done) / rate),
    requestedAt: textOrNull(row.requested_at),
    startedAt: textOrNull(row.started_at),
    lastBlockAt: textOrNull(row.last_block_at),
    finishedAt: textOrNull(row.finished_at),
    cancelledAt: textOrNull(row.cancelled_at),
    cancelReason: textOrNull(row.cancel_reason),
  };
}

/** Blocks per second; null before there is any. */
function rateOf(startedAt: string | null, lastBlockAt: string | null, done: number): number | null {
  if (startedAt === null || lastBlockAt === null || done === 0) return null;
  return (done * 1000) / Math.max(1, Date.parse(lastBlockAt) - Date.parse(startedAt));
}

function textOrNull(cell: Row[string] | undefined): string | null {
  return typeof cell === 'string' ? cell : null;
}
