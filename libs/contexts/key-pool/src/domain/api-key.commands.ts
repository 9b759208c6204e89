import type { Settlement } from './leasing.ts';
import type { Limit } from './tariff.ts';
import type { ClosedState } from './api-key.events.ts';

export type ApiKeyCommand =
  | { readonly type: 'RegisterKey'; readonly alias: string; readonly provider: string; readonly fingerprints: readonly string[]; readonly limits: readonly Limit[]; readonly slackMs: number }
  /**
   * `parts`: into how many equal shares the key is cut at present. A lease that stands is renewed; one that has much time
   * left is left as it is. Decides nothing where nothing is free, or less than `least` of a rolling limit, by its name.
   */
  | { readonly type: 'LeaseBudget'; readonly lease: string; readonly holder: string; readonly forMs: number; readonly parts: number; readonly least: Readonly<Record<string, number>> }
  | { readonly type: 'SettleBudget'; readonly settlement: Omit<Settlement, 'key'> }
  /** All leases of these holders but of this one: they ended with their process. */
  | { readonly type: 'LoseLeases'; readonly holders: string; readonly but: string }
  /** `until`: milliseconds since the epoch; null: until it is registered with other credentials. */
  | { readonly type: 'CloseKey'; readonly state: ClosedState; readonly until: number | null; readonly message: string }
  /** Of a revoked key: somebody says that it is to be tried again. */
  | { readonly type: 'ReopenKey' };
