import type { ProjectionBatch } from '#platform/projections';
import type { Cell, Row } from '#platform/read-store';

/** The one row of a chain, read once per event, changed, and written whole. */
export class ChainRow {
  readonly #cells: Record<string, Cell>;

  private constructor(cells: Record<string, Cell>) {
    this.#cells = cells;
  }

  static async of(chain: string, batch: ProjectionBatch): Promise<ChainRow> {
    const row = await batch.get('chains', { chain });
    return new ChainRow(row === undefined ? emptyRow(chain) : { ...row });
  }

  set(cells: Row): void {
    Object.assign(this.#cells, cells);
  }

  add(column: string, amount: number): void {
    this.#cells[column] = this.number(column) + amount;
  }

  /** Zero where nothing is known yet. */
  number(column: string): number {
    return Number(this.#cells[column] ?? 0);
  }

  knows(column: string): boolean {
    return this.#cells[column] !== null && this.#cells[column] !== undefined;
  }

  write(batch: ProjectionBatch): void {
    batch.put('chains', this.#cells);
  }
}

function emptyRow(chain: string): Record<string, Cell> {
  return {
    chain,
    genesis: null,
    start_block: null,
    started_at: null,
    head_number: null,
    head_hash: null,
    head_timestamp: null,
    safe_number: null,
    safe_hash: null,
    finalized_number: null,
    finalized_hash: null,
    blocks: 0,
    transactions: 0,
    transfers: 0,
    calls: 0,
    deploys: 0,
    seen_blocks: 0,
    seen_transactions: 0,
    reorgs: 0,
    stop_revision: null,
    revision: -1,
  };
}
