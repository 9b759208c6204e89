import { basename } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementResultingChanges } from 'node:sqlite';

/** Where a process ends as by kill -9: at the `nth` time that a statement of a file is about to run, or has run. */
export interface KillPoint {
  readonly file: string;
  /** A part of the statement. */
  readonly sql: string;
  readonly when: 'before' | 'after';
  readonly nth: number;
}

// Loaded before the program, in each of its threads.
const wanted = process.env['KILL_AT'];
if (wanted !== undefined) {
  const { file, sql, when, nth } = JSON.parse(wanted) as KillPoint;
  let times = 0;
  const around = <T>(db: DatabaseSync, statement: string, run: () => T): T => {
    const here = statement.includes(sql) && basename(db.location() ?? '') === file && ++times === nth;
    if (here && when === 'before') process.kill(process.pid, 'SIGKILL');
    const result = run();
    if (here) process.kill(process.pid, 'SIGKILL');
    return result;
  };
  const { exec, prepare } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function (this: DatabaseSync, statement) {
    return around(this, statement, () => exec.call(this, statement));
  };
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, statement, ...options) {
    const prepared = prepare.call(this, statement, ...options);
    const run = prepared.run.bind(prepared) as (...values: SQLInputValue[]) => StatementResultingChanges;
    prepared.run = (...values: unknown[]) => around(this, statement, () => run(...(values as SQLInputValue[])));
    return prepared;
  };
}
