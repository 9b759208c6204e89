import type { Clock } from '#platform/kernel';
import type { Tariff } from '../../contracts/index.ts';
import { EmulatedFaults } from './emulated-faults.ts';
import type { LatencyRange } from './emulated-latency.ts';
import { drawLatency } from './emulated-latency.ts';
import { EmulatedProvider } from './emulated-provider.ts';
import { EmulatedServer } from './emulated-server.ts';
import { HeadSight } from './head-sight.ts';
import { ProviderGate } from './provider-gate.ts';
import type { MannerOptions } from './provider-manner.ts';
import { mannerOf } from './provider-manner.ts';
import { Referee } from './referee.ts';
import { seededChance } from './seeded-chance.ts';
import { UpstreamNode } from './upstream-node.ts';

export interface EmulatedAccount {
  /** Of the tariff. */
  readonly provider: string;
  /** Unique; what reports and faults call it. */
  readonly alias: string;
  /** Keys that share its budget. */
  readonly secrets: readonly string[];
}

export interface EmulatedProvidersOptions {
  /** Any node; without `ws` there are no subscriptions. */
  readonly upstream: { readonly http: string; readonly ws?: string };
  readonly tariffs: readonly Tariff[];
  readonly accounts: readonly EmulatedAccount[];
  /** Window phases, clock skews of up to two seconds either way, latencies and faults with a chance come from it. */
  readonly seed: number;
  readonly clock: Clock;
  /** Left out: 50 to 400 ms, of which up to 40 pass before the meter. */
  readonly latency?: LatencyRange;
  /** By name of the provider. */
  readonly manners?: Readonly<Record<string, MannerOptions>>;
  /** Left out: a free one. */
  readonly port?: number;
}

export interface EmulatedProviders {
  /** Of 127.0.0.1, also for `GET /referee` and `/faults`. */
  readonly base: string;
  /** With `{key}` where the key stands: `http://127.0.0.1:1234/infura/v3/{key}`. */
  url(provider: string): string;
  wsUrl(provider: string): string;
  readonly referee: Referee;
  readonly faults: EmulatedFaults;
  close(): Promise<void>;
}

const USUAL_LATENCY: LatencyRange = { leastMs: 50, mostMs: 400, wayInMs: 40 };

/** Providers that meter and refuse as Infura and Alchemy do, in front of any node. */
export async function startEmulatedProviders(options: EmulatedProvidersOptions): Promise<EmulatedProviders> {
  const { seed, clock, tariffs, accounts, manners = {}, latency = USUAL_LATENCY } = options;
  const upstream = new UpstreamNode(options.upstream);
  const faults = new EmulatedFaults(seededChance(seed, 'faults'), clock);
  const ways = new Map(tariffs.map((tariff) => [tariff.provider, mannerOf(tariff, manners[tariff.provider] ?? {}, seededChance(seed, `words of ${tariff.provider}`))]));
  const mannerIn = (provider: string) => {
    const manner = ways.get(provider);
    if (manner === undefined) throw new Error(`no provider ${provider} is emulated here`);
    return manner;
  };
  const referee = new Referee({ tariffs, accounts: accounts.map(({ provider, alias }) => ({ provider, alias })), seed, clock, modelOf: (provider, limit) => mannerIn(provider).modelOf(limit) });
  const sight = new HeadSight(upstream, clock);
  const closing = new AbortController();
  const providers = tariffs.map(({ provider, unsupported }) => {
    const manner = mannerIn(provider);
    const gate = new ProviderGate({ manner, unsupported, referee, faults, sight });
    const own = new Map(accounts.filter((account) => account.provider === provider).flatMap(({ alias, secrets }) => secrets.map((secret) => [secret, alias] as const)));
    const chance = seededChance(seed, `latency of ${provider}`);
    return new EmulatedProvider({ manner, gate, referee, faults, accounts: own, clock, latency: () => drawLatency(latency, chance), closing: closing.signal });
  });
  const server = new EmulatedServer({ providers, upstream, referee, faults });
  const address = await server.listen(options.port ?? 0);
  return {
    base: `http://${address}`,
    url: (provider) => `http://${address}${mannerIn(provider).httpPath}`,
    wsUrl: (provider) => `ws://${address}${mannerIn(provider).wsPath}`,
    referee,
    faults,
    close: async () => {
      closing.abort(new Error('the emulated providers are closed'));
      await server.close();
      await upstream.close();
    },
  };
}
