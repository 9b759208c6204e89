import { randomUUID } from 'node:crypto';
import { extname } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import type { ActorSystem } from '#platform/actors';
import { processMetrics } from '#platform/observability';
import type { ReadStore } from '#platform/read-store';
import type { Boot, WorkerBoot } from '#platform/runtime';
import { Secret, type SettingsOf } from '#platform/settings';
import type { OwnerConnection } from '#platform/workers';
import { demoKeys } from './adapters/demo-keys.ts';
import { startEmulatedProviders } from './adapters/emulated-providers/start-emulated-providers.ts';
import { HttpKeyProbe } from './adapters/http.key-probe.ts';
import { NestLeaseDesk } from './adapters/nest.lease-desk.ts';
import { SqliteKeyUsage } from './adapters/sqlite.key-usage.ts';
import { KeysController } from './api/keys.controller.ts';
import { defineApiKeyActors } from './application/api-key-actors.ts';
import { addressesOf, configuredKeys, type ConfiguredKey, type ConfiguredProvider } from './application/configured-keys.ts';
import { KeyBoard } from './application/key-board.ts';
import { PlannedKeyExplainer } from './application/key-explainer.ts';
import { observeKeys } from './application/key-metrics.ts';
import { BookingLeaseDesk } from './application/lease-desk.ts';
import { LeasedPurse } from './application/leased-purse.ts';
import type { EmulatedAccess, KeyAccess, LeaseDesk, ProviderKeys, Tariff } from './contracts/index.ts';
import { planBlocks } from './domain/block-plan.ts';
import type { keySettings } from './key-pool.settings.ts';
import { KeyExplainer, KeyProbe } from './ports/key-desk.port.ts';

export type KeyBoot = Boot<SettingsOf<typeof keySettings>>;

/** Where the projector's thread finds this context's projections. */
export const keyProjections = new URL(`./projections/index${extname(import.meta.url)}`, import.meta.url).href;

export interface KeySurroundings {
  readonly boot: KeyBoot;
  readonly actors: ActorSystem;
  readonly reads: ReadStore;
  /** Whether the embedded node is captured where there are no keys: emulated ones then stand before it. */
  readonly embedded: boolean;
}

/** Holders that live in the process of the desk; they end with it. */
const INSIDE = 'inside.';
const DEMO_SEED = 7;
/** Of the demo: a little, so that it is seen, and heads come soon. */
const DEMO_LATENCY = { leastMs: 3, mostMs: 15, wayInMs: 5 };

/** The keys of a program: registered, booked, spent through one purse, and shown. */
export class KeyPool {
  readonly module: DynamicModule;
  readonly access: KeyAccess;
  readonly desk: LeaseDesk;

  private constructor(module: DynamicModule, access: KeyAccess, desk: LeaseDesk) {
    this.module = module;
    this.access = access;
    this.desk = desk;
  }

  static async open({ boot, actors, reads, embedded }: KeySurroundings): Promise<KeyPool> {
    const { clock, log, lifecycle } = boot;
    const configured = configuredKeys(boot.settings);
    const emulated = configured.keys.length === 0 && embedded && boot.capture === 'online' && boot.settings.keyPool.emulated;
    const keys = emulated ? demoKeys().map(({ secret, ...key }): ConfiguredKey => ({ ...key, secrets: [new Secret(secret)], fingerprints: ['emulated'] })) : configured.keys;
    const tariffs = new Map([...configured.providers].filter(([name]) => keys.some(({ provider }) => provider === name)).map(([name, { tariff }]) => [name, tariff]));

    const apiKeys = defineApiKeyActors(actors);
    const desk = new BookingLeaseDesk({ actors: apiKeys, keys, tariffs, clock, log });
    const holder = `${INSIDE}${randomUUID().slice(0, 8)}`;
    const purse = new LeasedPurse({ holder, desk, tariffs, clock, log });
    if (boot.capture !== 'offline' && keys.length > 0) {
      await desk.open(INSIDE, holder);
      lifecycle.add({ name: 'keys', phase: 'node', stop: () => purse.close() });
    }
    if (emulated) log.info({ keys: keys.length, hint: 'EMULATED_KEYS=false asks the embedded node directly.' }, 'emulated providers stand before the embedded node: nothing is spent anywhere');
    const usage = new SqliteKeyUsage(reads, clock);
    const board = new KeyBoard({ keys, tariffs, actors: apiKeys, usage, views: () => purse.keys(), clock, emulated });
    if (keys.length > 0) observeKeys(processMetrics, board);
    const explainer = new PlannedKeyExplainer(board);
    const pool = new AddressBook(configured.providers, keys);
    const access: KeyAccess = {
      purse,
      any: configured.keys.length > 0,
      providersFor: (chainId, names) => pool.providersFor(chainId, names),
      plan: planBlocks,
      planned: (chainId, providers, planning) => explainer.planned(chainId, providers, planning),
      emulate: emulated ? (node) => emulate(node, pool, boot) : undefined,
    };
    const module: DynamicModule = {
      module: KeyPoolModule,
      controllers: [KeysController],
      providers: [
        { provide: KeyBoard, useValue: board },
        { provide: KeyExplainer, useValue: explainer },
        { provide: KeyProbe, useValue: new HttpKeyProbe(purse, () => pool.probed(), async (alias) => {
          await desk.reopen(alias);
          purse.reopened(alias);
        }) },
      ],
    };
    return new KeyPool(module, access, desk);
  }
}

