import type { Clock } from '#platform/kernel';
import { SqliteReadWriter } from '#platform/read-store';
import type { Mortality } from './mortality.ts';
import { DeadProcess } from './mortality.ts';
import type { SinkFault } from './steps.ts';

type Writer = SqliteReadWriter;

/** The writer of the read models as one process has it: each commit and each swap takes the next fault, and the process may die with one. */
export class FaultySink extends SqliteReadWriter {
  readonly #life: Mortality;
  readonly #faults: SinkFault[];

  /** `faults` is shared by all processes after one another: what was not met yet is met by the next. */
  constructor(file: string, clock: Clock, life: Mortality, faults: SinkFault[]) {
    super(file, clock);
    this.#life = life;
    this.#faults = faults;
  }

  override commit(...[ref, commit]: Parameters<Writer['commit']>): ReturnType<Writer['commit']> {
    if (this.#life.reach('commit') === 'dies after') {
      super.commit(ref, commit);
      throw new DeadProcess();
    }
    const fault = this.#next();
    if (fault === 'lost' || fault === 'rival') super.commit(ref, commit);
    if (fault === 'lost') throw sqliteError(SQLITE_IOERR);
    return super.commit(ref, commit);
  }

  override swap(...swap: Parameters<Writer['swap']>): void {
    this.#life.mustLive();
    this.#next();
    super.swap(...swap);
  }

  override create(...create: Parameters<Writer['create']>): ReturnType<Writer['create']> {
    this.#life.mustLive();
    return super.create(...create);
  }

  override setState(...change: Parameters<Writer['setState']>): void {
    this.#life.mustLive();
    super.setState(...change);
  }

  override retireSome(maxRows: number): boolean {
    this.#life.mustLive();
    return super.retireSome(maxRows);
  }

  /** Throws what refuses a write. */
  #next(): SinkFault {
    const fault = this.#faults.shift() ?? 'none';
    if (fault === 'busy') throw sqliteError(SQLITE_BUSY);
    if (fault === 'full') throw sqliteError(SQLITE_FULL);
    return fault;
  }
}

/** https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;

function sqliteError(errcode: number): Error {
  return Object.assign(new Error(`SQLite says ${errcode}`), { errcode });
}
