import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Of this program, as its package says. */
export function programVersion(from: string = import.meta.dirname): string {
  const file = join(from, 'package.json');
  if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  const above = dirname(from);
  return above === from ? 'unknown' : programVersion(above);
}