/** What a worker process may spend: its own secrets, at the desk of the owner. */
export function workerKeys(boot: WorkerBoot<SettingsOf<typeof keySettings>>, owner: OwnerConnection): KeyAccess {
  const { clock, log, lifecycle } = boot;
  const { providers, keys } = configuredKeys(boot.settings);
  const tariffs = new Map([...providers].filter(([name]) => keys.some(({ provider }) => provider === name)).map(([name, { tariff }]) => [name, tariff]));
  const purse = new LeasedPurse({ holder: owner.holder, desk: new NestLeaseDesk(owner), tariffs, clock, log });
  lifecycle.add({ name: 'keys', phase: 'node', stop: () => purse.close() });
  const pool = new AddressBook(providers, keys);
  return { purse, any: keys.length > 0, providersFor: (chainId, names) => pool.providersFor(chainId, names), plan: planBlocks, planned: () => undefined, emulate: undefined };
}

@Module({})
class KeyPoolModule {}

/** Where each key is reached, chain by chain. Holds secrets. */
class AddressBook {
  readonly #providers: ReadonlyMap<string, ConfiguredProvider>;
  readonly #keys: readonly ConfiguredKey[];
  readonly #asked = new Map<string, readonly string[]>();
  /** Instead of what the providers' files say. */
  templates: ReadonlyMap<string, { readonly http: string; readonly ws: string }> = new Map();

  constructor(providers: ReadonlyMap<string, ConfiguredProvider>, keys: readonly ConfiguredKey[]) {
    this.#providers = providers;
    this.#keys = keys;
  }

  providersFor(chainId: string, names?: readonly string[]): readonly ProviderKeys[] {
    return [...this.#providers.entries()].flatMap(([name, provider]) => {
      if (names !== undefined && !names.includes(name)) return [];
      const template = this.templates.get(name);
      const at = template === undefined ? provider : { ...provider, ...template, networks: undefined };
      const own = this.#keys.filter((key) => key.provider === name);
      const keys = own.flatMap(({ alias, secrets }) => {
        const addresses = secrets.flatMap((secret) => addressesOf(at, secret.reveal(), chainId) ?? []);
        if (addresses.length > 0) this.#asked.set(alias, addresses.map(({ httpUrl }) => httpUrl));
        return addresses.map((address) => ({ alias, ...address }));
      });
      return keys.length === 0 ? [] : [{ tariff: provider.tariff, keys }];
    });
  }

  /** As they were last asked for a chain. */
  probed(): readonly { readonly alias: string; readonly tariff: Tariff; readonly httpUrls: readonly string[] }[] {
    return this.#keys.map(({ alias, provider }) => ({ alias, tariff: (this.#providers.get(provider) as ConfiguredProvider).tariff, httpUrls: this.#asked.get(alias) ?? [] }));
  }
}

async function emulate(node: { readonly http: string; readonly ws: string }, book: AddressBook, { clock }: KeyBoot): Promise<EmulatedAccess> {
  const accounts = demoKeys().map(({ provider, alias, secret }) => ({ provider, alias, secrets: [secret] }));
  const tariffs = book.probed().reduce((all, { tariff }) => all.set(tariff.provider, tariff), new Map<string, Tariff>());
  const emulated = await startEmulatedProviders({ upstream: node, tariffs: [...tariffs.values()], accounts, seed: DEMO_SEED, clock, latency: DEMO_LATENCY });
  book.templates = new Map([...tariffs.keys()].map((name) => [name, { http: emulated.url(name), ws: emulated.wsUrl(name) }]));
  return { providers: book.providersFor(''), close: () => emulated.close() };
}
