import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '#platform/kernel';
import type { Position } from '#platform/kernel';
import type { EventFilter, EventPage } from '#platform/event-store';
import { MemoryEventStore } from '#platform/event-store';
import { SqliteReadWriter } from '#platform/read-store';
import { appendSketches, countings, Projected, projected, tally } from '#platform/testing';
import { ProjectionRunner } from './projection-runner.ts';

/** Loses one revision of a stream on the way, as a reader with a bug does. */
class LossyLog extends MemoryEventStore {
  lost: number | undefined;

  override async readAll(after: Position, filter: EventFilter, limit: number): Promise<EventPage> {
    const page = await super.readAll(after, filter, limit);
    return { ...page, events: page.events.filter((event) => event.revision !== this.lost) };
  }
}

describe('when something is wrong around it, a projection', () => {
  let read: Projected;
  const runners: ProjectionRunner[] = [];
  const runnerOf = async (log: MemoryEventStore, store: SqliteReadWriter, settings = {}): Promise<ProjectionRunner> => {
    const runner = new ProjectionRunner({ reader: log, store, projections: [tally], clock: systemClock, settings: { firstRetryMs: 5, maxRetryMs: 20, ...settings } });
    runners.push(runner);
    await runner.start();
    return runner;
  };
  const until = async (what: () => Promise<boolean> | boolean): Promise<void> => {
    for (let tries = 0; tries < 1_000 && !(await what()); tries += 1) await systemClock.sleep(5);
    expect(await what()).toBe(true);
  };

  beforeEach(() => {
    read = new Projected(tally);
  });
  afterEach(async () => {
    await Promise.all(runners.splice(0).map((runner) => runner.close()));
    await read.close();
  });

  it('notices a missing revision, applies nothing after it, and goes on once it arrives', async () => {
    const log = new LossyLog('xtest');
    await appendSketches(log, Array.from({ length: 10 }, (_, by) => ({ stream: 'counter-1', type: 'Counted', data: { by } })));
    log.lost = 6;
    const runner = await runnerOf(log, read.writer, { maxBatchEvents: 4 });
    await until(async () => (await runner.status())[0]?.state === 'failed');
    expect((await runner.status())[0]?.lastError).toMatchObject({ code: 'gap-detected' });
    expect(read.dump()).not.toContain('"i7"');
    log.lost = undefined;
    await read.store.waitFor('tally', await log.head(), 5_000, systemClock);
    expect((await runner.status())[0]).toMatchObject({ state: 'live', lastError: undefined });
  });

  it('is not alarmed by a revision of a type that it does not read', async () => {
    const log = new MemoryEventStore('xtest');
    await appendSketches(log, [
      { stream: 'counter-1', type: 'Counted', data: { by: 1 } },
      { stream: 'counter-1', type: 'NobodyKnowsThis', data: {} },
      { stream: 'counter-1', type: 'Counted', data: { by: 2 } },
    ]);
    const runner = await runnerOf(log, read.writer);
    await read.store.waitFor('tally', await log.head(), 5_000, systemClock);
    expect((await runner.status())[0]?.lastError).toBeUndefined();
  });

  it('waits for a busy file and goes on, and says so meanwhile', async () => {
    await read.append(countings(1, 20));
    await read.run();
    await read.caughtUp();
    const other = new DatabaseSync(read.file);
    other.exec('BEGIN IMMEDIATE');
    await read.append(countings(2, 20));
    await until(async () => (await read.runner.status())[0]?.lastError !== undefined);
    expect((await read.runner.status())[0]?.lastError?.message).toContain('locked');
    other.exec('ROLLBACK');
    other.close();
    await read.caughtUp();
    await until(async () => (await read.runner.status())[0]?.lastError === undefined);
    expect((await read.runner.status())[0]?.eventsApplied).toBe(40);
  });

  it('rolls back when another owner has moved the checkpoint, and both end with the same rows', async () => {
    const events = countings(3, 600);
    const alone = await projected(tally, events);
    const expected = alone.dump();
    await alone.close();
    const otherWriter = new SqliteReadWriter(read.file, systemClock);
    const first = await runnerOf(read.log, read.writer, { maxBatchEvents: 16 });
    const second = await runnerOf(read.log, otherWriter, { maxBatchEvents: 16 });
    for (let from = 0; from < events.length; from += 50) await read.append(events.slice(from, from + 50));
    await read.store.waitFor('tally', await read.log.head(), 10_000, systemClock);
    await Promise.all([first.close(), second.close()]);
    expect(read.dump()).toBe(expected);
    expect(read.writer.generations('tally')[0]?.events).toBe(600);
    otherWriter.close();
  });

  it('does not begin a batch that is not whole: a stop in the middle of a large page keeps rows and checkpoint together', async () => {
    await read.append(countings(4, 500));
    await read.run();
    await read.stop();
    const [generation] = read.writer.generations('tally');
    expect(read.dump().match(/^entries/gm)?.length ?? 0).toBe(
      countings(4, 500).slice(0, generation?.events).filter((event) => event.type === 'Counted').length,
    );
  });
});
