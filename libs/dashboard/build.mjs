import { cp, mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, context } from 'esbuild';

// `node libs/dashboard/build.mjs [--watch]`: the page as plain files that any server of the same origin can hand out.
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = here('../../dist/libs/dashboard/public');
const watching = process.argv.includes('--watch');

const options = {
  entryPoints: [
    { in: here('src/main.tsx'), out: 'app' },
    { in: here('src/app.css'), out: 'app' },
  ],
  outdir: out,
  bundle: true,
  format: 'esm',
  target: ['es2022', 'safari16'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  tsconfig: here('tsconfig.json'),
  minify: !watching,
  sourcemap: watching ? 'inline' : false,
  legalComments: 'none',
  logLevel: 'warning',
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await cp(here('src/public'), out, { recursive: true });
if (watching) await (await context(options)).watch();
else await build(options);
