#!/usr/bin/env node
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { nodeTooOld } from '../../all-in-one/src/node-version.ts';

const tooOld = nodeTooOld();
if (tooOld !== undefined) {
  process.stderr.write(tooOld);
  process.exit(78);
}

// `chainfold events | head` has read enough.
process.stdout.on('error', () => process.exit(0));

module.enableCompileCache(fileURLToPath(new URL('../../../../node_modules/.cache/chainfold', import.meta.url)));

// Only now: what they import does not exist in an older Node.
await import('reflect-metadata');
const { run } = await import('./program.ts');
const code = await run(process.argv.slice(2), async () => (await import('../../all-in-one/src/all-in-one.module.ts')).AllInOneModule);
// What was written goes out first: on some systems pipes are written later.
if (code !== undefined) process.stdout.write('', () => process.exit(code));
