import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { KillPoint } from './kill-at.ts';
import { MortalLives } from './mortal-lives.ts';
import { SeededRandom } from './seeded-random.ts';

/** `KILL_SEED=n` replays the moments of one run; what the machine did meanwhile differs. */
const seed = Number(process.env['KILL_SEED'] ?? randomInt(1_000_000_000));
const KILLS = 200;

const INSERT = 'INSERT INTO append';
const CHECKPOINT = 'UPDATE generation SET position';
const at = (file: string, when: KillPoint['when'], sql: string, nth = 1): KillPoint => ({ file, sql, when, nth });

const STEPS: readonly (readonly [string, KillPoint])[] = [
  ['while the log is made', at('log.sqlite', 'after', 'CREATE TABLE meta')],
  ['before the new log is committed', at('log.sqlite', 'after', 'INSERT INTO meta')],
  ['while the file of read models is made', at('read.db', 'after', 'CREATE TABLE generation')],
  ['before the first append', at('log.sqlite', 'before', INSERT)],
  ['before a later append', at('log.sqlite', 'before', INSERT, 20)],
  ['after an append, before it is committed', at('log.sqlite', 'after', INSERT, 20)],
  ['before the commit of appends', at('log.sqlite', 'before', 'COMMIT', 10)],
  ['after the commit of appends, before their answer', at('log.sqlite', 'after', 'COMMIT', 10)],
  ['between rows and checkpoint', at('read.db', 'before', CHECKPOINT, 5)],
  ['after the checkpoint, before it is committed', at('read.db', 'after', CHECKPOINT, 5)],
  ['before a snapshot is kept', at('snapshots.db', 'before', 'INSERT OR REPLACE INTO snapshot', 2)],
  ['after a snapshot was kept', at('snapshots.db', 'after', 'INSERT OR REPLACE INTO snapshot', 2)],
  ['before a generation is swapped', at('read.db', 'before', "UPDATE generation SET state = 'kept'")],
  ['in a swap, when the old one is not live any more', at('read.db', 'after', "UPDATE generation SET state = 'kept'")],
  ['in a swap, when the new one is live', at('read.db', 'after', "UPDATE generation SET state = 'live'")],
  ['while an old generation is taken away', at('read.db', 'before', 'DROP TABLE')],
];

describe('a program killed by kill -9', () => {
  let lives: MortalLives;
  beforeEach(() => (lives = new MortalLives()));
  afterEach(() => lives.close());

  it('at every named step keeps all that it answered, doubles nothing and goes on', async () => {
    for (const [step, death] of STEPS) {
      await lives.live(death).catch((error: unknown) => {
        throw new Error(`killed ${step}`, { cause: error });
      });
      await lives.expectWhole();
    }
    expect(lives.answered.size).toBeGreaterThan(100);
    await lives.expectRowsOfFreshReplay();
  });

  it.each([
    ['before', 'ALTER TABLE'],
    ['after', 'ALTER TABLE'],
    ['after', 'UPDATE meta SET value'],
    ['before', 'PRAGMA user_version = 2'],
    ['after', 'PRAGMA user_version = 2'],
  ] as const)('while a log of format 1 is brought up to date (%s %s) loses nothing', async (when, sql) => {
    await lives.live({ since: 'open', afterMs: 150 });
    const old = new DatabaseSync(join(lives.directory, 'log.sqlite'));
    old.exec("ALTER TABLE append DROP COLUMN sum; UPDATE meta SET value = '1' WHERE key = 'format'; PRAGMA user_version = 1");
    old.close();
    await lives.live(at('log.sqlite', when, sql));
    await lives.live({ since: 'open', afterMs: 150 });
    await lives.expectWhole();
  });

  it(`${KILLS} times at random (KILL_SEED=${seed}) keeps all that it ever answered, each time`, async () => {
    const random = new SeededRandom(seed);
    for (let kill = 0; kill < KILLS; kill++) {
      await lives.live(random.next() < 0.2 ? { since: 'start', afterMs: random.between(30, 400) } : { since: 'open', afterMs: random.between(0, 120) });
      await lives.expectWhole();
    }
    expect(lives.answered.size).toBeGreaterThan(KILLS);
    await lives.expectRowsOfFreshReplay();
  }, 900_000);
});
