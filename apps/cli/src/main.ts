#!/usr/bin/env node
import 'reflect-metadata';
import { run } from './program.ts';

// `chainfold events | head` has read enough.
process.stdout.on('error', () => process.exit(0));

const code = await run(process.argv.slice(2), async () => (await import('../../all-in-one/src/all-in-one.module.ts')).AllInOneModule);
// What was written goes out first: on some systems pipes are written later.
if (code !== undefined) process.stdout.write('', () => process.exit(code));
