import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.ts';

/** Nest's own words on our log. Its tale of every module and route at boot is for debugging only. */
export function nestLogger(log: Logger): LoggerService {
  return {
    log: (message: unknown, ...rest: unknown[]) => log.debug(fieldsOf(message, rest), textOf(message)),
    debug: (message: unknown, ...rest: unknown[]) => log.debug(fieldsOf(message, rest), textOf(message)),
    verbose: (message: unknown, ...rest: unknown[]) => log.trace(fieldsOf(message, rest), textOf(message)),
    warn: (message: unknown, ...rest: unknown[]) => log.warn(fieldsOf(message, rest), textOf(message)),
    error: (message: unknown, ...rest: unknown[]) => log.error(fieldsOf(message, rest), textOf(message)),
    fatal: (message: unknown, ...rest: unknown[]) => log.fatal(fieldsOf(message, rest), textOf(message)),
  };
}

/** Nest passes the context last, before it a stack where there is one. */
function fieldsOf(message: unknown, rest: readonly unknown[]): object {
  const texts = rest.filter((part) => typeof part === 'string');
  return {
    ...(texts.length > 0 && { context: texts.at(-1) }),
    ...(texts.length > 1 && { stack: texts[0] }),
    ...(message instanceof Error ? { err: message } : typeof message === 'object' && message),
  };
}

function textOf(message: unknown): string {
  if (message instanceof Error) return message.message;
  return typeof message === 'string' ? message : 'Nest';
}
