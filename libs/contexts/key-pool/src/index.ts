export { KEY_EVENT_VERSIONS } from './application/api-key-actors.ts';
export { configuredKeys } from './application/configured-keys.ts';
export { KeyPool, keyProjections } from './key-pool.module.ts';
export { keySettings } from './key-pool.settings.ts';
