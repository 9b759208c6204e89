/** What a process says by its end. The numbers of sysexits(3) where one fits, so that init systems understand them. */
export const EXIT = {
  ok: 0,
  /** Something was found wrong, or could not be done; the message says what. */
  failed: 1,
  /** The command line can not be read. */
  usage: 64,
  /** The port is taken, or nobody answers. */
  unavailable: 69,
  /** A bug. Nothing that was answered is lost: the log is durable. */
  crashed: 70,
  /** The data directory can not be used: read-only, full, damaged, or of a newer version. */
  storage: 74,
  /** Another process holds the data directory. */
  locked: 75,
  settings: 78,
  /** A second Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For `--help` and the README. */
export const EXIT_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'done'],
  [EXIT.failed, 'something is wrong or could not be done; the message says what'],
  [EXIT.usage, 'the command line can not be read'],
  [EXIT.unavailable, 'the port is in use, or the process or node does not answer'],
  [EXIT.crashed, 'a bug; nothing is lost'],
  [EXIT.storage, 'the data directory can not be used'],
  [EXIT.locked, 'another process holds the data directory'],
  [EXIT.settings, 'settings are wrong; all problems are listed'],
  [EXIT.interrupted, 'forced by a second Ctrl-C'],
];
