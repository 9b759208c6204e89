import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore } from '#platform/event-store';
import { ChainfoldError, systemClock } from '#platform/kernel';
import { ProjectionRunner } from '#platform/projections';
import { contentPages, SqliteReadStore, SqliteReadWriter } from '#platform/read-store';
import { SqliteChainExplorer } from '../../libs/contexts/chain/src/adapters/sqlite.chain-explorer.ts';
import { CHAIN_EXPLORER, chainExplorer } from '../../libs/contexts/chain/src/projections/chain-explorer.projection.ts';

/** Small, so that a history has many batches, and reorganisations fall between them. */
const BATCH_EVENTS = 16;

/** The explorer's read model beside a capture. */
export class ReadSide {
  readonly explorer: SqliteChainExplorer;
  readonly #log: EventStore;
  readonly #maxBatchEvents: number;
  readonly #dir = mkdtempSync(join(tmpdir(), 'chainfold-reorgs-'));
  readonly #writer = new SqliteReadWriter(join(this.#dir, 'read.db'), systemClock);
  readonly #reads = new SqliteReadStore(join(this.#dir, 'read.db'));
  #runner: ProjectionRunner | undefined;

  constructor(log: EventStore, maxBatchEvents = BATCH_EVENTS) {
    this.#log = log;
    this.#maxBatchEvents = maxBatchEvents;
    this.explorer = new SqliteChainExplorer(this.#reads, log, systemClock);
  }

  async start(): Promise<void> {
    this.#runner = new ProjectionRunner({
      reader: this.#log,
      store: this.#writer,
      projections: [chainExplorer],
      clock: systemClock,
      settings: { maxBatchEvents: this.#maxBatchEvents, firstRetryMs: 2, maxRetryMs: 20 },
      onProgress: (name, position) => this.#reads.advanced(name, position),
    });
    await this.#runner.start();
  }

  async rebuild(): Promise<void> {
    await this.#running.rebuild(CHAIN_EXPLORER).catch((error: unknown) => {
      if (!(error instanceof ChainfoldError) || error.code !== 'rebuild-in-progress') throw error;
    });
  }

  /** Until the live generation has the whole log, and nothing is being built beside it. */
  async caughtUp(): Promise<void> {
    await this.#reads.waitFor(CHAIN_EXPLORER, await this.#log.head(), 20_000, systemClock);
    for (let tries = 0; tries < 4_000; tries += 1) {
      const [status] = await this.#running.status();
      if (status?.rebuild === undefined) return;
      await systemClock.sleep(5);
    }
    throw new Error('the rebuilt generation did not go live');
  }

  async troubles(): Promise<readonly unknown[]> {
    const [status] = await this.#running.status();
    return [...(await this.#running.parked(CHAIN_EXPLORER)), ...(status?.lastError === undefined ? [] : [status.lastError])];
  }

  /** Every row of the live generation, one line each, in the order of the keys. */
  dump(): string {
    const live = this.#writer.generations(CHAIN_EXPLORER).find(({ state }) => state === 'live');
    if (live === undefined) return '';
    const database = this.#writer.snapshot();
    try {
      return [...contentPages(database, live, live.tables)].flatMap(({ lines }) => lines).join('');
    } finally {
      database.close();
    }
  }

  async close(): Promise<void> {
    await this.#runner?.close();
    this.#reads.close();
    this.#writer.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  get #running(): ProjectionRunner {
    if (this.#runner === undefined) throw new Error('start first');
    return this.#runner;
  }
}
