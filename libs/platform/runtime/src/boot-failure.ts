import { ChainfoldError } from '#platform/kernel';
import { redactUrlsIn } from '#platform/observability';
import { SettingsInvalid } from '#platform/settings';
import { EXIT, type ExitCode } from './exit-codes.ts';

const CODES: Readonly<Record<string, ExitCode>> = {
  'settings-invalid': EXIT.settings,
  'port-in-use': EXIT.unavailable,
  'port-forbidden': EXIT.unavailable,
  'host-unknown': EXIT.settings,
  'data-directory-locked': EXIT.locked,
};

/** What the process ends with when it could not start because of `error`. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof ChainfoldError)) return EXIT.crashed;
  const known = CODES[error.code];
  if (known !== undefined) return known;
  if (error.code.startsWith('settings-')) return EXIT.settings;
  if (error.code.startsWith('data-') || error.code === 'disk-full') return EXIT.storage;
  return error.kind === 'bug' ? EXIT.crashed : EXIT.failed;
}

/** What, why, way out; for a person at a terminal. A stack only where the error is a bug of ours. What others say loses the keys in its addresses. */
export function explain(error: unknown): string {
  if (!(error instanceof ChainfoldError)) return redactUrlsIn(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (error instanceof SettingsInvalid) return error.report();
  const lines = [error.message];
  for (const [name, value] of Object.entries(error.facts)) {
    if (value !== undefined) lines.push(`  ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  }
  if (error.cause instanceof Error) lines.push(`  because: ${redactUrlsIn(error.cause.message)}`);
  if (error.hint !== undefined) lines.push(`  ${error.hint}`);
  if (error.kind === 'bug' && error.stack !== undefined) lines.push(error.stack);
  return lines.join('\n');
}
