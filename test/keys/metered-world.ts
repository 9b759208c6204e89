import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ActorSystem } from '#platform/actors';
import { openMemoryEventStore, type EventStore } from '#platform/event-store';
import { type Clock, systemClock } from '#platform/kernel';
import type { Tariff } from '#contracts/key-pool';
import { connectPlan } from '../../libs/contexts/chain/src/adapters/connect-plan.chain-node.ts';
import type { ProviderKeys } from '#contracts/key-pool';
import type { ChainNode } from '../../libs/contexts/chain/src/ports/chain-node.port.ts';
import { uncounted } from '../../libs/contexts/chain/src/ports/chain-node-metrics.port.ts';
import { type EmulatedProviders, startEmulatedProviders } from '../../libs/contexts/key-pool/src/adapters/emulated-providers/start-emulated-providers.ts';
import { type ApiKeyActors, defineApiKeyActors } from '../../libs/contexts/key-pool/src/application/api-key-actors.ts';
import { BookingLeaseDesk } from '../../libs/contexts/key-pool/src/application/lease-desk.ts';
import { LeasedPurse } from '../../libs/contexts/key-pool/src/application/leased-purse.ts';
import { providerFolder } from '../../libs/contexts/key-pool/src/key-pool.settings.ts';

/** As `config/providers` has it. */
export function shippedTariff(provider: string): Tariff {
  const file = join(import.meta.dirname, '../../config/providers', `${provider}.yaml`);
  const { http: _, ws: __, networks: ___, source: ____, pricePerMillion: _____, ...tariff } = providerFolder.schema.parse(parse(readFileSync(file, 'utf8')));
  return { ...tariff, provider };
}

export interface MeteredWorldOptions {
  readonly upstream: { readonly http: string; readonly ws?: string };
  /** Keys by provider. */
  readonly keys: Readonly<Record<string, number>>;
  readonly seed?: number;
  readonly clock?: Clock;
  readonly latency?: { readonly leastMs: number; readonly mostMs: number; readonly wayInMs: number };
}

interface Line {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

/** Emulated providers before a node, and a purse over a log of its own that spends on their keys. */
export class MeteredWorld {
  readonly emulated: EmulatedProviders;
  readonly tariffs: ReadonlyMap<string, Tariff>;
  readonly secrets: readonly string[];
  readonly log: EventStore;
  /** Of the process that lives now. */
  actors: ApiKeyActors;
  readonly lines: Line[] = [];
  purse: LeasedPurse;
  readonly #options: MeteredWorldOptions;
  readonly #nodes: ChainNode[] = [];
  /** Of processes that ended: their desks are gone, so they spend nothing; their timers end with the world. */
  readonly #ended: LeasedPurse[] = [];
  #lives = 0;

  private constructor(options: MeteredWorldOptions, emulated: EmulatedProviders, tariffs: ReadonlyMap<string, Tariff>, secrets: readonly string[], log: EventStore) {
    this.#options = options;
    this.emulated = emulated;
    this.tariffs = tariffs;
    this.secrets = secrets;
    this.log = log;
    this.actors = this.#newActors();
    this.purse = undefined as unknown as LeasedPurse;
  }

  static async start(options: MeteredWorldOptions): Promise<MeteredWorld> {
    const { upstream, keys, seed = 1, clock = systemClock, latency = { leastMs: 1, mostMs: 8, wayInMs: 2 } } = options;
    const tariffs = new Map(Object.keys(keys).map((provider) => [provider, shippedTariff(provider)]));
    const accounts = Object.entries(keys).flatMap(([provider, count]) => Array.from({ length: count }, (_, at) => ({ provider, alias: `${provider}-${at + 1}`, secrets: [`planted${provider.replace('-', '')}secret${at + 1}`] })));
    const emulated = await startEmulatedProviders({ upstream, tariffs: [...tariffs.values()], accounts, seed, clock, latency });
    const world = new MeteredWorld(options, emulated, tariffs, accounts.flatMap(({ secrets }) => secrets), openMemoryEventStore());
    await world.live();
    return world;
  }

  /** A process begins: what an earlier one held is lost. */
  async live(): Promise<void> {
    const { clock = systemClock } = this.#options;
    this.#lives += 1;
    const holder = `inside.${this.#lives}`;
    const log = this.logger();
    this.actors = this.#newActors();
    const keys = Object.entries(this.#options.keys).flatMap(([provider, count]) => Array.from({ length: count }, (_, at) => ({ alias: `${provider}-${at + 1}`, provider, fingerprints: ['f'] })));
    const desk = new BookingLeaseDesk({ actors: this.actors, keys, tariffs: this.tariffs, clock, log });
    await desk.open('inside.', holder);
    if (this.#lives > 1) this.#ended.push(this.purse);
    this.purse = new LeasedPurse({ holder, desk, tariffs: this.tariffs, clock, log });
  }

  logger() {
    const line = (level: string) => (fields: object, message: string) => void this.lines.push({ level, fields, message });
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }

  providerKeys(provider: string): ProviderKeys {
    const count = this.#options.keys[provider] as number;
    const own = Array.from({ length: count }, (_, at) => {
      const secret = `planted${provider.replace('-', '')}secret${at + 1}`;
      return { alias: `${provider}-${at + 1}`, httpUrl: this.emulated.url(provider).replace('{key}', secret), wsUrl: this.emulated.wsUrl(provider).replace('{key}', secret) };
    });
    return { tariff: this.tariffs.get(provider) as Tariff, keys: own };
  }

  node(blocks: string, receipts: string | undefined, more: { readonly receiptsBy?: 'block' | 'transaction'; readonly requestTimeoutMs?: number; readonly heads?: string } = {}): ChainNode {
    const { clock = systemClock } = this.#options;
    const all = new Map(Object.keys(this.#options.keys).map((name) => [name, this.providerKeys(name)]));
    const { receiptsBy = 'block', heads, requestTimeoutMs } = more;
    const plan = { name: 'plan', blocks: all.get(blocks) as ProviderKeys, receipts: receipts === undefined ? undefined : all.get(receipts), receiptsBy, heads: heads === undefined ? undefined : all.get(heads) };
    const node = connectPlan(plan, { purse: this.purse, clock, metrics: uncounted, log: this.logger(), chainId: '1', ...(requestTimeoutMs === undefined ? {} : { limits: { requestTimeoutMs } }) });
    this.#nodes.push(node);
    return node;
  }

  async closeNodes(): Promise<void> {
    await Promise.all(this.#nodes.splice(0).map((node) => node.close()));
  }

  async close(): Promise<void> {
    await this.closeNodes();
    await Promise.all([this.purse, ...this.#ended].map((purse) => purse.close()));
    await this.emulated.close();
    await this.log.close();
  }

  #newActors(): ApiKeyActors {
    return defineApiKeyActors(new ActorSystem({ store: this.log, clock: this.#options.clock ?? systemClock }));
  }
}
