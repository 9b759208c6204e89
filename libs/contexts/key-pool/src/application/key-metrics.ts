import type { Metrics } from '#platform/observability';
import type { KeyBoard, KeyState } from './key-board.ts';

const STATES: readonly KeyState[] = ['ready', 'throttled', 'exhausted', 'down', 'revoked'];

/** What operators and alarms see of keys. */
export function observeKeys(metrics: Metrics, board: KeyBoard): void {
  const keys = async () => (await board.all().catch(() => ({ items: [] }))).items;
  /** The projection may not stand yet. */
  const told = <Row>(rows: () => readonly Row[]): readonly Row[] => {
    try {
      return rows();
    } catch {
      return [];
    }
  };
  metrics.observed('chainfold_keys_state', 'Whether a key is in this state.', ['key', 'provider', 'state'], async () =>
    (await keys()).flatMap(({ alias, provider, state }) => STATES.map((one) => ({ value: one === state ? 1 : 0, labels: { key: alias, provider, state: one } }))),
  );
  metrics.observed('chainfold_keys_left_units', 'What is left of a limit of a key now.', ['key', 'provider', 'limit'], async () =>
    (await keys()).flatMap(({ alias, provider, limits }) => limits.map(({ name, left }) => ({ value: left, labels: { key: alias, provider, limit: name } }))),
  );
  metrics.observed('chainfold_keys_booked_units', 'Booked on a key since it is known: handed out and not given back.', ['key', 'provider'], async () =>
    (await keys()).map(({ alias, provider, totals }) => ({ value: totals.booked, labels: { key: alias, provider } })),
  );
  metrics.observed('chainfold_keys_acknowledged_units', 'Of answered requests on a key since it is known.', ['key', 'provider'], async () =>
    (await keys()).map(({ alias, provider, totals }) => ({ value: totals.acknowledged, labels: { key: alias, provider } })),
  );
  metrics.observed('chainfold_keys_last_hour_requests', 'Requests on a key in the last hour.', ['key', 'provider'], async () =>
    (await keys()).map(({ alias, provider, usage }) => ({ value: usage['1h']?.requests ?? 0, labels: { key: alias, provider } })),
  );
  metrics.observed('chainfold_keys_last_hour_refusals', 'Refusals and failures of a key in the last hour.', ['key', 'provider'], async () =>
    (await keys()).map(({ alias, provider, usage }) => ({ value: usage['1h']?.errors ?? 0, labels: { key: alias, provider } })),
  );
  metrics.observed('chainfold_keys_leased_ratio', 'How much of a limit is leased now; of a day or month, how much of it is handed out and not spent yet.', ['key', 'provider', 'limit'], async () =>
    (await keys()).flatMap(({ alias, provider, limits, leases }) =>
      limits.map(({ name, units }) => ({ value: leases.reduce((sum, { rate, quota }) => sum + (rate[name] ?? quota[name] ?? 0), 0) / units, labels: { key: alias, provider, limit: name } })),
    ),
  );
  metrics.observed('chainfold_keys_today_units', 'Spent on a key since midnight UTC, by what for.', ['key', 'provider', 'chain', 'method'], () =>
    told(() => board.spent(1).items).map(({ alias, provider, chainId, method, units }) => ({ value: units, labels: { key: alias, provider, chain: chainId, method } })),
  );
  metrics.observed('chainfold_keys_today_refusals', 'Refusals and failures of a key since midnight UTC, by class of the answer.', ['key', 'provider', 'class'], () =>
    told(() => board.refusedToday()).map(({ alias, provider, class: kind, count }) => ({ value: count, labels: { key: alias, provider, class: kind } })),
  );
}
