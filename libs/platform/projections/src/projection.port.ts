import type { RecordedEvent } from '#platform/kernel';
import type { Row, TableDefinition } from '#platform/read-store';

/** Where `apply` writes. Reads see what the same batch wrote before. */
export interface ProjectionBatch {
  put(table: string, row: Row): void;
  /** `key`: the key columns of the row. */
  delete(table: string, key: Row): void;
  get(table: string, key: Row): Row | undefined | Promise<Row | undefined>;
}

/**
 * Facts in, rows out. Pure but for the batch: the same events give the same rows, whatever the batch size.
 * Everything else (subscription, checkpoint, retries, parking, lag, rebuild) is the runner's.
 */
export interface Projection {
  readonly name: string;
  /** Raised when the meaning of the rows changes: the runner then builds a new generation beside the live one. */
  readonly version: number;
  /** Empty: every type. */
  readonly types: readonly string[];
  /**
   * Categories of which `types` names every type, with few and long streams (the order of a chain): the runner
   * remembers the last revision of each such stream for ever and raises `gap-detected` where one is missing.
   */
  readonly gapless?: readonly string[];
  readonly tables: readonly TableDefinition[];
  /** Events of one key are applied in order; a poison event parks only its own key. */
  keyOf(event: RecordedEvent): string;
  apply(event: RecordedEvent, batch: ProjectionBatch): void | Promise<void>;
}
