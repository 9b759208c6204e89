import type { LoggerService } from '@nestjs/common';
import type { Logger } from '#platform/observability';

/** Nest's own words on our log. Its tale of every module and route at boot is for debugging. */
export function nestLog(log: Logger): LoggerService {
  const at = (rest: unknown[]): { context?: string; stack?: string } => {
    const texts = rest.filter((part): part is string => typeof part === 'string');
    const context = texts.at(-1);
    return { ...(context === undefined ? {} : { context }), ...(texts.length > 1 ? { stack: texts[0] } : {}) };
  };
  const text = (message: unknown): string => (message instanceof Error ? message.message : String(message));
  return {
    log: (message: unknown, ...rest: unknown[]) => log.debug(at(rest), text(message)),
    debug: (message: unknown, ...rest: unknown[]) => log.debug(at(rest), text(message)),
    verbose: (message: unknown, ...rest: unknown[]) => log.trace(at(rest), text(message)),
    warn: (message: unknown, ...rest: unknown[]) => log.warn(at(rest), text(message)),
    error: (message: unknown, ...rest: unknown[]) => log.error({ ...at(rest), ...(message instanceof Error ? { err: message } : {}) }, text(message)),
    fatal: (message: unknown, ...rest: unknown[]) => log.fatal(at(rest), text(message)),
  };
}
