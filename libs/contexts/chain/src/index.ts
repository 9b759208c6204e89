export { CHAIN_EVENT_VERSIONS } from './application/chain-actors.ts';
export { ChainModule, chainProjections, type ChainSurroundings } from './chain.module.ts';
export { capturesEmbedded, chainSettings } from './chain.settings.ts';
export { chainUpcasters } from './domain/chain.upcasters.ts';
