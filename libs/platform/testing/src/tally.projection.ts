import type { Projection } from '#platform/projections';
import type { EventSketch } from './projected.ts';

/** Small enough to be read at once, with everything a real one has: folding, history, deletes, two keys. */
export const tally: Projection = {
  name: 'tally',
  version: 1,
  types: ['Counted', 'Cleared', 'Opened'],
  gapless: ['counter'],
  tables: [
    { name: 'totals', columns: { name: 'text', total: 'integer', note: 'text' }, key: ['name'], indexes: [['total', 'name']] },
    { name: 'entries', columns: { name: 'text', revision: 'integer', amount: 'integer', raw: 'blob' }, key: ['name', 'revision'] },
  ],
  keyOf: (event) => event.stream,
  async apply(event, batch) {
    if (event.data['poison'] === true) throw new Error('this event is poison');
    const name = event.stream;
    if (event.type === 'Cleared') return batch.delete('totals', { name });
    const before = await batch.get('totals', { name });
    const amount = Number(event.data['by'] ?? 0);
    batch.put('totals', { name, total: Number(before?.['total'] ?? 0) + amount, note: event.type });
    batch.put('entries', { name, revision: event.revision, amount: BigInt(amount), raw: new TextEncoder().encode(event.type) });
  },
};

/** `Counted` events over a few streams with a `Cleared` now and then; the same for the same seed. */
export function countings(seed: number, length = 120): EventSketch[] {
  let state = seed * 2654435761;
  const next = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % n;
  };
  return Array.from({ length }, () => {
    const stream = `counter-${next(7)}`;
    return next(9) === 0 ? { stream, type: 'Cleared', data: {} } : { stream, type: 'Counted', data: { by: next(1000) } };
  });
}

/** What a projector's worker loads. */
export const projections: readonly Projection[] = [tally];
