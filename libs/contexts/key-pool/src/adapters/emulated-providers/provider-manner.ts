import type { Tariff } from '../../contracts/index.ts';
import type { WindowModel } from './meter-windows.ts';
import type { Refusals, Wording } from './refusal-bodies.ts';
import { alchemyRefusals, infuraRefusals } from './refusal-bodies.ts';
import type { Chance } from './seeded-chance.ts';

export type ProviderFamily = 'infura' | 'alchemy';

/** What may be said of a provider besides its tariff; each is left as its family does it. */
export interface MannerOptions {
  /** Left out: told by the name of the tariff, Infura where it tells nothing. */
  readonly family?: ProviderFamily;
  readonly wording?: Wording;
  /** By name of the rolling limit. */
  readonly windows?: Readonly<Record<string, WindowModel>>;
  /** A larger request is answered with 413. */
  readonly mostRequestBytes?: number;
}

/** How a provider behaves around its meter. */
export interface ProviderManner {
  readonly provider: string;
  readonly refusals: Refusals;
  readonly modelOf: (limit: string) => WindowModel;
  /** Calls of a batch are judged one by one, and the answer is HTTP 200 whatever became of them. */
  readonly judgesEach: boolean;
  /** Open WebSockets are closed when the quota is gone. */
  readonly severs: boolean;
  readonly mostRequestBytes: number;
  /** Paths with `{key}` where the key stands. */
  readonly httpPath: string;
  readonly wsPath: string;
  /** Of the first rolling limit, for words that tell it. */
  readonly allowedPerSecond: number;
}

export function mannerOf(tariff: Tariff, options: MannerOptions, chance: Chance): ProviderManner {
  const { provider, limits } = tariff;
  const family = options.family ?? (provider.startsWith('alchemy') ? 'alchemy' : 'infura');
  const wording = options.wording ?? 'today';
  const rate = limits.find((limit) => limit.kind === 'rolling');
  const infura = family === 'infura';
  return {
    provider,
    refusals: infura ? infuraRefusals(wording) : alchemyRefusals(wording, chance),
    modelOf: (limit) => options.windows?.[limit] ?? (infura ? 'tumbling' : 'rolling'),
    judgesEach: !infura,
    severs: infura,
    mostRequestBytes: options.mostRequestBytes ?? 2_600_000,
    httpPath: infura ? `/${provider}/v3/{key}` : `/${provider}/v2/{key}`,
    wsPath: infura ? `/${provider}/ws/v3/{key}` : `/${provider}/v2/{key}`,
    allowedPerSecond: rate === undefined ? 0 : (rate.units * 1_000) / rate.windowMs,
  };
}
