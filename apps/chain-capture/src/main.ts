import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { serveWorker } from '#platform/runtime';
import { ChainCaptureModule } from './chain-capture.module.ts';

module.enableCompileCache(fileURLToPath(new URL('../../../../node_modules/.cache/chainfold', import.meta.url)));
await serveWorker(ChainCaptureModule);
