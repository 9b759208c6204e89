import type { Metrics } from '#platform/observability';
import type { KeyBoard, KeyState } from './key-board.ts';

const STATES: readonly KeyState[] = ['ready', 'throttled', 'exhausted', 'down', 'revoked'];

/** What operators and alarms see of keys. */
export function observeKeys(metrics: Metrics, board: KeyBoard): void {
  const keys = async () => (await board.all().catch(() => ({ items: [] }))).items;
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
}
