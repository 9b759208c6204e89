export { LEASE_DESK, LeasesController } from './api/leases.controller.ts';
export { KEY_EVENT_VERSIONS } from './application/api-key-actors.ts';
export { configuredKeys } from './application/configured-keys.ts';
export { keysAgreement } from './application/keys-agreement.ts';
export { KeyPool, keyProjections, workerKeys } from './key-pool.module.ts';
export { keySettings } from './key-pool.settings.ts';
