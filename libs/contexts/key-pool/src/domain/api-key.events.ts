import type { Limit } from './tariff.ts';

/** Units by ledger, or by name of a limit. */
type Units = Readonly<Record<string, number>>;

type Closing = {
  readonly at: number;
  /** The provider's words, without secrets. */
  readonly message: string;
};

/** Times in milliseconds since the epoch, by the clock of whoever booked. Stored for ever: a change of shape is a new version. */
export type ApiKeyEvent =
  | { readonly type: 'KeyRegistered'; readonly data: { readonly alias: string; readonly provider: string; readonly fingerprints: readonly string[]; readonly limits: readonly Limit[]; readonly slackMs: number } }
  /** New, or longer and on top of what is left: then with the id it has. `periods`: where each quota is booked. */
  | {
      readonly type: 'BudgetLeased';
      readonly data: {
        readonly lease: string;
        readonly holder: string;
        readonly at: number;
        readonly until: number;
        readonly rate: Units;
        readonly quota: Units;
        readonly periods: Readonly<Record<string, readonly string[]>>;
        readonly headOnly: boolean;
      };
    }
  | {
      readonly type: 'BudgetSettled';
      readonly data: {
        readonly lease: string;
        readonly sequence: number;
        readonly at: number;
        readonly acknowledged: Units;
        readonly unacknowledged: Units;
        readonly requests: number;
        readonly errors: Units;
        readonly by: readonly { readonly chainId: string; readonly method: string; readonly calls: number; readonly units: number }[];
        readonly over: boolean;
      };
    }
  /** Its holder is known to be gone: what it booked and did not settle stays booked. */
  | { readonly type: 'LeaseLost'; readonly data: { readonly lease: string; readonly at: number } }
  | { readonly type: 'KeyThrottled'; readonly data: Closing & { readonly until: number } }
  | { readonly type: 'KeyExhausted'; readonly data: Closing & { readonly until: number } }
  | { readonly type: 'KeyRevoked'; readonly data: Closing }
  | { readonly type: 'KeyRestored'; readonly data: { readonly from: ClosedState; readonly at: number } };

export type ClosedState = 'throttled' | 'exhausted' | 'revoked';
