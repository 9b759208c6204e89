import { MemoryEventStore } from '#platform/event-store';
import { systemClock } from '#platform/kernel';
import type { Projected} from '#platform/testing';
import { appendSketches, countings, projected, tally } from '#platform/testing';
import { ProjectionRunner } from './projection-runner.ts';
import type { Projection } from './projection.port.ts';

const doubled: Projection = {
  ...tally,
  version: 2,
  apply: (event, batch) => tally.apply({ ...event, data: { ...event.data, by: 2 * Number(event.data['by'] ?? 0) } }, batch),
};

describe('rebuilding', () => {
  let read: Projected;
  let second: ProjectionRunner | undefined;

  const total = (): number =>
    Number(read.store.read('tally', (view) => view.get(`SELECT sum(amount) AS n FROM ${view.table('entries')}`))?.['n']);
  const runnerOf = async (projection: Projection, log = read.log): Promise<ProjectionRunner> => {
    const runner = new ProjectionRunner({ reader: log, store: read.writer, projections: [projection], clock: systemClock, settings: { maxBatchEvents: 16 } });
    await runner.start();
    return runner;
  };
  const until = async (what: () => Promise<boolean> | boolean): Promise<void> => {
    for (let tries = 0; tries < 1_000 && !(await what()); tries += 1) await systemClock.sleep(5);
    expect(await what()).toBe(true);
  };

  beforeEach(async () => {
    second = undefined;
    read = await projected(tally, countings(1, 400));
  });
  afterEach(async () => {
    await second?.close();
    await read.close();
  });

  it('makes the same bytes in a new generation, compares them and keeps the old one', async () => {
    const before = read.dump();
    expect(await read.runner.rebuild('tally')).toBe(2);
    await read.swapped();
    expect(read.dump()).toBe(before);
    const [status] = await read.runner.status();
    expect(status).toMatchObject({ generation: 2, state: 'live' });
    expect(status?.generations.map(({ generation, state }) => [generation, state])).toEqual([[1, 'kept'], [2, 'live']]);
    expect(status?.generations[1]?.verification).toMatchObject({ verdict: 'same', rows: { entries: expect.any(Number) as number } });
  });

  it('tells when the live rows were not what the log says', async () => {
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(read.file, { timeout: 1_000 });
    db.exec('UPDATE tally$1$totals SET total = total + 1');
    db.close();
    await read.runner.rebuild('tally');
    await read.swapped();
    const [status] = await read.runner.status();
    const verification = status?.generations.find((generation) => generation.state === 'live')?.verification;
    expect(verification?.verdict).toBe('differs');
    expect(verification?.hash).not.toBe(verification?.liveHash);
  });

  it('goes on while the live one does', async () => {
    await read.runner.rebuild('tally');
    for (let round = 0; round < 10; round += 1) {
      await read.append(countings(round + 5, 20));
      await read.caughtUp();
    }
    await read.swapped();
    await read.caughtUp();
    const rebuilt = read.dump();
    await read.runner.rebuild('tally');
    await read.swapped();
    expect(read.dump()).toBe(rebuilt);
    expect((await read.runner.status())[0]?.generations).toHaveLength(2);
    await until(() => read.writer.generations('tally').length === 2);
  });

  it('swaps back to the kept generation, which catches up first', async () => {
    await read.runner.rebuild('tally');
    await read.swapped();
    await read.append(countings(2, 30));
    await read.caughtUp();
    const now = read.dump();
    await read.runner.activate('tally', 1);
    await read.swapped();
    expect((await read.runner.status())[0]).toMatchObject({ generation: 1 });
    expect(read.dump()).toBe(now);
    await expect(read.runner.activate('tally', 7)).rejects.toMatchObject({ code: 'no-such-generation' });
  });

  it('does not let go live by command what has not caught up, so that the live one need not wait for it', async () => {
    await read.append(countings(9, 3_000));
    await read.caughtUp();
    const building = await read.runner.rebuild('tally');
    await expect(read.runner.activate('tally', building)).rejects.toMatchObject({ code: 'rebuild-in-progress' });
    await expect(read.runner.activate('tally', 1)).rejects.toMatchObject({ code: 'rebuild-in-progress' });
    await read.swapped();
    expect((await read.runner.status())[0]).toMatchObject({ generation: building, state: 'live' });
  });

  it('removes a kept generation when it is retired', async () => {
    await read.runner.rebuild('tally');
    await read.swapped();
    await read.runner.retire('tally', 1);
    await until(() => read.writer.generations('tally').length === 1);
    const tables = read.writer.snapshot();
    expect(tables.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name LIKE 'tally$1$%'").get()?.['n']).toBe(0);
    tables.close();
  });

  it('happens by itself when the version is raised; the old answers are served until the new ones are complete', async () => {
    const before = total();
    await read.stop();
    expect(total()).toBe(before);
    second = await runnerOf(doubled);
    expect([before, 2 * before]).toContain(total());
    await until(async () => (await second?.status())?.[0]?.rebuild === undefined);
    expect(total()).toBe(2 * before);
    expect((await second.status())[0]).toMatchObject({ version: 2, generation: 2, state: 'live' });
  });

  it('goes on where it was after a restart in the middle', async () => {
    await read.stop();
    second = await runnerOf(doubled);
    await until(() => (read.writer.generations('tally')[1]?.events ?? 0) > 20);
    await second.close();
    const [, half] = read.writer.generations('tally');
    second = await runnerOf(doubled);
    await until(async () => (await second?.status())?.[0]?.rebuild === undefined);
    const [, whole] = read.writer.generations('tally');
    expect(whole).toMatchObject({ generation: half?.generation, state: 'live', events: 400 });
  });

  it('takes the kept generation back when an older release is started again', async () => {
    const before = total();
    await read.stop();
    second = await runnerOf(doubled);
    await until(async () => (await second?.status())?.[0]?.rebuild === undefined);
    await second.close();
    second = await runnerOf(tally);
    await until(() => read.writer.generations('tally').find((generation) => generation.state === 'live')?.version === 1);
    expect(total()).toBe(before);
    expect(read.writer.generations('tally').map(({ generation }) => generation)).toEqual([1, 2]);
  });

  it('is what another log gets: rows of the first one are never shown again', async () => {
    await read.stop();
    const other = new MemoryEventStore('xother');
    await appendSketches(other, [{ stream: 'counter-1', type: 'Counted', data: { by: 5 } }]);
    second = await runnerOf(tally, other);
    await until(() => total() === 5);
    const position = read.store.read('tally', (view) => view.asOf);
    expect(position.startsWith('xother:')).toBe(true);
    await expect(read.store.waitFor('tally', await read.log.head(), 10, systemClock)).rejects.toMatchObject({ code: 'foreign-position' });
  });

  it('is what follows when the log is shorter than what was read of it', async () => {
    await read.stop();
    const restored = new MemoryEventStore('xtest');
    await appendSketches(restored, countings(1, 50));
    second = await runnerOf(tally, restored);
    await read.store.waitFor('tally', await restored.head(), 5_000, systemClock);
    expect((await second.status())[0]).toMatchObject({ generation: 2, eventsApplied: 50 });
  });
});
