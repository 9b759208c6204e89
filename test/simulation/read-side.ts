import type { EventReader } from '#platform/event-store';
import type { Clock } from '#platform/kernel';
import { ChainfoldError } from '#platform/kernel';
import { ProjectionRunner } from '#platform/projections';
import { contentPages, isTransientSqlite, SqliteReadStore } from '#platform/read-store';
import { SqliteChainExplorer } from '../../libs/contexts/chain/src/adapters/sqlite.chain-explorer.ts';
import { CHAIN_EXPLORER, chainExplorer } from '../../libs/contexts/chain/src/projections/chain-explorer.projection.ts';
import { FaultySink } from './faulty-sink.ts';
import type { Mortality } from './mortality.ts';
import { DeadProcess } from './mortality.ts';
import type { Poison } from './poison.ts';
import type { SinkFault } from './steps.ts';

export interface ReadSurroundings {
  readonly clock: Clock;
  readonly readFile: string;
  readonly sinkFaults: SinkFault[];
  readonly poison: Poison;
}

/** Small, so that a history has many batches, and reorganisations fall between them. */
const BATCH_EVENTS = 16;
/** Of the simulated clock. */
const RETRY_MS = { firstRetryMs: 50, maxRetryMs: 500 };
const LOOK_MS = 100;

/** The explorer's read models as one process has them: its projections, and its queries. */
export class ReadSide {
  readonly explorer: SqliteChainExplorer;
  readonly #log: EventReader;
  readonly #around: ReadSurroundings;
  readonly #sink: FaultySink;
  readonly #reads: SqliteReadStore;
  #runner: ProjectionRunner;

  constructor(log: EventReader, life: Mortality, around: ReadSurroundings) {
    this.#log = log;
    this.#around = around;
    this.#sink = new FaultySink(around.readFile, around.clock, life, around.sinkFaults);
    this.#reads = new SqliteReadStore(around.readFile);
    this.explorer = new SqliteChainExplorer(this.#reads, log, around.clock);
    this.#runner = this.#newRunner();
  }

  start(): Promise<void> {
    return this.#runner.start();
  }

  async restart(): Promise<void> {
    await this.#runner.close();
    this.#runner = this.#newRunner();
    await this.#runner.start();
  }

  rebuild(): Promise<unknown> {
    return this.#runner.rebuild(CHAIN_EXPLORER).catch(unlessRefused);
  }

  /** The generation that was live before this one, if one is kept. */
  async activateKept(): Promise<void> {
    const kept = this.#sink.generations(CHAIN_EXPLORER).find(({ state }) => state === 'kept');
    if (kept !== undefined) await this.#runner.activate(CHAIN_EXPLORER, kept.generation).catch(unlessRefused);
  }

  /** What the rows of the live generation leave out at this moment. */
  get isParked(): boolean {
    const live = this.#sink.generations(CHAIN_EXPLORER).find(({ state }) => state === 'live');
    return live !== undefined && this.#sink.parkedKeys(live).length > 0;
  }

  /** As an operator does once the projection is corrected. */
  async retryParked(): Promise<void> {
    for (const { key } of await this.#runner.parked(CHAIN_EXPLORER)) await this.#runner.retry(CHAIN_EXPLORER, key).catch(unlessRefused);
  }

  async isRebuilding(): Promise<boolean> {
    const [status] = await this.#runner.status();
    return status?.rebuild !== undefined;
  }

  /** The live generation has the whole log and nothing is wrong, parked or being built beside it. */
  async isCaughtUp(): Promise<boolean> {
    const [status] = await this.#runner.status();
    const parked = await this.#runner.parked(CHAIN_EXPLORER);
    return status?.lagEvents === 0 && status.rebuild === undefined && parked.length === 0 && status.lastError === undefined;
  }

  async caughtUp(): Promise<void> {
    for (let tries = 0; tries < 2_000; tries += 1) {
      if (await this.isCaughtUp()) return;
      await this.#around.clock.sleep(LOOK_MS);
    }
    throw new Error(`the read models never came to the head of the log: ${await this.told()}`);
  }

  async told(): Promise<string> {
    return JSON.stringify({ status: await this.#runner.status(), parked: await this.#runner.parked(CHAIN_EXPLORER) }, null, 1);
  }

  /** Every row of the live generation, one line each, in the order of the keys. */
  dump(): string {
    const live = this.#sink.generations(CHAIN_EXPLORER).find(({ state }) => state === 'live');
    if (live === undefined) return '';
    const database = this.#sink.snapshot();
    try {
      return [...contentPages(database, live, live.tables)].flatMap(({ lines }) => lines).join('');
    } finally {
      database.close();
    }
  }

  async close(): Promise<void> {
    await this.#runner.close();
    this.#reads.close();
    this.#sink.close();
  }

  #newRunner(): ProjectionRunner {
    return new ProjectionRunner({
      reader: this.#log,
      store: this.#sink,
      projections: [this.#around.poison.into(chainExplorer)],
      clock: this.#around.clock,
      settings: { maxBatchEvents: BATCH_EVENTS, ...RETRY_MS },
      onProgress: (name, position) => this.#reads.advanced(name, position),
    });
  }
}

/** What an operator may be told: it can not be done now, the disk has its troubles, or the process ends. */
function unlessRefused(error: unknown): void {
  const isRefused = error instanceof ChainfoldError && (REFUSALS.has(error.code) || error.retryable);
  if (!isRefused && !isTransientSqlite(error) && !(error instanceof DeadProcess)) throw error;
}

const REFUSALS: ReadonlySet<string> = new Set(['rebuild-in-progress', 'no-such-generation', 'nothing-parked']);
