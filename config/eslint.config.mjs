import tseslint from 'typescript-eslint';

/** Typed lint. Each rule guards something that cost somebody a night; style is left to the reader. */
export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/*.mjs'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: { parserOptions: { project: ['test/tsconfig.json', 'libs/dashboard/tsconfig.json'], tsconfigRootDir: `${import.meta.dirname}/..` } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/only-throw-error': 'error',
      // An async method may exist only to fit a port whose other adapter waits.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      eqeqeq: ['error', 'always'],
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Settings are read in platform/settings only.' },
        { object: 'Math', property: 'random', message: 'Take a seed: what is random must be repeatable.' },
      ],
      'no-restricted-globals': ['error', { name: 'parseFloat', message: 'Amounts are bigint or decimal strings.' }],
    },
  },
  { files: ['libs/platform/settings/**', 'libs/platform/testing/**', 'test/**', '**/*.spec.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    // Tests read answers of HTTP servers and processes, whose shape is what they assert.
    files: ['**/*.spec.ts', '**/*.contract.ts', 'test/**', 'libs/platform/testing/**'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  { files: ['apps/cli/**', 'test/load/**', 'test/**'], rules: { 'no-console': 'off' } },
);
