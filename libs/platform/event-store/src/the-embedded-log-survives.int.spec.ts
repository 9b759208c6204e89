import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { START, streamName } from '#platform/kernel';
import { eventNamed, eventsNamed, readUntil, told } from './event-examples.contract.ts';
import { openSqliteEventReader } from './sqlite.event-reader.ts';
import type { EventVersions } from './event-versions.ts';
import { openSqliteEventStore, SqliteEventStore } from './sqlite.event-store.ts';

const STREAM = streamName('note', 'a');
const INDEX = JSON.stringify(new URL('./index.ts', import.meta.url).href);

describe('the embedded log', () => {
  let directory: string;
  let file: string;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'chainfold-log-'));
    file = join(directory, 'log.sqlite');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await rm(directory, { recursive: true });
  });

  const open = (options: { maxBytes?: number } = {}) => openSqliteEventStore({ directory, ...options });
  const run = (program: string): ChildProcess => {
    const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', `import * as log from ${INDEX}; const directory = ${JSON.stringify(directory)}; ${program}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  };
  const filled = async (...ids: string[]) => {
    const store = await open();
    await store.append({ stream: STREAM, expected: 'noStream', events: eventsNamed(...ids) });
    await store.close();
  };

  it('has every acknowledged append, whole and without a gap, after kill -9', async () => {
    const writer = `
      const store = await log.openSqliteEventStore({ directory });
      const event = (id) => ({ id, type: 'T', schemaVersion: 1, occurredAt: 'o', recordedAt: 'r', correlationId: 'c', causationId: 'k', data: { id, pad: 'x'.repeat(500) } });
      const caller = async (name) => {
        for (let last = await store.lastRevision(name); ; last += 3) {
          const events = [1, 2, 3].map((i) => event(name + '/' + (last + i)));
          await store.append({ stream: name, expected: last < 0 ? 'noStream' : last, events });
          process.stdout.write(name + ' ' + (last + 3) + '\\n');
        }
      };
      for (let i = 0; i < 8; i++) void caller('note-' + i);`;
    const acknowledged = new Map<string, number>();
    for (let kill = 0; kill < 4; kill++) {
      const child = run(writer);
      let answers = 0;
      for await (const line of createInterface(child.stdout!)) {
        const [stream, last] = line.split(' ') as [string, string];
        acknowledged.set(stream, Number(last));
        if (++answers === 150 + 37 * kill) child.kill('SIGKILL');
      }
      const reader = openSqliteEventReader({ directory });
      const ordinals: number[] = [];
      for (let after = START, atHead = false; !atHead; ) {
        const page = await reader.readAll(after, {}, 500);
        ordinals.push(...page.events.map((event) => Number(reader.ordinal(event.position))));
        ({ next: after, atHead } = page);
      }
      expect(ordinals).toEqual(ordinals.map((_, i) => i + 1));
      for (const [name, last] of acknowledged) {
        const events = await reader.readStream(name as typeof STREAM, 0, 100_000);
        expect(events.length).toBeGreaterThan(last);
        expect(events.length % 3).toBe(0);
        expect(events.map((event) => event.id)).toEqual(events.map((_, i) => `${name}/${i}`));
      }
      await reader.close();
    }
    expect(acknowledged.size).toBe(8);
  });

  it('keeps what each of two owners was answered when nothing kept the second one out, without gap or double', async () => {
    const owner = (name: string): string => `
      const store = await log.openSqliteEventStore({ directory });
      const event = (id) => ({ id, type: 'T', schemaVersion: 1, occurredAt: 'o', recordedAt: 'r', correlationId: 'c', causationId: 'k', data: { id } });
      let conflicts = 0;
      for (let n = 0; n < 150; ) {
        const last = await store.lastRevision('note-a');
        await store.append({ stream: 'note-a', expected: last < 0 ? 'noStream' : last, events: [event('${name}' + n)] }).then(
          ({ lastRevision }) => {
            if (lastRevision !== last + 1) throw new Error('decided on ' + last + ', written at ' + lastRevision);
            process.stdout.write(['${name}' + n++, lastRevision].join(' ') + '\\n');
          },
          (error) => { if (error.code !== 'revision-conflict') throw error; conflicts++; });
      }
      process.stdout.write('conflicts ' + conflicts + '\\n');
      await store.close();`;
    await filled('first');
    const said = await Promise.all(
      ['x', 'y'].map(async (name) => {
        const lines: [string, number][] = [];
        for await (const line of createInterface(run(owner(name)).stdout!)) lines.push([line.split(' ')[0]!, Number(line.split(' ')[1])]);
        return lines;
      }),
    );
    expect(said.map((lines) => lines.at(-1)?.[0])).toEqual(['conflicts', 'conflicts']);
    const answered = new Map(said.flatMap((lines) => lines.slice(0, -1)));
    const reader = openSqliteEventReader({ directory });
    const events = (await reader.readAll(START, {}, 1_000)).events;
    await reader.close();
    expect(new Map(events.slice(1).map((event) => [event.id, event.revision]))).toEqual(answered);
    expect(events.map((event) => event.revision)).toEqual(Array.from({ length: 301 }, (_, n) => n));
  });

  it('wakes readers in another thread and in another process', async () => {
    const store = await open();
    const reader = `
      const reader = log.openSqliteEventReader({ directory, pollMs: 20 });
      const end = new AbortController();
      for await (const each of reader.subscribe('start', {}, end.signal)) {
        if (each.kind === 'caughtUp') say('waiting');
        if (each.kind === 'event') say(each.event.id);
        if (each.kind === 'event' && each.event.id === 'z') end.abort();
      }
      await reader.close();`;
    const thread = new Worker(
      `import(${INDEX}).then(async (log) => { const { parentPort } = await import('node:worker_threads'); const directory = ${JSON.stringify(directory)}; const say = (word) => parentPort.postMessage(word); ${reader.replace('pollMs: 20', 'pollMs: 60000')} });`,
      { eval: true, execArgv: ['--conditions=source'] },
    );
    const words: string[] = [];
    thread.on('message', (word: string) => words.push(word));
    const waiting = once(thread, 'message');
    const child = run(`const say = (word) => process.stdout.write(word + '\\n'); ${reader}`);
    const lines: string[] = [];
    const output = createInterface(child.stdout!);
    output.on('line', (line) => lines.push(line));
    await Promise.all([waiting, once(output, 'line')]);

    const ended = Promise.all([once(thread, 'exit'), once(child, 'exit')]);
    await store.append({ stream: STREAM, expected: 'noStream', events: eventsNamed('a', 'b') });
    await store.append({ stream: STREAM, expected: 1, events: eventsNamed('z') });
    await ended;
    expect(words.filter((word) => word !== 'waiting')).toEqual(['a', 'b', 'z']);
    expect(lines.filter((line) => line !== 'waiting')).toEqual(['a', 'b', 'z']);
    await store.close();
  });

  it('lets a process end by itself once it is closed, subscriptions and all', async () => {
    const child = run(`
      const store = await log.openSqliteEventStore({ directory });
      const reading = (async () => { for await (const each of store.subscribe('start', {}, new AbortController().signal)); })();
      await new Promise((done) => setTimeout(done, 50));
      await store.close();
      await reading;`);
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
    expect(readdirSync(directory).sort()).toEqual(['log.head', 'log.sqlite']);
  });

  it('makes the appends of many callers few transactions', async () => {
    const store = await open();
    const before = committedTransactions(`${file}-wal`);
    await Promise.all(
      Array.from({ length: 400 }, (_, i) => store.append({ stream: streamName('note', String(i)), expected: 'noStream', events: eventsNamed(`e${i}`) })),
    );
    expect(await store.listStreams({ limit: 1_000 })).toHaveLength(400);
    const made = committedTransactions(`${file}-wal`) - before;
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(40);
    await store.close();
  });

  it('takes the same append again by itself when its writer crashes', async () => {
    const store = await open();
    const appends = Array.from({ length: 50 }, (_, i) =>
      store.append({ stream: streamName('note', String(i)), expected: 'noStream', events: [eventNamed(`e${i}`, 'Noted', { pad: 'x'.repeat(50_000) })] }),
    );
    await new Promise(process.nextTick);
    await store.crashWriter();
    expect((await Promise.all(appends)).map((each) => each.lastRevision)).toEqual(Array(50).fill(0));
    expect((await store.readAll(START, {}, 1_000)).events.map((event) => event.id).sort()).toEqual(Array.from({ length: 50 }, (_, i) => `e${i}`).sort());
    await store.close();
  });

  it('says that it does not know when the writer can not be started again, and works once it can', async () => {
    const store = await SqliteEventStore.open({ directory }, { restartPausesMs: [] });
    const lost = store.append({ stream: STREAM, expected: 'noStream', events: eventsNamed('a') });
    const outcome = Promise.allSettled([lost]);
    await Promise.all([store.crashWriter(), outcome]);
    const [{ status, ...rest }] = await outcome;
    if (status === 'rejected') expect(rest).toMatchObject({ reason: { code: 'indeterminate-append', facts: { streams: [STREAM] } } });
    await store.close();
    const again = await open();
    expect(await again.append({ stream: STREAM, expected: 'noStream', events: eventsNamed('a') })).toMatchObject({ lastRevision: 0 });
    await again.close();
  });

  it('refuses what does not fit on the disk, keeps the rest and works again when there is room', async () => {
    const noise = (n: number) => Array.from({ length: n }, (_, i) => Math.imul(i + n, 0x9e3779b1).toString(36)).join('');
    const small = await open({ maxBytes: 100_000 });
    await small.append({ stream: STREAM, expected: 'noStream', events: eventsNamed('a') });
    const big = [1, 2, 3].map((i) => eventNamed(`big${i}`, 'Noted', { noise: noise(30_000 + i) }));
    const [refused, fits] = await Promise.allSettled([
      small.append({ stream: streamName('note', 'big'), expected: 'noStream', events: big }),
      small.append({ stream: STREAM, expected: 0, events: eventsNamed('b') }),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'disk-full', retryable: true, facts: { path: file } } });
    expect(fits).toMatchObject({ status: 'fulfilled', value: { lastRevision: 1 } });
    expect((await small.readAll(START, {}, 10)).events.map((event) => event.id)).toEqual(['a', 'b']);
    await small.close();
    const roomy = await open();
    expect(await roomy.append({ stream: streamName('note', 'big'), expected: 'noStream', events: big })).toMatchObject({ lastRevision: 2, repeated: false });
    expect((await roomy.readAll(START, {}, 10)).events.map((event) => event.id)).toEqual(['a', 'b', 'big1', 'big2', 'big3']);
    await roomy.close();
  });

  it.each([['long, so it is compressed', 'x'.repeat(5_000)], ['short, so it is plain text', 'x']])('says that it is damaged when bytes of a payload have changed (%s)', async (_, words) => {
    const store = await open();
    await store.append({ stream: STREAM, expected: 'noStream', events: [eventNamed('a', 'Noted', { words })] });
    await store.close();
    const db = new DatabaseSync(file);
    db.exec("UPDATE append SET payload = CASE WHEN raw IS NULL THEN replace(payload, '{', '#') ELSE CAST(substr(payload, 1, 12) || x'ffffffff' || substr(payload, 17) AS BLOB) END");
    db.close();
    const damaged = await open();
    await expect(damaged.readAll(START, {}, 10)).rejects.toMatchObject({ code: 'data-damaged', facts: { path: file }, hint: expect.any(String) });
    await expect(damaged.readStream(STREAM, 0, 10)).rejects.toMatchObject({ code: 'data-damaged' });
    await damaged.close();
  });

  it('keeps its identity and its events when it is opened again', async () => {
    const first = await open();
    const { position } = await first.append({ stream: STREAM, expected: 'noStream', events: eventsNamed('a') });
    await first.close();
    const second = await open();
    expect([second.identity, await second.head()]).toEqual([first.identity, position]);
    expect(told(await readUntil(second.subscribe(START, {}, new AbortController().signal), (seen) => seen.length === 2))).toEqual(['a', 'caughtUp']);
    await second.close();
  });

  describe('is refused with its reason and left untouched when it', () => {
    const refusedWith = async (code: string) => {
      const before = readFileSync(file);
      await expect(open()).rejects.toMatchObject({ code, facts: { path: file }, hint: expect.any(String) });
      expect(() => openSqliteEventReader({ directory })).toThrow(expect.objectContaining({ code }));
      expect(readFileSync(file).equals(before)).toBe(true);
    };

    it('is from a newer version', async () => {
      await filled('a');
      const db = new DatabaseSync(file);
      db.exec('PRAGMA user_version = 99');
      db.close();
      await refusedWith('data-newer');
    });

    it('holds events of a newer version, or of a type that came later', async () => {
      const known = { note: { Noted: 1 } };
      const openAs = (versions: EventVersions) => openSqliteEventStore({ directory, versions });
      for (const newer of [{ note: { Noted: 2 } }, { note: { Noted: 1, Told: 1 } }, { ...known, other: { Noted: 1 } }]) {
        rmSync(file, { force: true });
        await (await openAs(known)).close();
        await (await openAs(newer)).close();
        await (await openAs(newer)).close();
        const before = readFileSync(file);
        await expect(openAs(known)).rejects.toMatchObject({ code: 'data-newer', facts: { path: file, event: expect.any(String) } });
        expect(readFileSync(file).equals(before)).toBe(true);
      }
    });

    it('is not a database', async () => {
      writeFileSync(file, 'this is a text, long enough to be a header of something else entirely'.repeat(50));
      await refusedWith('data-damaged');
    });

    it('is a database of somebody else', async () => {
      const db = new DatabaseSync(file);
      db.exec('CREATE TABLE bookmarks (url)');
      db.close();
      await refusedWith('data-damaged');
    });

    it('was cut short', async () => {
      await filled('a');
      truncateSync(file, 4_096);
      await refusedWith('data-damaged');
    });
  });

  it('says that a page is damaged instead of reading other events', async () => {
    const store = await open();
    const events = Array.from({ length: 200 }, (_, i) => eventNamed(`e${i}`, 'Noted', { n: i, pad: (i * 2_654_435_761).toString(36).repeat(20) }));
    await store.append({ stream: STREAM, expected: 'noStream', events });
    await store.close();
    const bytes = readFileSync(file);
    const frame = bytes.lastIndexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
    bytes[statSync(file).size - 20]! ^= 0xff;
    bytes[frame + 300]! ^= 0xff;
    writeFileSync(file, bytes);
    const reader = openSqliteEventReader({ directory });
    await expect(reader.readAll(START, {}, 1_000)).rejects.toMatchObject({ code: 'data-damaged' });
    await reader.close();
  });

  it('says that there is nothing to read where no log was ever written, or not to its end', () => {
    expect(() => openSqliteEventReader({ directory })).toThrow(expect.objectContaining({ code: 'data-missing' }));
    new DatabaseSync(file).exec('PRAGMA journal_mode = WAL');
    expect(() => openSqliteEventReader({ directory })).toThrow(expect.objectContaining({ code: 'data-missing' }));
  });

  it('is refused when the directory can not be made', async () => {
    writeFileSync(join(directory, 'file'), '');
    await expect(openSqliteEventStore({ directory: join(directory, 'file', 'data') })).rejects.toMatchObject({ code: 'data-read-only' });
  });
});

/** Frames of a WAL that end a transaction: those that tell the size of the database. https://www.sqlite.org/fileformat2.html#walformat */
function committedTransactions(wal: string): number {
  const bytes = readFileSync(wal);
  const pageSize = 4_096;
  let commits = 0;
  for (let at = 32; at + 24 + pageSize <= bytes.length; at += 24 + pageSize) if (bytes.readUInt32BE(at + 4) > 0) commits++;
  return commits;
}
