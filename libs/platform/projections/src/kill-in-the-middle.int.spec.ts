import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#platform/kernel';
import { openSqliteEventStore } from '#platform/event-store';
import { contentPages, SqliteReadStore, SqliteReadWriter } from '#platform/read-store';
import { appendSketches, countings, projected, tally } from '#platform/testing';
import { ProjectionRunner } from './projection-runner.ts';

const CHILD = fileURLToPath(new URL('../../testing/src/projector-child.ts', import.meta.url));

describe('a projecting process that is killed in the middle of its batches', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'chainfold-kill-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const dump = (file: string): { text: string; events: number; paused: string | undefined } => {
    const writer = new SqliteReadWriter(file, systemClock);
    const [generation] = writer.generations('tally');
    const db = writer.snapshot();
    const text = generation === undefined ? '' : [...contentPages(db, generation, generation.tables)].flatMap((page) => page.lines).join('');
    db.close();
    writer.close();
    return { text, events: generation?.events ?? 0, paused: generation?.paused };
  };
  const rowsOf = async (count: number, events: ReturnType<typeof countings>): Promise<string> => {
    const read = await projected(tally, events.slice(0, count));
    const text = read.dump();
    await read.close();
    return text;
  };

  it('leaves rows that stand exactly for its checkpoint, each time, and ends with every row once', async () => {
    const events = countings(11, 1_500);
    const log = await openSqliteEventStore({ directory: dir });
    await appendSketches(log, events);
    const file = join(dir, 'read.db');
    for (let kill = 1; kill <= 5; kill += 1) {
      const child = spawn(process.execPath, ['--conditions=source', '--disable-warning=ExperimentalWarning', CHILD, dir, file], { stdio: ['ignore', 'pipe', 'inherit'] });
      let commits = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        commits += chunk.toString().split('\n').length - 1;
        if (commits >= 3 * kill) child.kill('SIGKILL');
      });
      const atTheLatest = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await once(child, 'exit');
      clearTimeout(atTheLatest);
      const left = dump(file);
      expect(left.events).toBeGreaterThan(0);
      expect(left.text).toBe(await rowsOf(left.events, events));
    }
    expect(dump(file).events).toBeLessThan(1_500);
    const store = new SqliteReadWriter(file, systemClock);
    const reads = new SqliteReadStore(file);
    const runner = new ProjectionRunner({ reader: log, store, projections: [tally], clock: systemClock });
    await runner.start();
    await reads.waitFor('tally', await log.head(), 10_000, systemClock);
    await runner.close();
    reads.close();
    store.close();
    await log.close();
    expect(dump(file)).toEqual({ text: await rowsOf(1_500, events), events: 1_500, paused: undefined });
  });
});
