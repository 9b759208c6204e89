import { pino } from 'pino';
import pretty from 'pino-pretty';
import type { Logger } from '#platform/observability';
import type { PlatformSettings } from './deployable.ts';

/** Lines on standard output, written before the call returns, so the last words of a process are not lost. */
export function processLog(settings: PlatformSettings['log']): Logger {
  const format = settings.format ?? (process.stdout.isTTY ? 'pretty' : 'json');
  const destination = pino.destination({ fd: 1, sync: true });
  return pino({ level: settings.level, base: null }, format === 'pretty' ? pretty({ colorize: process.stdout.isTTY, sync: true, ignore: 'pid,hostname' }) : destination);
}
