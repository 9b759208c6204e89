/**
 * Every `*.bench.ts` of this folder, one after the other so that none slows another: `npm run bench [-- part of a name]`.
 * Each prints JSON lines {"bench","value","unit","target","lowerIsBetter","runs"} and asserts nothing.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const wanted = process.argv[2] ?? '';
const benches = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.bench.ts') && name.includes(wanted));
for (const name of benches.sort()) {
  const { status } = spawnSync(process.execPath, ['--conditions=source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, name)], { stdio: 'inherit' });
  if (status === 0) continue;
  console.error(`${name} failed`);
  process.exitCode = 1;
}
