export { WorkController } from './api/work.controller.ts';
export { chainAgreement } from './application/chain-agreement.ts';
export { CHAIN_EVENT_VERSIONS } from './application/chain-actors.ts';
export { ReadingJobs } from './application/reading-jobs.ts';
export { ChainWorkerModule } from './chain-worker.module.ts';
export { ChainModule, chainProjections, type ChainSurroundings } from './chain.module.ts';
export { capturesEmbedded, chainSettings, configuredChains } from './chain.settings.ts';
export { chainUpcasters } from './domain/chain.upcasters.ts';
