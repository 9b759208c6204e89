import { accessSync, constants, existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import { ownerOfDataDirectory } from '#platform/event-store';
import { redactUrl } from '#platform/observability';
import { explain, type Deployable } from '#platform/runtime';
import { processSources, Secret } from '#platform/settings';
import { NODE_MAJOR } from '../../../all-in-one/src/node-version.ts';
import { ApiClient, type Page } from '../api-client.ts';
import { table, type Output } from '../output.ts';
import { settingsOf, type LoadProgram } from '../target.ts';
import type { Finding } from './finding.ts';
import { keysIn } from './keys-check.ts';
import { askNode } from './node-check.ts';

const LITTLE_BYTES = 5_000_000_000;
const TOO_LITTLE_BYTES = 200_000_000;

/** Looks at everything that a start depends on. Answers how many things are wrong. */
export async function doctor(load: LoadProgram, output: Output): Promise<number> {
  const findings = await examine(load);
  output.result({ findings, wrong: wrongIn(findings) }, () => table(['', 'what', 'detail'], findings.map(({ state, what, detail }) => [SIGN[state], what, detail])));
  return wrongIn(findings);
}

const SIGN = { ok: 'ok', warning: 'look', wrong: 'WRONG' } as const;

function wrongIn(findings: readonly Finding[]): number {
  return findings.filter(({ state }) => state === 'wrong').length;
}

async function examine(load: LoadProgram): Promise<Finding[]> {
  const major = Number(process.versions.node.split('.')[0]);
  const findings: Finding[] = [{ what: 'Node', state: major >= NODE_MAJOR ? 'ok' : 'wrong', detail: `${process.version}${major >= NODE_MAJOR ? '' : `: ${NODE_MAJOR} or newer is needed; npm scripts bring their own`}` }];
  const program: Deployable = await load();
  let settings: ReturnType<typeof settingsOf>;
  try {
    settings = settingsOf(program);
  } catch (error) {
    return [...findings, { what: 'settings', state: 'wrong', detail: explain(error) }];
  }
  const dir = resolve(settings.data.dir);
  const owner = ownerOfDataDirectory(dir);
  findings.push({ what: 'settings', state: 'ok', detail: owner === undefined ? 'all valid' : 'all valid here; the running process has its own, so it was asked what it does' });
  findings.push(await disk(dir), directory(dir, owner));
  if (owner === undefined) findings.push(await port(settings.http.host, settings.http.port));
  else if (owner.url !== undefined) findings.push({ what: 'port', state: 'ok', detail: `the running process listens at ${owner.url}` }, await health(owner.url), ...(await captured(owner.url)));
  const providers = addressesIn(settings);
  const keys = await keysIn(settings);
  findings.push(...keys);
  if (owner === undefined && providers.length === 0 && keys.length === 0) findings.push({ what: 'provider', state: 'ok', detail: 'none configured: the embedded node is captured' });
  return [...findings, ...(await Promise.all(providers.map(askNode))).flat()];
}

async function disk(dir: string): Promise<Finding> {
  let at = dir;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  const { bavail, bsize } = await statfs(at);
  const free = bavail * bsize;
  const state = free < TOO_LITTLE_BYTES ? 'wrong' : free < LITTLE_BYTES ? 'warning' : 'ok';
  return { what: 'disk', state, detail: `${(free / 1e9).toFixed(1)} GB free for ${dir}; a day of mainnet takes about 1 GB` };
}

function directory(dir: string, owner: { readonly pid?: number; readonly url?: string } | undefined): Finding {
  const what = 'data directory';
  if (owner !== undefined) return { what, state: 'ok', detail: `${dir} is in use by process ${owner.pid ?? '?'}${owner.url === undefined ? ', which is starting or ending' : ` at ${owner.url}`}` };
  let at = dir;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  try {
    accessSync(at, constants.W_OK);
    return { what, state: 'ok', detail: `${dir} ${existsSync(dir) ? 'is free' : 'will be made'}` };
  } catch {
    return { what, state: 'wrong', detail: `${at} can not be written by this user: give it the right, or set DATA_DIR` };
  }
}

function port(host: string, number: number): Promise<Finding> {
  const what = 'port';
  if (number === 0) return Promise.resolve({ what, state: 'ok', detail: 'a free one is picked' });
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      done({ what, state: 'wrong', detail: taken ? `${number} is in use by another program: set PORT` : `${host}:${number} can not be opened (${error.code ?? error.message}): set HOST or PORT` });
    });
    probe.listen(number, host, () => probe.close(() => done({ what, state: 'ok', detail: `${host}:${number} is free` })));
  });
}

async function health(url: string): Promise<Finding> {
  const what = 'running process';
  try {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) });
    if (answer.ok) return { what, state: 'ok', detail: `${url} is ready` };
    const { error = {} } = (await answer.json()) as { error?: Record<string, { reason?: string }> };
    return { what, state: 'wrong', detail: Object.entries(error).map(([part, { reason }]) => `${part}: ${reason ?? 'down'}`).join('; ') };
  } catch {
    return { what, state: 'wrong', detail: `${url} does not answer` };
  }
}

interface ShownChain {
  readonly chainId: string;
  readonly name: string;
  readonly status: string;
  readonly reason: string | null;
  readonly nodeHead: number | null;
  readonly head: { readonly number: number } | null;
}

/** What the running process captures, which may be something else than the settings of this command name. */
async function captured(url: string): Promise<Finding[]> {
  const what = 'capture';
  try {
    const { items } = await new ApiClient(url, processSources().env['CHAINFOLD_TOKEN']).get<Page<ShownChain>>('/api/v1/chains');
    if (items.length === 0) return [{ what, state: 'warning', detail: 'the running process has captured nothing yet' }];
    return items.map(({ chainId, name, status, reason, nodeHead, head }) => ({
      what,
      state: status === 'following' || status === 'backfilling' ? 'ok' : 'warning',
      detail: `chain ${chainId} (${name}) is ${status} at block ${head?.number ?? '-'} of ${nodeHead ?? '?'}${reason === null ? '' : `: ${reason}`}`,
    }));
  } catch (error) {
    return [{ what, state: 'warning', detail: `the running process does not tell what it captures: ${explain(error)}` }];
  }
}

/** Every address of a node in the settings, wherever the parts of the program keep theirs: under `rpcUrls`. */
function addressesIn(value: unknown): { readonly label: string; readonly url: string }[] {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    if (key !== 'rpcUrls' || !Array.isArray(inner)) return addressesIn(inner);
    return inner.map((url: unknown) => {
      const text = url instanceof Secret ? String(url.reveal()) : String(url);
      return { label: redactUrl(text), url: text };
    });
  });
}
