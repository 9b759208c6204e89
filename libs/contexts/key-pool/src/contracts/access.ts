import type { Plannable, Planning, PlanNeed } from '../domain/plans.ts';
import type { KeyPurse } from './spending.ts';
import type { Tariff } from '../domain/tariff.ts';

/** One credential for one chain. Its addresses hold the secret: never into a log, an event, an answer. */
export interface KeyAddress {
  readonly alias: string;
  readonly httpUrl: string;
  readonly wsUrl?: string;
}

/** A provider with all keys that there are of it for one chain. */
export interface ProviderKeys {
  readonly tariff: Tariff;
  readonly keys: readonly KeyAddress[];
}

/** What the capture of chains needs of keys. */
export interface KeyAccess {
  readonly purse: KeyPurse;
  /** Whether there are keys of providers; emulated ones do not count. */
  readonly any: boolean;
  /** Of the providers of these names that serve this chain; names left out: of all that have keys. */
  providersFor(chainId: string, names?: readonly string[]): readonly ProviderKeys[];
  plan(providers: readonly Plannable[], need: PlanNeed): Planning;
  /** Told for `explain`: what is planned for a chain. */
  planned(chainId: string, providers: readonly Plannable[], planning: Planning): void;
  /** Puts emulated providers before a node; undefined where keys are real or there shall be none. */
  readonly emulate: ((node: { readonly http: string; readonly ws: string }) => Promise<EmulatedAccess>) | undefined;
}

export interface EmulatedAccess {
  readonly providers: readonly ProviderKeys[];
  close(): Promise<void>;
}
