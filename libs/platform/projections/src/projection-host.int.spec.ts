import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#platform/kernel';
import { openSqliteEventStore } from '#platform/event-store';
import type { SqliteEventStore } from '#platform/event-store';
import { SqliteReadStore, SqliteReadWriter } from '#platform/read-store';
import { appendSketches, countings } from '#platform/testing';
import { ProjectionHost } from './projection-host.ts';
import type { StateChange } from './projection-host.ts';

const TALLY = new URL('../../testing/src/tally.projection.ts', import.meta.url).href;
const DYING = new URL('../../testing/src/dying.projection.ts', import.meta.url).href;

describe('projections in a thread of their own', () => {
  let dir: string;
  let log: SqliteEventStore;
  let reads: SqliteReadStore;
  let host: ProjectionHost;
  let changes: StateChange[];

  const hostOf = (module: string): ProjectionHost =>
    new ProjectionHost({
      logDirectory: dir,
      readFile: join(dir, 'read.db'),
      modules: [module],
      clock: systemClock,
      settings: { firstRetryMs: 5 },
      onProgress: (projection, position) => reads.advanced(projection, position),
      onStateChange: (change) => changes.push(change),
    });
  const until = async (what: () => boolean): Promise<void> => {
    for (let tries = 0; tries < 1_000 && !what(); tries += 1) await systemClock.sleep(10);
    expect(what()).toBe(true);
  };

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'chainfold-host-'));
    log = await openSqliteEventStore({ directory: dir });
    reads = new SqliteReadStore(join(dir, 'read.db'));
    changes = [];
    host = hostOf(TALLY);
  });
  afterEach(async () => {
    await host.close();
    reads.close();
    await log.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('are not ready before they are started, and say so', () => {
    expect(host.readiness()).toEqual({ ready: false, reasons: ['The projector is not running: it has not been started'] });
  });

  (process.platform === 'linux' ? it : it.skip)('give way to the thread that answers requests', async () => {
    await host.start();
    const niceness = readdirSync('/proc/self/task')
      .filter((thread) => readFileSync(`/proc/self/task/${thread}/comm`, 'utf8') === 'projector\n')
      .map((thread) => getPriority(Number(thread)));
    expect(niceness).toEqual([Math.min(19, getPriority() + 5)]);
  });

  it('follow the log, and a reader who waits for a position is woken', async () => {
    await host.start();
    await appendSketches(log, countings(1, 60));
    await reads.waitFor('tally', await log.head(), 5_000, systemClock);
    const total = reads.read('tally', (view) => view.get(`SELECT count(*) AS n FROM ${view.table('entries')}`));
    expect(total?.['n']).toBeGreaterThan(30);
    const [status] = await host.refresh();
    expect(status).toMatchObject({ name: 'tally', version: 1, generation: 1, state: 'live', lagEvents: 0, lagSeconds: 0, parkedKeys: 0, lastError: undefined });
    expect(host.readiness()).toEqual({ ready: true, reasons: [] });
  });

  it('are rebuilt, paused and resumed from the main thread', async () => {
    await appendSketches(log, countings(1, 60));
    await host.start();
    expect(await host.rebuild('tally')).toBe(2);
    await until(() => host.status()[0]?.generation === 2);
    await host.pause('tally', 'somebody looks at it');
    await host.refresh();
    expect(host.readiness().reasons).toEqual(['Projection tally is paused: somebody looks at it']);
    await appendSketches(log, countings(2, 5));
    await host.resume('tally');
    await reads.waitFor('tally', await log.head(), 5_000, systemClock);
    await expect(host.rebuild('nothing')).rejects.toMatchObject({ code: 'no-such-projection', kind: 'missing' });
  });

  it('go on after the thread died, and were told as failed meanwhile', async () => {
    host = hostOf(DYING);
    await host.start();
    await appendSketches(log, [{ stream: 'counter-1', type: 'Counted', data: { by: 1, die: true } }]);
    await until(() => changes.some((change) => change.state === 'stopped'));
    expect(host.readiness().ready).toBe(false);
    await until(() => changes.filter((change) => change.state === 'started').length >= 2);
    expect(changes.find((change) => change.state === 'stopped')?.reason).toBe('the thread dies here');
  });

  it('finish their batch when they are closed, and go on there', async () => {
    await host.start();
    await appendSketches(log, countings(1, 300));
    await host.close();
    const writer = new SqliteReadWriter(join(dir, 'read.db'), systemClock);
    const [before] = writer.generations('tally');
    writer.close();
    host = hostOf(TALLY);
    await host.start();
    await reads.waitFor('tally', await log.head(), 5_000, systemClock);
    const [status] = await host.refresh();
    expect(status?.eventsApplied).toBe(300);
    expect(before?.events).toBeLessThanOrEqual(300);
    expect(before?.generation).toBe(status?.generation);
  });

  it('refuse to start on a read model of a newer release', async () => {
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(join(dir, 'read.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    await expect(host.start()).rejects.toMatchObject({ code: 'data-newer', facts: { found: 99, known: 1 } });
  });

  it('tells the end that it was asked for once, without the reason that a trouble has', async () => {
    await host.start();
    await host.close();
    await host.close();
    expect(changes.filter(({ state }) => state === 'stopped')).toEqual([{ projection: undefined, state: 'stopped', generation: undefined, reason: undefined }]);
  });
});
