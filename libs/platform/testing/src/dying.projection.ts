import type { Projection } from '#platform/projections';

/** Takes its whole thread down, as a bug in a timer does. */
export const projections: readonly Projection[] = [
  {
    name: 'dying',
    version: 1,
    types: ['Counted'],
    tables: [{ name: 'rows', columns: { id: 'text' }, key: ['id'] }],
    keyOf: (event) => event.stream,
    apply: (event, batch) => {
      batch.put('rows', { id: event.id });
      if (event.data['die'] !== true) return;
      setTimeout(() => {
        throw new Error('the thread dies here');
      }, 30);
    },
  },
];
