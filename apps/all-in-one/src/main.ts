import { nodeTooOld } from './node-version.ts';

const tooOld = nodeTooOld();
if (tooOld !== undefined) {
  process.stderr.write(tooOld);
  process.exit(78);
}

// Only now: what they import does not exist in an older Node.
const { serve } = await import('#platform/runtime');
const { AllInOneModule } = await import('./all-in-one.module.ts');
await serve(AllInOneModule);
