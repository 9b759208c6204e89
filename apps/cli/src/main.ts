#!/usr/bin/env node
import 'reflect-metadata';
import { run } from './program.ts';

const code = await run(process.argv.slice(2), async () => (await import('../../all-in-one/src/all-in-one.module.ts')).AllInOneModule);
if (code !== undefined) process.exit(code);
