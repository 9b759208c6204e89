import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type EventToAppend, type RecordedEvent, START, streamName, systemClock } from '#platform/kernel';
import { acquireDataDirectory } from './data-directory.ts';
import { writeAppend } from './append-text.ts';
import { eventNamed } from './event-examples.contract.ts';
import { backupLog } from './log-backup.ts';
import { checkBackup, restoreLog } from './log-restore.ts';
import { openLogToWrite } from './sqlite-log-file.ts';
import { SqliteLogWriter } from './sqlite-log-writer.ts';
import { openSqliteEventStore, type SqliteEventStore } from './sqlite.event-store.ts';

/** https://www.rfc-editor.org/rfc/rfc8878 */
const ZSTD_FRAME = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const silent = (): void => undefined;
/** Some text that zstd can not make much of, the same for the same number. */
const padded = (n: number): EventToAppend => eventNamed(`e${n}`, 'Noted', { n, pad: Array.from({ length: 60 }, (_, k) => ((n * 61 + k) * 2_654_435_761).toString(36)).join('') });
const eventsOf = (stream: number, count: number): EventToAppend[] => Array.from({ length: count }, (_, n) => padded(stream * 1_000 + n));

describe('a backup of the log', () => {
  let dir: string;
  let data: string;
  let target: string;
  let store: SqliteEventStore;
  const open: SqliteEventStore[] = [];
  const opened = async (directory: string): Promise<SqliteEventStore> => {
    const log = await openSqliteEventStore({ directory });
    open.push(log);
    return log;
  };
  const take = (to = target) => backupLog(data, to, systemClock, silent);
  const everything = async (log: SqliteEventStore): Promise<RecordedEvent[]> => {
    const events: RecordedEvent[] = [];
    for (let after = START, atHead = false; !atHead; ) {
      const page = await log.readAll(after, {}, 100_000);
      events.push(...page.events);
      ({ next: after, atHead } = page);
    }
    return events;
  };
  const namesIn = (directory: string): string[] => readdirSync(directory).sort();

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'chainfold-backup-'));
    data = join(dir, 'data');
    target = join(dir, 'backup');
    store = await opened(data);
    await store.appendAll(Array.from({ length: 8 }, (_, stream) => ({ stream: streamName('note', String(stream)), expected: 'noStream', events: eventsOf(stream, 40) })));
  });
  afterEach(async () => {
    for (const log of open.splice(0)) await log.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('holds everything of its moment, restored elsewhere under the same identity, and goes on there', async () => {
    const manifest = await take();
    expect(manifest).toMatchObject({ format: 1, identity: store.identity, head: await store.head(), events: 320, streams: 8, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(namesIn(target)).toEqual(['log.sqlite', 'manifest.json']);
    const elsewhere = join(dir, 'elsewhere');
    expect(await restoreLog(target, elsewhere, silent)).toEqual(manifest);
    const restored = await opened(elsewhere);
    expect(await everything(restored)).toEqual(await everything(store));
    expect(await restored.append({ stream: streamName('note', '0'), expected: 39, events: [padded(1)] })).toMatchObject({ lastRevision: 40 });
    const db = new DatabaseSync(join(elsewhere, 'log.sqlite'), { readOnly: true });
    expect(db.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' });
    db.close();
  });

  it('has the same hash for the same contents, wherever they lie, and another for others', async () => {
    const { sha256 } = await take();
    const elsewhere = join(dir, 'elsewhere');
    await restoreLog(target, elsewhere, silent);
    expect((await backupLog(elsewhere, join(dir, 'again'), systemClock, silent)).sha256).toBe(sha256);
    await store.append({ stream: streamName('note', 'new'), expected: 'noStream', events: [padded(1)] });
    expect((await take(join(dir, 'later'))).sha256).not.toBe(sha256);
  });

  it('ends although somebody writes between all its steps, and holds a moment: a prefix of the log', async () => {
    await store.appendAll(Array.from({ length: 20 }, (_, k) => ({ stream: streamName('bulk', String(k)), expected: 'noStream' as const, events: eventsOf(k, 200) })));
    const before = await everything(store);
    const { db } = openLogToWrite(data);
    const writer = new SqliteLogWriter(db);
    let steps = 0;
    const manifest = await backupLog(data, target, systemClock, (step) => {
      if (step === 'checked') return;
      if (++steps > 100) throw new Error('it begins anew at every commit');
      writer.write([[writeAppend({ stream: streamName('busy', 'b'), expected: steps === 1 ? 'noStream' : steps - 2, events: [padded(steps)] })]]);
    });
    db.close();
    expect(steps).toBeGreaterThan(3);
    expect(await store.lastRevision(streamName('busy', 'b'))).toBe(steps - 1);
    expect(manifest.events).toBe(before.length);
    await restoreLog(target, join(dir, 'elsewhere'), silent);
    expect(await everything(await opened(join(dir, 'elsewhere')))).toEqual(before);
  });

  it('of an empty log is a backup too', async () => {
    await opened(join(dir, 'empty'));
    expect(await backupLog(join(dir, 'empty'), target, systemClock, silent)).toMatchObject({ events: 0, streams: 0, head: START });
    expect(await restoreLog(target, join(dir, 'elsewhere'), silent)).toMatchObject({ events: 0 });
  });

  describe('is not begun, and nothing is touched,', () => {
    it('where something is already', async () => {
      mkdirSync(target);
      writeFileSync(join(target, 'thesis.txt'), 'years of work');
      await expect(take()).rejects.toMatchObject({ code: 'backup-target-exists' });
      await expect(take(join(target, 'thesis.txt'))).rejects.toMatchObject({ code: 'backup-target-exists' });
      expect(namesIn(target)).toEqual(['thesis.txt']);
      expect(readFileSync(join(target, 'thesis.txt'), 'utf8')).toBe('years of work');
    });

    it('inside the data directory, by whatever name', async () => {
      symlinkSync(data, join(dir, 'link'));
      for (const inside of [data, join(data, 'backup'), join(data, 'a', 'b'), join(dir, 'link', 'backup'), join(dir, 'backup', '..', 'data', 'x')]) {
        await expect(take(inside)).rejects.toMatchObject({ code: 'backup-target-inside' });
      }
      expect(namesIn(data).filter((name) => !name.startsWith('log.'))).toEqual([]);
    });

    it('where it can not be written', async () => {
      writeFileSync(join(dir, 'file'), '');
      await expect(take(join(dir, 'file', 'backup'))).rejects.toMatchObject({ code: 'backup-target-unwritable', facts: { path: join(dir, 'file', 'backup') } });
    });

    it('where there is no log', async () => {
      await expect(backupLog(join(dir, 'nothing'), target, systemClock, silent)).rejects.toMatchObject({ code: 'data-missing' });
      expect(existsSync(target)).toBe(false);
    });
  });

  it.each([
    ['payload', (bytes: Buffer) => bytes.lastIndexOf(ZSTD_FRAME) + 300],
    ['index', (_: Buffer, indexPage: number) => indexPage * 4_096 - 1],
  ])('of a log with a damaged %s is refused, names the log, and leaves nothing behind', async (_what, placeOf) => {
    await store.close();
    const file = join(data, 'log.sqlite');
    const db = new DatabaseSync(file);
    const { rootpage } = db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'append_by_stream'").get() as { rootpage: number };
    db.close();
    const bytes = readFileSync(file);
    bytes[placeOf(bytes, rootpage)]! ^= 2;
    writeFileSync(file, bytes);
    await expect(take()).rejects.toMatchObject({ code: 'data-damaged', facts: { path: file } });
    expect(existsSync(target)).toBe(false);
  });

  it('of a log whose newest events are gone is refused, as its start is', async () => {
    await store.close();
    const db = new DatabaseSync(join(data, 'log.sqlite'));
    db.exec('DELETE FROM append WHERE first = (SELECT max(first) FROM append)');
    db.close();
    await expect(take()).rejects.toMatchObject({ code: 'data-cut-short' });
    expect(existsSync(target)).toBe(false);
    for (const name of namesIn(data).filter((one) => one.startsWith('log.sqlite'))) rmSync(join(data, name));
    await expect(openSqliteEventStore({ directory: data })).rejects.toMatchObject({ code: 'data-cut-short', facts: { head: 0, was: 320 } });
  });

  it('of a log that files events as others is refused', async () => {
    await store.append({ stream: streamName('other', '1'), expected: 'noStream', events: [padded(1)] });
    await store.close();
    const db = new DatabaseSync(join(data, 'log.sqlite'));
    db.exec('UPDATE append SET kind = (SELECT max(id) FROM kind) WHERE first = 1');
    db.close();
    await expect(take()).rejects.toMatchObject({ code: 'data-damaged' });
  });

  it('and its restoration may go to a disk that is just made', async () => {
    for (const root of [target, join(dir, 'elsewhere')]) mkdirSync(join(root, 'lost+found'), { recursive: true });
    await take();
    expect(await restoreLog(target, join(dir, 'elsewhere'), silent)).toMatchObject({ events: 320 });
  });

  it.each(['copied', 'checked'])('killed while it is %s is never taken for a whole one', async (step) => {
    await killedWhile(step, `backupLog(${JSON.stringify(data)}, ${JSON.stringify(target)}, systemClock, `);
    expect(namesIn(target)).not.toContain('manifest.json');
    await expect(checkBackup(target, silent)).rejects.toMatchObject({ code: 'backup-incomplete' });
    await expect(restoreLog(target, join(dir, 'elsewhere'), silent)).rejects.toMatchObject({ code: 'backup-incomplete' });
    expect(existsSync(join(dir, 'elsewhere'))).toBe(false);
    expect(await take(join(dir, 'another'))).toMatchObject({ events: 320 });
  });

  describe('is restored', () => {
    let elsewhere: string;
    beforeEach(async () => {
      elsewhere = join(dir, 'elsewhere');
      await take();
    });
    const refused = async (code: string): Promise<void> => {
      await expect(restoreLog(target, elsewhere, silent)).rejects.toMatchObject({ code });
      expect(namesIn(elsewhere).filter((name) => name.startsWith('log.sqlite'))).toEqual([]);
    };

    it('not over a log, nor beside what an earlier life left', async () => {
      await expect(restoreLog(target, data, silent)).rejects.toMatchObject({ code: 'data-present', facts: { found: expect.stringMatching(/^log\./) } });
      mkdirSync(elsewhere);
      writeFileSync(join(elsewhere, 'snapshots.db'), '');
      await refused('data-present');
    });

    it('not where a process runs', async () => {
      const owner = acquireDataDirectory(elsewhere);
      await refused('data-directory-locked');
      owner.release();
      expect(await restoreLog(target, elsewhere, silent)).toMatchObject({ events: 320 });
    });

    it('after a restore that was killed, as if that had not been', async () => {
      await killedWhile('checked', `restoreLog(${JSON.stringify(target)}, ${JSON.stringify(elsewhere)}, `);
      expect(namesIn(elsewhere)).toContain('log.sqlite.restoring');
      expect(namesIn(elsewhere)).not.toContain('log.sqlite');
      expect(await restoreLog(target, elsewhere, silent)).toMatchObject({ events: 320 });
      expect(namesIn(elsewhere)).not.toContain('log.sqlite.restoring');
    });

    it('only as it was written: any flipped bit is refused, also one that means nothing', async () => {
      const whole = readFileSync(join(target, 'log.sqlite'));
      for (let flip = 0; flip < 25; flip++) {
        const bytes = Buffer.from(whole);
        const at = (flip * 2_654_435_761) % whole.length;
        bytes[at]! ^= 1 << (flip % 8);
        writeFileSync(join(target, 'log.sqlite'), bytes);
        await refused('backup-damaged');
      }
    });

    it.each([
      ['sha256', '0'.repeat(64)],
      ['fileSha256', '0'.repeat(64)],
      ['events', 319],
      ['streams', 9],
      ['head', START],
      ['identity', 'x0000000000000000'],
    ])('not with another %s than its manifest tells', async (part, value) => {
      const manifest = JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8')) as object;
      writeFileSync(join(target, 'manifest.json'), JSON.stringify({ ...manifest, [part]: value }));
      await refused('backup-damaged');
      await expect(checkBackup(target, silent)).rejects.toMatchObject({ code: 'backup-damaged', facts: { expected: value } });
    });

    it('not in part, nor of a newer form', async () => {
      const manifest = readFileSync(join(target, 'manifest.json'), 'utf8');
      writeFileSync(join(target, 'manifest.json'), manifest.slice(0, -20));
      await expect(restoreLog(target, elsewhere, silent)).rejects.toMatchObject({ code: 'backup-damaged' });
      writeFileSync(join(target, 'manifest.json'), manifest.replace('"format": 1', '"format": 2'));
      await expect(restoreLog(target, elsewhere, silent)).rejects.toMatchObject({ code: 'data-newer', facts: { found: 2, known: 1 } });
      writeFileSync(join(target, 'manifest.json'), manifest);
      rmSync(join(target, 'log.sqlite'));
      await refused('backup-damaged');
    });

    it('from where nothing can be written beside it', async () => {
      const copied = join(dir, 'copied');
      cpSync(target, copied, { recursive: true });
      await checkBackup(copied, silent);
      expect(namesIn(copied)).toEqual(['log.sqlite', 'manifest.json']);
    });
  });
});

/** Runs `call` in a process of its own, which kills itself at the first word of that step. */
async function killedWhile(step: string, call: string): Promise<void> {
  const index = new URL('./index.ts', import.meta.url).href;
  const script = `import { backupLog, restoreLog } from '${index}'; import { systemClock } from '#platform/kernel';
    await ${call}(at) => { if (at === '${step}') process.kill(process.pid, 'SIGKILL'); });`;
  const file = join(import.meta.dirname, `.killed-${process.pid}.ts`);
  writeFileSync(file, script);
  const child = spawn(process.execPath, ['--conditions=source', '--disable-warning=ExperimentalWarning', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const signal = await new Promise((ended) => child.once('exit', (_code, how) => ended(how)));
  rmSync(file);
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
}
