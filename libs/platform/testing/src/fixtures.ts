import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Folder of real data that is not part of this repository; undefined where it is absent. */
export function fixturesDir(): string | undefined {
  const dir = resolve(process.env['FIXTURES_DIR'] ?? '../shared/fixtures');
  if (existsSync(join(dir, 'README.md'))) return dir;
  if (process.env['FIXTURES_REQUIRED'] === '1') throw new Error(`FIXTURES_REQUIRED=1, but there are no fixtures in ${dir}: set FIXTURES_DIR`);
  return undefined;
}

/** A suite over real data. Where the data is absent it is reported as not run, by name. */
export function describeWithFixtures(name: string, suite: (dir: string) => void): void {
  const dir = fixturesDir();
  if (dir === undefined) {
    describe.skip(`${name} (not run: no fixtures, set FIXTURES_DIR)`, () => {
      it('needs the fixtures', () => undefined);
    });
    return;
  }
  describe(name, () => suite(dir));
}
