import { pino, type DestinationStream, type Level } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { shownError, shownFields } from './log-fields.ts';
import type { Logger } from './logger.ts';
import { redactUrlsIn } from './redact-url.ts';

export interface LogOptions {
  readonly level: Level | 'silent';
  /** Left out: pretty on a terminal, else json. */
  readonly format?: 'pretty' | 'json' | undefined;
  /** In every line: which deployable, which instance. */
  readonly fields?: object;
  /** Left out: standard output. */
  readonly to?: DestinationStream & { readonly isTTY?: boolean };
}

/** Lines are written before the call returns, so the last words of a process are not lost. */
export function openLog({ level, format, fields = {}, to }: LogOptions): Logger {
  const terminal = to === undefined ? process.stdout.isTTY : to.isTTY === true;
  const people = (format ?? (terminal ? 'pretty' : 'json')) === 'pretty';
  const destination = to ?? pino.destination({ fd: 1, sync: true });
  const log = pino(
    {
      level,
      base: shownFields(fields),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { log: shownFields, ...(!people && { level: (label) => ({ level: label }) }) },
      // Pino's own would run over the error once more, and lose its type.
      serializers: { err: (err: unknown) => (err instanceof Error ? shownError(err) : err) },
    },
    people ? readable(destination, terminal) : destination,
  );
  return masked(log);
}

function readable(destination: DestinationStream, colorize: boolean): DestinationStream {
  const prettify = prettyFactory({ colorize, singleLine: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' });
  return { write: (line) => destination.write(prettify(line) ?? line) };
}

/** Masks what pino lets through: fields of children, and messages, which are constants of ours but may be other people's. */
function masked(log: Logger): Logger {
  return {
    trace: (fields, message) => log.trace(fields, redactUrlsIn(message)),
    debug: (fields, message) => log.debug(fields, redactUrlsIn(message)),
    info: (fields, message) => log.info(fields, redactUrlsIn(message)),
    warn: (fields, message) => log.warn(fields, redactUrlsIn(message)),
    error: (fields, message) => log.error(fields, redactUrlsIn(message)),
    fatal: (fields, message) => log.fatal(fields, redactUrlsIn(message)),
    child: (fields) => masked(log.child(shownFields(fields))),
  };
}
