/**
 * Every `*.bench.ts` of this folder, one after the other so that none slows another: `npm run bench [-- part of a name]
 * [runs]`; runs left out: what each takes by itself. Each figure is one JSON line {"bench","value","unit","target","lowerIsBetter","runs",
 * "source","machine"}, its value the median of its runs; nothing is asserted. Those that need the built program build it.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Only when asked for by name. */
const LONG = ['growth.bench.ts'];

const [, , wanted = '', ...more] = process.argv;
const benches = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.bench.ts') && name.includes(wanted));
for (const name of benches.sort()) {
  if (wanted === '' && LONG.includes(name)) continue;
  const { status } = spawnSync(process.execPath, ['--conditions=source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, name), ...more], { stdio: 'inherit' });
  if (status === 0) continue;
  console.error(`${name} failed`);
  process.exitCode = 1;
}
