import type { Clock, Position } from '#platform/kernel';

export type ColumnType = 'text' | 'integer' | 'blob';
/** An integer column may hold a bigint on writing; it is read as a number. Absent and null are the same. */
export type Cell = string | number | bigint | Uint8Array | null;
export type Row = { readonly [column: string]: Cell };

/** A table of one projection. Every row is written whole. */
export interface TableDefinition {
  readonly name: string;
  readonly columns: { readonly [column: string]: ColumnType };
  readonly key: readonly string[];
  readonly indexes?: readonly (readonly string[])[];
  /**
   * Rows lie in the order of the key itself instead of beside an index of it: half the room where the key is nearly the
   * whole row. Not for rows of more than some 500 bytes, nor with further indexes, each of which would carry the whole key.
   */
  readonly clustered?: boolean;
}

/** One moment of one projection: all reads through it see the same checkpoint. */
export interface ReadView {
  /** The log position that these rows stand for. */
  readonly asOf: Position;
  /** Physical name of one of the projection's tables in its live generation. */
  table(name: string): string;
  all(sql: string, ...params: Cell[]): Row[];
  get(sql: string, ...params: Cell[]): Row | undefined;
}

/** Reading half of the read models. Opened by whoever answers queries, in any thread, beside the one writer. */
export abstract class ReadStore {
  /**
   * One read transaction of the live generation. `fn` must not wait for anything: a long list is read page by page,
   * by key, in several calls. Throws `projection-not-ready` when no generation is live, `data-damaged`.
   */
  abstract read<T>(projection: string, fn: (view: ReadView) => T): T;

  /**
   * Resolves once the live generation stands at `position` or above. Throws `position-not-reached` after `timeoutMs`,
   * `foreign-position` when the position is of another log.
   */
  abstract waitFor(projection: string, position: Position, timeoutMs: number, clock: Clock): Promise<void>;

  abstract close(): void;
}
