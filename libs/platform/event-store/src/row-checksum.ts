import { crc32 } from 'node:zlib';
import type { AppendPayload } from './append-payload.ts';

/** What a read takes from a row of the log. */
export type SummedRow = AppendPayload & {
  readonly first: number;
  /** Its name. */
  readonly stream: string;
  readonly revision: number;
  readonly count: number;
};

/** CRC-32 over all of a row: outside its WAL, SQLite has none for its pages and gives changed bytes as they are. */
export function sumOfRow({ first, stream, revision, count, raw, payload }: SummedRow): number {
  return crc32(payload, crc32(`${first} ${stream} ${revision} ${count} ${raw}`));
}

/** Rows of format 1 have no sum. Throws `RowsDamaged`. */
export function checkRow(row: SummedRow & { readonly sum: number | null }): void {
  if (row.sum !== null && row.sum !== sumOfRow(row)) throw new RowsDamaged(`the events from position ${row.first} on are not what was written`);
}

const SQLITE_CORRUPT = 11;

/** Told like the damage that SQLite notices by itself, as `data-damaged`. */
export class RowsDamaged extends Error {
  readonly errcode = SQLITE_CORRUPT;
}
