import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ChainfoldError } from '#platform/kernel';

const require = createRequire(import.meta.url);

/**
 * The executable inside the platform's optional dependency of `@foundry-rs/anvil`. Run directly, not through the
 * package's own launcher: that one is another process between us and the node, which a kill -9 would leave behind.
 */
export function anvilBinary(platform: NodeJS.Platform = process.platform, arch: string = process.arch): string {
  const system = platform === 'win32' ? 'win32' : platform;
  const name = `@foundry-rs/anvil-${system}-${arch === 'x64' ? 'amd64' : arch}`;
  try {
    return require.resolve(`${name}/bin/${platform === 'win32' ? 'anvil.exe' : 'anvil'}`);
  } catch (cause) {
    throw new ChainfoldError('The embedded node is not installed for this machine', {
      code: 'embedded-node-unsupported',
      kind: 'unavailable',
      facts: { platform, arch, package: name },
      hint: 'Install again with optional dependencies (npm install --include=optional), or set RPC_URL to a node of your own.',
      cause,
    });
  }
}

/**
 * Words to put before a command so that the kernel ends it when we die in any way, kill -9 included. Only Linux has
 * such a thing; elsewhere an orphan is found and ended at the next start.
 */
export function boundToOurLife(): readonly string[] {
  if (process.platform !== 'linux') return [];
  const wrapper = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  if (wrapper === undefined) return [];
  const words = [wrapper, '--pdeathsig', 'TERM'];
  // The setpriv of small systems lacks the option: try it once on something harmless.
  return spawnSync(wrapper, [...words.slice(1), process.execPath, '--version'], { stdio: 'ignore' }).status === 0 ? words : [];
}
