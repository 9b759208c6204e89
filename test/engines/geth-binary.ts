import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const VERSION = '1.16.9';
const INSTALL_WITHIN_MS = 30 * 60_000;
const root = resolve(import.meta.dirname, '../..');
const folder = join(root, '.cache', 'engines', `geth-${VERSION}`);

export function gethBinary(): string {
  return join(folder, process.platform === 'win32' ? 'geth.exe' : 'geth');
}

/** Builds geth from the Go module proxy into the ignored cache: once, in 3 to 6 minutes on two cores. */
async function installGeth(): Promise<void> {
  if (existsSync(gethBinary())) return;
  mkdirSync(folder, { recursive: true });
  await promisify(execFile)('go', ['install', `github.com/ethereum/go-ethereum/cmd/geth@v${VERSION}`], {
    env: { ...process.env, GOBIN: folder },
    timeout: INSTALL_WITHIN_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** A suite over a real geth. Where it is neither there nor can be built, the suite is reported as not run, by name. */
export function describeWithGeth(name: string, suite: () => void): void {
  if (!existsSync(gethBinary()) && spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) {
    describe.skip(`${name} (not run: geth ${VERSION} needs go, which is not installed)`, () => {
      it('needs geth', () => undefined);
    });
    return;
  }
  describe(name, () => {
    beforeAll(installGeth, INSTALL_WITHIN_MS);
    suite();
  });
}
