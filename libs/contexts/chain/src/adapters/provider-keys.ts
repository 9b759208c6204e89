import type { Tariff } from '#contracts/key-pool';

/** One credential. Its addresses hold the secret and are never told. Several with one alias share a budget. */
export interface PooledKey {
  readonly alias: string;
  readonly httpUrl: string;
  readonly wsUrl?: string;
}

/** A provider with all keys that we have of it for one chain. Crosses to other threads as it is. */
export interface ProviderKeys {
  readonly tariff: Tariff;
  readonly keys: readonly PooledKey[];
}

/** How blocks of a chain are fetched: from whom, and receipts from whom. */
export interface ChainPlan {
  readonly name: string;
  readonly blocks: ProviderKeys;
  /** Undefined: captured without receipts. May be the same object as `blocks`. */
  readonly receipts: ProviderKeys | undefined;
  readonly receiptsBy: 'block' | 'transaction';
  /** Who announces heads; undefined: the one that blocks come from. */
  readonly heads?: ProviderKeys | undefined;
}
