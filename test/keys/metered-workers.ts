import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import type { Tariff } from '#contracts/key-pool';
import type { LatencyRange } from '../../libs/contexts/key-pool/src/adapters/emulated-providers/emulated-latency.ts';
import type { RefereeReport } from '../../libs/contexts/key-pool/src/adapters/emulated-providers/referee-report.ts';
import { freePort } from '../e2e/stage/anvil-process.ts';
import { ChainfoldProcess, eventually, temporaryDirectory } from '../e2e/stage/chainfold-process.ts';
import { ServedChain } from '../load/served-chain.ts';
import { ProvidersProcess } from './providers-process.ts';

export interface MeteredWorkersOptions {
  readonly tariffs: readonly Tariff[];
  /** By name of the provider; the first of them is asked first where plans cost the same. */
  readonly keys: Readonly<Record<string, number>>;
  readonly seed: number;
  readonly blocks: number;
  readonly transactionsPerBlock: number;
  readonly latency?: LatencyRange;
  /** Of the owner and every worker. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Backfill {
  readonly state: string;
  readonly done: number;
  readonly blocksPerSecond: number;
}

/** What is reached first of all that keys may spend. */
export interface Bound {
  readonly provider: string;
  readonly ledger: string;
  /** Over all its keys: what whole requests fit into. */
  readonly perSecond: number;
}

export interface Spent {
  /** Of what the bound allows. */
  readonly used: number;
  readonly refused: number;
  /** The longest that the providers' process stood still: what came then was metered so much later. */
  readonly stoodStillMs: number;
}

/** Real providers have machines of their own: what emulates them goes before what asks them. */
const YIELDING = 5;

/** An owner and workers as processes, on keys of emulated providers before a replayed chain; each part is a process of its own. */
export class MeteredWorkers {
  owner: ChainfoldProcess;
  readonly workers: ChainfoldProcess[] = [];
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly chain: ServedChain;
  readonly providers: ProvidersProcess;

  private constructor(parts: Pick<MeteredWorkers, 'owner' | 'dataDir' | 'env' | 'chain' | 'providers'>) {
    this.owner = parts.owner;
    this.dataDir = parts.dataDir;
    this.env = parts.env;
    this.chain = parts.chain;
    this.providers = parts.providers;
  }

  static async start({ tariffs, keys, seed, blocks, transactionsPerBlock, latency, env: more = {} }: MeteredWorkersOptions): Promise<MeteredWorkers> {
    const chain = await ServedChain.start({ kind: 'generated', blocks, transactionsPerBlock });
    const accounts = Object.entries(keys).flatMap(([provider, count]) => Array.from({ length: count }, (_, at) => ({ provider, alias: `${provider}-${at + 1}`, secrets: [`secret-of-${provider}-${at + 1}`] })));
    const providers = await ProvidersProcess.start({ upstream: { http: chain.served.url, ws: chain.served.wsUrl }, tariffs, accounts, seed, ...(latency === undefined ? {} : { latency }) });
    const config = temporaryDirectory('metered-config');
    for (const folder of ['providers', 'chains']) mkdirSync(join(config, folder));
    for (const { provider, ...tariff } of tariffs) {
      const { title, unit, ledgers, limits, mostCallsPerRequest, slackMs } = tariff;
      writeFileSync(join(config, 'providers', `${provider}.yaml`), JSON.stringify({ title, source: 'this test', unit, ledgers, limits, mostCallsPerRequest, slackMs, http: providers.addresses.http[provider], ws: providers.addresses.ws[provider] }));
    }
    writeFileSync(join(config, 'chains', 'metered.yaml'), JSON.stringify({ chainId: chain.served.chainId, providers: Object.keys(keys) }));
    writeFileSync(join(config, 'keys.yaml'), JSON.stringify(Object.fromEntries(accounts.map(({ alias, provider, secrets }) => [alias, { provider, secrets }]))));
    const port = String(await freePort());
    const env = { ...more, CONFIG_DIR: config, WORKERS_PORT: port, OWNER: `127.0.0.1:${port}` };
    const dataDir = temporaryDirectory('metered');
    const owner = await yielding({ ...env, DATA_DIR: dataDir });
    const all = new MeteredWorkers({ owner, dataDir, env, chain, providers });
    await eventually(async () => {
      if ((await owner.api<{ head: { number: number } | null }>(`/chains/${chain.served.chainId}`)).head === null) throw new Error('the head is not there yet');
    });
    return all;
  }

  /** On the data directory that the one before left. */
  async restartOwner(): Promise<void> {
    this.owner = await yielding({ ...this.env, DATA_DIR: this.dataDir });
  }

  async addWorkers(count: number): Promise<void> {
    this.workers.push(...(await Promise.all(Array.from({ length: count }, () => yielding(this.env, 'start:worker')))));
    await eventually(async () => {
      const there = await this.owner.metric('chainfold_chain_workers');
      const alive = this.workers.filter(({ child }) => child.exitCode === null && child.signalCode === null).length;
      if (there !== alive) throw new Error(`${there} of ${alive} workers are there`);
    });
  }

  /** Resolves with where it can be asked for. */
  async startBackfill(from = this.chain.served.first, to = this.chain.served.last - 1): Promise<string> {
    const asked = await this.owner.post(`/chains/${this.chain.served.chainId}/backfills`, { from, to });
    return asked.headers.get('location') as string;
  }

  backfill(location: string): Promise<Backfill> {
    return this.owner.get<Backfill>(location);
  }

  async spentFor(ms: number, bound: Bound): Promise<Spent> {
    await this.providers.stoodStillMs();
    const [before, from] = [await this.providers.report(), performance.now()];
    await new Promise((over) => setTimeout(over, ms));
    const [after, to] = [await this.providers.report(), performance.now()];
    const used = usedBetween(before, after, bound) / ((bound.perSecond * (to - from)) / 1_000);
    return { used, refused: after.overruns - before.overruns, stoodStillMs: await this.providers.stoodStillMs() };
  }

  async close(): Promise<void> {
    await Promise.all([this.owner, ...this.workers].map((one) => one.kill()));
    await this.providers.stop();
    await this.chain.stop();
    for (const directory of [this.dataDir, this.env['CONFIG_DIR'] as string]) rmSync(directory, { recursive: true, force: true });
  }
}

async function yielding(env: Readonly<Record<string, string>>, script?: 'start:worker'): Promise<ChainfoldProcess> {
  const started = await ChainfoldProcess.start({ ...env }, script);
  setPriority(started.child.pid as number, YIELDING);
  return started;
}

/** Units of one ledger that all accounts of a provider used between two reports. */
function usedBetween(before: RefereeReport, after: RefereeReport, { provider, ledger }: Bound): number {
  const units = (report: RefereeReport): number => report.accounts.filter((one) => one.provider === provider).reduce((sum, one) => sum + (one.units[ledger] ?? 0), 0);
  return units(after) - units(before);
}
