import type { Projection, ProjectionSettings } from '#platform/projections';
import { projected } from './projected.ts';
import type { EventSketch , Projected} from './projected.ts';

/**
 * What every projection promises, whatever it is about. `makeEvents` answers the same events for the same seed: make
 * them many and varied enough that each table gets rows, updates and (where there are any) deletes.
 */
export function describeProjectionLaws(projection: Projection, makeEvents: (seed: number) => readonly EventSketch[]): void {
  const settings = (maxBatchEvents: number): Partial<ProjectionSettings> => ({ maxBatchEvents, firstRetryMs: 1, maxRetryMs: 5 });

  describe(`the projection ${projection.name} keeps the laws:`, () => {
    let events: readonly EventSketch[];
    let expected: string;
    const open: Projected[] = [];

    const built = async (list: readonly EventSketch[], maxBatchEvents = 8_000): Promise<Projected> => {
      const read = await projected(projection, list, settings(maxBatchEvents));
      open.push(read);
      return read;
    };

    beforeAll(async () => {
      events = makeEvents(1);
      expected = (await built(events)).dump();
    });
    afterEach(async () => {
      await Promise.all(open.splice(0).map((read) => read.close()));
    });

    it('its events make rows, and none of them is poison', async () => {
      const read = await built(events);
      expect(read.dump()).not.toBe('');
      expect(await read.runner.parked(projection.name)).toEqual([]);
    });

    it('replayed twice is replayed once', async () => {
      expect((await built(makeEvents(1))).dump()).toBe(expected);
    });

    it.each([1, 2, 7, 64])('a batch of %i events gives the same bytes', async (size) => {
      expect((await built(events, size)).dump()).toBe(expected);
    });

    it('what was built while the events arrived is what a rebuild gives', async () => {
      const read = await built([]);
      for (let from = 0; from < events.length; from += Math.ceil(events.length / 5)) {
        await read.append(events.slice(from, from + Math.ceil(events.length / 5)));
        await read.caughtUp();
      }
      const live = read.dump();
      await read.runner.rebuild(projection.name);
      await read.swapped();
      const [status] = await read.runner.status();
      expect(status?.generations.find((generation) => generation.state === 'live')?.verification?.verdict).toBe('same');
      expect(read.dump()).toBe(live);
      expect(live).toBe(expected);
    });

    it('an event type that it does not know changes nothing', async () => {
      const streams = [...new Set(events.map((event) => event.stream))];
      const unknown = (stream: string): EventSketch => ({ stream, type: 'NobodyKnowsThis', data: { any: 'thing' } });
      expect((await built([...events, ...streams.map(unknown)], 3)).dump()).toBe(expected);
    });

    it('stopped and started again at any point, it goes on where it was', async () => {
      const read = await built([], 3);
      const parts = Math.min(events.length, 12);
      for (let part = 0; part < parts; part += 1) {
        await read.append(events.slice(Math.floor((part * events.length) / parts), Math.floor(((part + 1) * events.length) / parts)));
        await read.stop();
        await read.run();
      }
      await read.caughtUp();
      expect(read.dump()).toBe(expected);
    });

    it('holds them for other events too', async () => {
      for (const seed of [2, 3]) {
        const small = await built(makeEvents(seed), 5);
        const large = await built(makeEvents(seed));
        expect(small.dump()).toBe(large.dump());
      }
    });
  });
}
