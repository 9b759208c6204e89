import { base } from './jest.config.mjs';

/** Journeys over the running program: processes, browsers, kill -9. Run by .ci/run after the fast suites. */
export default {
  ...base,
  testMatch: ['<rootDir>/test/e2e/**/*.spec.ts', '<rootDir>/test/simulation/**/*.spec.ts'],
  testTimeout: 300_000,
  maxWorkers: 1,
};
