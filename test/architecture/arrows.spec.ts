import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const depcruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

/** Per rule: files that break it and nothing else, as [path, what it imports]. */
const planted: Record<string, Record<string, string>> = {
  'no-cycles': {
    'libs/platform/actors/src/a.ts': './b.ts',
    'libs/platform/actors/src/b.ts': './a.ts',
  },
  'kernel-knows-nobody': { 'libs/platform/kernel/src/id.ts': 'node:crypto' },
  'domain-is-pure': { 'libs/contexts/chain/src/domain/block.ts': 'node:fs' },
  'platform-knows-no-context': {
    'libs/platform/actors/src/a.ts': '../../../contexts/chain/src/index.ts',
    'libs/contexts/chain/src/index.ts': '',
  },
  'contexts-meet-at-contracts': {
    'libs/contexts/market/src/quote.ts': '../../chain/src/index.ts',
    'libs/contexts/chain/src/index.ts': '',
  },
  'libs-know-no-app': { 'libs/platform/http/src/a.ts': '../../../../apps/cli/src/main.ts', 'apps/cli/src/main.ts': '' },
  'adapters-behind-ports': {
    'libs/contexts/chain/src/application/a.ts': '../adapters/http.chain-node.ts',
    'libs/contexts/chain/src/adapters/http.chain-node.ts': '',
  },
  'projections-never-command': {
    'libs/contexts/chain/src/projections/a.ts': '../application/b.ts',
    'libs/contexts/chain/src/application/b.ts': '',
  },
  'api-stays-thin': { 'libs/contexts/chain/src/api/a.ts': '../domain/b.ts', 'libs/contexts/chain/src/domain/b.ts': '' },
  'enter-by-the-front-door': {
    'libs/platform/http/src/a.ts': '../../actors/src/mailbox.ts',
    'libs/platform/actors/src/mailbox.ts': '',
  },
};

describe('the arrows of the architecture', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'arrows-'))));
  afterEach(() => rmSync(dir, { recursive: true }));

  it('has a planted violation for every rule', async () => {
    const config = (await import(join(root, 'config/dependency-cruiser.mjs'))) as { default: { forbidden: { name: string }[] } };
    expect(Object.keys(planted).sort()).toEqual(config.default.forbidden.map((rule) => rule.name).sort());
  });

  it.each(Object.keys(planted))('%s catches its violation', (rule) => {
    for (const [path, target] of Object.entries(planted[rule] ?? {})) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), target === '' ? 'export const here = 1;\n' : `import '${target}';\nexport const here = 1;\n`);
    }
    expect(violations(dir)).toEqual([rule]);
  });
});

function violations(dir: string): string[] {
  mkdirSync(join(dir, 'config'));
  mkdirSync(join(dir, 'apps'), { recursive: true });
  copyFileSync(join(root, 'config/dependency-cruiser.mjs'), join(dir, 'config/dependency-cruiser.mjs'));
  copyFileSync(join(root, 'tsconfig.json'), join(dir, 'tsconfig.json'));
  const args = [depcruise, '--config', 'config/dependency-cruiser.mjs', '--output-type', 'json', 'apps', 'libs'];
  let output: string;
  try {
    output = execFileSync(process.execPath, args, { cwd: dir, encoding: 'utf8' });
  } catch (error) {
    output = (error as { stdout: string }).stdout;
  }
  const report = JSON.parse(output) as { summary: { violations: { rule: { name: string } }[] } };
  return [...new Set(report.summary.violations.map((violation) => violation.rule.name))];
}
