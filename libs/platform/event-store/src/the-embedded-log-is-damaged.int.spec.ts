import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type RecordedEvent, START, streamName } from '#platform/kernel';
import { eventNamed } from './event-examples.contract.ts';
import { openLogToWrite } from './sqlite-log-file.ts';
import { openSqliteEventReader } from './sqlite.event-reader.ts';
import { openSqliteEventStore } from './sqlite.event-store.ts';

const STREAMS = ['a', 'b', 'c', 'd', 'e'].map((id) => streamName('note', id));
const SEED = Number(process.env['DAMAGE_SEED'] ?? 20_261_125);

describe(`the files of a log, damaged (seed ${SEED})`, () => {
  const root = mkdtempSync(join(tmpdir(), 'chainfold-damaged-'));
  /** As kill -9 leaves it: with a WAL that holds what the file does not. */
  const killed = join(root, 'killed');
  /** As a drain leaves it: all in one file. */
  const closed = join(root, 'closed');
  let written: readonly RecordedEvent[];
  let directory: string;
  let state = SEED;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };

  beforeAll(async () => {
    const living = join(root, 'living');
    const store = await openSqliteEventStore({ directory: living });
    const ends = new Map<string, number>();
    const some = async (appends: number): Promise<void> => {
      for (let n = 0; n < appends; n++) {
        const stream = STREAMS[random(STREAMS.length)]!;
        const last = ends.get(stream) ?? -1;
        const pad = 'x'.repeat(random(4) === 0 ? 3_000 : random(300));
        const events = Array.from({ length: 1 + random(4) }, (_, i) => eventNamed(`${stream}/${last + 1 + i}`, 'Noted', { amount: String(random(1e9)), pad }));
        await store.append({ stream, expected: last < 0 ? 'noStream' : last, events });
        ends.set(stream, last + events.length);
      }
    };
    await some(60);
    const checkpoint = new DatabaseSync(join(living, 'log.sqlite'));
    checkpoint.exec('PRAGMA wal_checkpoint(PASSIVE)');
    checkpoint.close();
    await some(60);
    written = (await store.readAll(START, {}, 10_000)).events;
    cpSync(living, killed, { recursive: true });
    await store.close();
    cpSync(living, closed, { recursive: true });
  });
  beforeEach(() => (directory = mkdtempSync(join(root, 'case-'))));
  afterAll(() => rmSync(root, { recursive: true }));

  const path = (name: string): string => join(directory, name);
  const restore = (from: string): void => {
    rmSync(directory, { recursive: true });
    cpSync(from, directory, { recursive: true });
  };
  const overwrite = (name: string, change: (bytes: Buffer) => void): void => {
    const bytes = readFileSync(path(name));
    change(bytes);
    writeFileSync(path(name), bytes);
  };
  /** What is in it; looking makes the index of the WAL, and an empty WAL where there was none. */
  const contents = (): string => {
    const told = readdirSync(directory).filter((name) => !name.endsWith('-shm') && statSync(path(name)).size > 0);
    return told.map((name) => `${name} ${createHash('sha256').update(readFileSync(path(name))).digest('hex')}`).join('\n');
  };
  /** Compared as text: thousands of events, hundreds of times. */
  const expectWritten = (found: readonly RecordedEvent[]): void => {
    if (JSON.stringify(found) !== JSON.stringify(written)) expect(found).toEqual(written);
  };
  /** What an owner of the directory finds, or the code of the refusal. */
  const opened = async (): Promise<readonly RecordedEvent[] | string> => {
    try {
      openLogToWrite(directory).db.close();
      const reader = openSqliteEventReader({ directory });
      try {
        return (await reader.readAll(START, {}, 10_000)).events;
      } finally {
        await reader.close();
      }
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it('give all that was written or are refused, whichever bit of the log has flipped', async () => {
    const outcomes = new Map<string, number>();
    for (let flip = 0; flip < 200; flip++) {
      restore(closed);
      overwrite('log.sqlite', (bytes) => (bytes[random(bytes.length)]! ^= 1 << random(8)));
      const found = await opened();
      if (typeof found !== 'string') expectWritten(found);
      const outcome = typeof found === 'string' ? found : 'all there';
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].sort()).toEqual(['all there', 'data-damaged']);
    expect(outcomes.get('data-damaged')).toBeGreaterThan(50);
  });

  it('give no other events of a stream, whichever bit has flipped', async () => {
    for (let flip = 0; flip < 200; flip++) {
      restore(closed);
      overwrite('log.sqlite', (bytes) => (bytes[random(bytes.length)]! ^= 1 << random(8)));
      const stream = STREAMS[flip % STREAMS.length]!;
      try {
        const reader = openSqliteEventReader({ directory });
        const found = await reader.readStream(stream, 0, 10_000).finally(() => reader.close());
        // A changed page of an index can hide the end of a stream; what is given is what was written.
        expect(JSON.stringify(found)).toBe(JSON.stringify(written.filter((event) => event.stream === stream).slice(0, found.length)));
      } catch (error) {
        expect(error).toMatchObject({ code: 'data-damaged', hint: expect.any(String) });
      }
    }
  });

  it('say that events are missing where a row is gone', async () => {
    restore(closed);
    const log = new DatabaseSync(path('log.sqlite'));
    log.exec('DELETE FROM append WHERE first = (SELECT first FROM append WHERE stream = 1 AND revision > 4 ORDER BY revision LIMIT 1)');
    const { name } = log.prepare('SELECT name FROM stream WHERE id = 1').get() as { name: (typeof STREAMS)[number] };
    log.close();
    const reader = openSqliteEventReader({ directory });
    const gone = { code: 'data-damaged', facts: { reason: expect.stringContaining('nothing') } };
    await expect(reader.readAll(START, {}, 10_000)).rejects.toMatchObject(gone);
    await expect(reader.readStream(name, 0, 10_000)).rejects.toMatchObject(gone);
    await reader.close();
  });

  it('are all there after kill -9, also where the index of the WAL is nonsense or gone', async () => {
    restore(killed);
    expect(await opened()).toEqual(written);
    restore(killed);
    overwrite('log.sqlite-shm', (bytes) => bytes.fill(0x5a));
    expect(await opened()).toEqual(written);
    restore(killed);
    rmSync(path('log.sqlite-shm'));
    expect(await opened()).toEqual(written);
  });

  const harms: readonly (readonly [string, () => void])[] = [
    ['gone', () => rmSync(path('log.sqlite-wal'))],
    ['empty', () => truncateSync(path('log.sqlite-wal'), 0)],
    ['the one of another moment', () => overwrite('log.sqlite-wal', (bytes) => bytes.copy(bytes, 16, 0, 4))],
    ...Array.from({ length: 20 }, (_, i) => [`cut somewhere (${i})`, () => truncateSync(path('log.sqlite-wal'), random(statSync(path('log.sqlite-wal')).size))] as const),
    ...Array.from({ length: 20 }, (_, i) => [`changed somewhere (${i})`, () => overwrite('log.sqlite-wal', (bytes) => bytes.fill(random(256), random(bytes.length)).fill(0xa5, random(bytes.length)))] as const),
    ...Array.from({ length: 40 }, (_, i) => [`other by one bit (${i})`, () => overwrite('log.sqlite-wal', (bytes) => (bytes[random(bytes.length)]! ^= 1 << random(8)))] as const),
  ];
  it('are refused as cut short and left as they are when acknowledged events went with the WAL', async () => {
    const outcomes: string[] = [];
    for (const [, harm] of harms) {
      restore(killed);
      harm();
      const before = contents();
      const found = await opened();
      if (typeof found === 'string') expect(contents()).toBe(before);
      else expectWritten(found);
      outcomes.push(typeof found === 'string' ? found : 'all there');
    }
    expect(outcomes.slice(0, 3)).toEqual(['data-cut-short', 'data-cut-short', 'data-cut-short']);
    expect(new Set(outcomes)).toEqual(new Set(['data-cut-short', 'all there']));
  });

  it('say which files to put back, and open whole once they are back', async () => {
    restore(killed);
    rmSync(path('log.sqlite-wal'));
    const refusal = { code: 'data-cut-short', facts: { path: path('log.sqlite'), was: written.length, witness: path('log.head') }, hint: expect.stringMatching(/log\.sqlite-wal back.*remove log\.head/) };
    await expect(openSqliteEventStore({ directory })).rejects.toMatchObject(refusal);
    cpSync(join(killed, 'log.sqlite-wal'), path('log.sqlite-wal'));
    expect(await opened()).toEqual(written);
  });

  it('open with what is left once the operator has said so, and are witnessed anew', async () => {
    restore(killed);
    rmSync(path('log.sqlite-wal'));
    rmSync(path('log.head'));
    const store = await openSqliteEventStore({ directory });
    const { events } = await store.readAll(START, {}, 10_000);
    expect(events).toEqual(written.slice(0, events.length));
    await store.append({ stream: streamName('note', 'z'), expected: 'noStream', events: [eventNamed('z')] });
    expect(readFileSync(path('log.head'), 'utf8')).toBe(`${store.identity} ${String(events.length + 1).padStart(16, '0')}\n`);
    await store.close();
  });

  it.each([
    ['is nonsense', 'log.head is not this'],
    ['is of another log', `x0123456789abcdef ${'9'.repeat(16)}\n`],
  ])('are opened when their witness %s', async (_, text) => {
    restore(closed);
    writeFileSync(path('log.head'), text);
    const store = await openSqliteEventStore({ directory });
    await store.append({ stream: streamName('note', 'z'), expected: 'noStream', events: [eventNamed('z')] });
    expect(readFileSync(path('log.head'), 'utf8')).toContain(`${store.identity} `);
    await store.close();
  });

  it('take appends where the witness can not be written', async () => {
    restore(closed);
    rmSync(path('log.head'));
    cpSync(closed, path('log.head'), { recursive: true });
    const store = await openSqliteEventStore({ directory });
    expect(await store.append({ stream: streamName('note', 'z'), expected: 'noStream', events: [eventNamed('z')] })).toMatchObject({ lastRevision: 0 });
    await store.close();
  });

  it('of format 1, which had no sums, are read and written on, and refused by who knows only format 1', async () => {
    restore(closed);
    const old = new DatabaseSync(path('log.sqlite'));
    old.exec("ALTER TABLE append DROP COLUMN sum; UPDATE meta SET value = '1' WHERE key = 'format'; PRAGMA user_version = 1");
    old.close();
    expect(() => openSqliteEventReader({ directory })).toThrow(expect.objectContaining({ code: 'data-older', hint: expect.any(String) }));
    const store = await openSqliteEventStore({ directory });
    await store.append({ stream: streamName('note', 'z'), expected: 'noStream', events: [eventNamed('z')] });
    expect((await store.readAll(START, {}, 10_000)).events.map((event) => event.id)).toEqual([...written.map((event) => event.id), 'z']);
    await store.close();
    const upgraded = new DatabaseSync(path('log.sqlite'), { readOnly: true });
    expect(upgraded.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 });
    expect(upgraded.prepare('SELECT count(sum) AS sums FROM append').get()).toEqual({ sums: 1 });
    upgraded.close();
  });
});
