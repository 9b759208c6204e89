import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A real node for tests, on a port of its own. */
export interface AnvilProcess {
  readonly url: string;
  readonly wsUrl: string;
  readonly port: number;
  request(method: string, ...params: unknown[]): Promise<unknown>;
  mine(blocks: number): Promise<void>;
  /** That many transfers in one block. */
  sendTransfers(count: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startAnvil(options: { port?: number; args?: readonly string[] } = {}): Promise<AnvilProcess> {
  const port = options.port ?? (await freePort());
  const child = spawn(anvilBinary(), ['--port', String(port), '--no-mining', '--silent', ...(options.args ?? [])], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  const request = (method: string, ...params: unknown[]): Promise<unknown> => ask(url, method, params);
  await untilAnswers(request, child);
  return {
    url,
    wsUrl: `ws://127.0.0.1:${port}`,
    port,
    request,
    mine: async (blocks) => void (await request('anvil_mine', `0x${blocks.toString(16)}`)),
    sendTransfers: async (count) => {
      const accounts = (await request('eth_accounts')) as string[];
      for (let at = 0; at < count; at += 1) {
        await request('eth_sendTransaction', { from: accounts[at % accounts.length], to: accounts[(at + 1) % accounts.length], value: '0x1' });
      }
      await request('anvil_mine', '0x1');
    },
    stop: () => ended(child),
  };
}

function anvilBinary(): string {
  const require = createRequire(import.meta.url);
  const name = `@foundry-rs/anvil-${process.platform === 'win32' ? 'win32' : process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  try {
    const path = join(dirname(require.resolve(`${name}/package.json`)), 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil');
    if (existsSync(path)) return path;
  } catch {
    // Another layout of the package: its own launcher knows.
  }
  return join(process.cwd(), 'node_modules/.bin/anvil');
}

async function ask(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
  const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

async function untilAnswers(request: (method: string) => Promise<unknown>, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`anvil ended with ${child.exitCode}`);
    try {
      await request('eth_chainId');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error('anvil does not answer');
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
