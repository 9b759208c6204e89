/** The arrows of the architecture, one rule each. config/dependency-cruiser.spec plants a violation of every one. */
const PRODUCT = { pathNot: '[.](spec|contract)[.]ts$|^libs/platform/testing/|^test/' };

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'kernel-knows-nobody',
      severity: 'error',
      from: { path: '^libs/platform/kernel/', ...PRODUCT },
      to: { pathNot: '^libs/platform/kernel/' },
    },
    {
      name: 'domain-is-pure',
      severity: 'error',
      from: { path: '^libs/contexts/([^/]+)/src/domain/', ...PRODUCT },
      to: { pathNot: '^libs/contexts/$1/src/domain/|^libs/platform/kernel/' },
    },
    {
      name: 'platform-knows-no-context',
      severity: 'error',
      from: { path: '^libs/platform/', ...PRODUCT },
      to: { path: '^libs/contexts/' },
    },
    {
      name: 'contexts-meet-at-contracts',
      severity: 'error',
      from: { path: '^libs/contexts/([^/]+)/', ...PRODUCT },
      to: { path: '^libs/contexts/', pathNot: '^libs/contexts/$1/|^libs/contexts/[^/]+/src/contracts/' },
    },
    { name: 'libs-know-no-app', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'adapters-behind-ports',
      severity: 'error',
      from: { path: '^libs/contexts/([^/]+)/src/', pathNot: '[.](spec|contract)[.]ts$|/src/adapters/|[.]module[.]ts$' },
      to: { path: '^libs/contexts/[^/]+/src/adapters/' },
    },
    {
      name: 'projections-never-command',
      severity: 'error',
      from: { path: '^libs/contexts/[^/]+/src/projections/', ...PRODUCT },
      to: { path: 'decider[.]ts$|/src/application/|/src/adapters/|^node_modules/@nestjs/|^libs/platform/actors/' },
    },
    {
      name: 'api-stays-thin',
      severity: 'error',
      from: { path: '^libs/contexts/([^/]+)/src/api/', ...PRODUCT },
      to: { path: '^libs/contexts/', pathNot: '^libs/contexts/$1/src/(api|application|ports|contracts)/' },
    },
    {
      name: 'enter-by-the-front-door',
      severity: 'error',
      from: { path: '^(libs/(?:platform|contexts)/[^/]+|libs/dashboard|apps/[^/]+)/', ...PRODUCT },
      to: { path: '^libs/', pathNot: '^$1/|/src/index[.]ts$|/src/contracts/index[.]ts$' },
    },
  ],
  options: {
    doNotFollow: { path: '^node_modules' },
    exclude: { path: '^dist/|^libs/dashboard/src/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { conditionNames: ['source', 'import', 'node', 'default'], exportsFields: ['exports'], extensions: ['.ts', '.js', '.mjs', '.json'] },
  },
};
