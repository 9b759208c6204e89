/** What a line holds besides its message; never a secret, addresses of providers through `redactUrl`. */
export type LogFields = object;

/** Writes lines. Messages are constants, everything that changes is a field. A pino logger is one. */
export interface Logger {
  trace(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  fatal(fields: LogFields, message: string): void;
  /** The same, with these fields in every line. */
  child(fields: LogFields): Logger;
}

const nothing = (): void => undefined;

/** For tests and for libraries that were given none. */
export const silentLogger: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  child: () => silentLogger,
};
