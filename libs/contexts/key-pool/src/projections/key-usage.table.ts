import type { TableDefinition } from '#platform/read-store';

/** Minutes that are kept of each key: two days and a little. */
export const MINUTES_KEPT = 49 * 60;

/** One row a minute, written over when its place in the ring comes again: `minute` (since the epoch) says which one it is. */
const minutes: TableDefinition = {
  name: 'minutes',
  columns: { alias: 'text', slot: 'integer', minute: 'integer', requests: 'integer', errors: 'integer', units: 'integer' },
  key: ['alias', 'slot'],
  clustered: true,
};

/** What a day's units went to. `day`: of UTC. */
const spent: TableDefinition = {
  name: 'spent',
  columns: { alias: 'text', day: 'text', chain: 'text', method: 'text', calls: 'integer', units: 'integer' },
  key: ['alias', 'day', 'chain', 'method'],
  indexes: [['day']],
};

/** How a day's requests failed, by class of their answer. */
const refusals: TableDefinition = {
  name: 'refusals',
  columns: { alias: 'text', day: 'text', class: 'text', count: 'integer' },
  key: ['alias', 'day', 'class'],
  indexes: [['day']],
};

/** Of each key: when it was last used and refused. */
const lately: TableDefinition = {
  name: 'lately',
  columns: { alias: 'text', settled_at: 'integer', refused_at: 'integer', refusal: 'text', reason: 'text' },
  key: ['alias'],
};

export const keyUsageTables: readonly TableDefinition[] = [minutes, spent, refusals, lately];
