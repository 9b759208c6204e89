import { base } from './jest.config.mjs';

/** Suites over real engines that come from package registries: built or fetched into .cache/engines when absent. Run by `npm run test:engines`. */
export default {
  ...base,
  testMatch: ['<rootDir>/test/engines/**/*.spec.ts'],
  testTimeout: 300_000,
  maxWorkers: 1,
};
