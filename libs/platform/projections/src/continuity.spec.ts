import { MemoryEventStore } from '#platform/event-store';
import type { RecordedEvent } from '#platform/kernel';
import { appendSketches, tally } from '#platform/testing';
import { Continuity } from './continuity.ts';
import type { Projection } from './projection.port.ts';

const orders: Projection = { ...tally, types: ['Counted'], gapless: ['counter'] };
const someTypes: Projection = { ...orders, gapless: [] };
const everyType: Projection = { ...someTypes, types: [] };

describe('watching that no revision is missing', () => {
  let log: MemoryEventStore;
  let events: readonly RecordedEvent[];
  const given = async (...types: readonly string[]): Promise<void> => {
    log = new MemoryEventStore('xtest');
    await appendSketches(log, types.map((type, by) => ({ stream: 'counter-1', type, data: { by } })));
    events = (await log.readAll('start' as never, {}, 1_000)).events;
  };
  const counted = (count: number): string[] => Array.from({ length: count }, () => 'Counted');
  /** Shows these revisions in this order; answers the code of the alarm, if any. */
  const seen = async (continuity: Continuity, ...revisions: readonly number[]): Promise<string | undefined> => {
    for (const revision of revisions) {
      try {
        await continuity.see(events[revision] as RecordedEvent);
      } catch (error) {
        return (error as { code?: string }).code;
      }
    }
    return undefined;
  };

  it('lets a stream without gaps pass without asking the log', async () => {
    await given(...counted(5));
    const continuity = new Continuity(orders, log, new Map());
    for (const event of events) expect(continuity.see(event)).toBeUndefined();
  });

  it('raises the alarm for a revision that never came', async () => {
    await given(...counted(5));
    expect(await seen(new Continuity(orders, log, new Map()), 0, 1, 3)).toBe('gap-detected');
  });

  it('says which revision is missing', async () => {
    await given('Counted', 'Other', 'Counted', 'Counted');
    const continuity = new Continuity(orders, log, new Map([['counter-1', 0]]));
    await expect(continuity.see(events[3] as RecordedEvent)).rejects.toMatchObject({ facts: { stream: 'counter-1', expected: 2, found: 3 } });
  });

  it('expects a declared stream from its very first revision', async () => {
    await given(...counted(3));
    expect(await seen(new Continuity(orders, log, new Map()), 1)).toBe('gap-detected');
  });

  it('goes on after a restart where the commit left it', async () => {
    await given(...counted(6));
    const before = new Continuity(orders, log, new Map());
    await seen(before, 0, 1, 2);
    const stored = before.takeChanged();
    expect([...stored]).toEqual([['counter-1', 2]]);
    expect(before.takeChanged().size).toBe(0);
    expect(await seen(new Continuity(orders, log, new Map(stored)), 3)).toBeUndefined();
    expect(await seen(new Continuity(orders, log, new Map(stored)), 4)).toBe('gap-detected');
  });

  it('is not alarmed by types that are not read, however many lie between', async () => {
    await given('Counted', ...Array.from({ length: 600 }, () => 'Other'), 'Counted');
    expect(await seen(new Continuity(orders, log, new Map()), 0, 601)).toBeUndefined();
  });

  it('takes a repeat for no gap, and does not step back by it', async () => {
    await given(...counted(5));
    const continuity = new Continuity(orders, log, new Map());
    expect(await seen(continuity, 0, 1, 2, 1, 3)).toBeUndefined();
    expect([...continuity.takeChanged()]).toEqual([['counter-1', 3]]);
  });

  it('watches every stream of a projection that reads every type, from where it first saw it', async () => {
    await given(...counted(6));
    const continuity = new Continuity(everyType, log, new Map());
    expect(await seen(continuity, 2, 3)).toBeUndefined();
    expect(await seen(continuity, 5)).toBe('gap-detected');
    expect(continuity.takeChanged().size).toBe(0);
  });

  it('leaves streams alone of which a projection reads some types only', async () => {
    await given(...counted(6));
    expect(await seen(new Continuity(someTypes, log, new Map()), 0, 5)).toBeUndefined();
  });
});
