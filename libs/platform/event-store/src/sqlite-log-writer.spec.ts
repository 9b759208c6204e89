import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { streamName } from '#platform/kernel';
import { writeAppend } from './append-text.ts';
import { eventNamed } from './event-examples.contract.ts';
import { openLogToWrite } from './sqlite-log-file.ts';
import { SqliteLogWriter, type WriteRequest } from './sqlite-log-writer.ts';

describe('the writer of the log, when there is no room', () => {
  const directory = mkdtempSync(join(tmpdir(), 'chainfold-writer-'));
  const { db } = openLogToWrite(directory, 120_000);
  const writer = new SqliteLogWriter(db);
  const noise = (length: number): string => Array.from({ length }, () => Math.random().toString(36).slice(2, 10)).join('');
  const request = (stream: string, words: number): WriteRequest => [
    writeAppend({ stream: streamName('thing', stream), expected: 'noStream', events: [eventNamed(stream, 'Noted', { noise: noise(words) })] }),
  ];
  const headOfFile = (): unknown => db.prepare('SELECT coalesce(max(first + count - 1), 0) AS head FROM append').get()?.['head'];

  afterAll(() => {
    db.close();
    rmSync(directory, { recursive: true });
  });

  it('says no head that was taken back with its transaction', () => {
    expect(writer.write([request('a', 10)])).toMatchObject([{ kind: 'written' }]);
    expect(writer.write([request('b', 25_000)])).toMatchObject([{ kind: 'refused' }]);
    expect(writer.head).toBe(headOfFile());
    expect(writer.write([request('c', 10), request('d', 25_000), request('e', 10)])).toMatchObject([{ kind: 'written' }, { kind: 'refused' }, { kind: 'written' }]);
    expect(writer.head).toBe(headOfFile());
    expect(writer.write([request('f', 25_000), request('g', 25_000)])).toMatchObject([{ kind: 'refused' }, { kind: 'refused' }]);
    expect(writer.head).toBe(headOfFile());
  });

  it('says no head of a request whose last part found no room', () => {
    expect(writer.write([[...request('h', 10), ...request('i', 25_000)]])).toMatchObject([{ kind: 'refused' }]);
    expect(writer.head).toBe(headOfFile());
  });

  it('says no head of a transaction that found no room when it was committed', () => {
    const full = Object.assign(new Error('database or disk is full'), { errcode: 13 });
    const exec = db.exec.bind(db);
    let room = false;
    db.exec = (sql) => {
      if (sql === 'COMMIT' && !room) throw full;
      exec(sql);
    };
    expect(writer.write([request('j', 10), request('k', 10)])).toMatchObject([{ kind: 'refused' }, { kind: 'refused' }]);
    expect(writer.head).toBe(headOfFile());
    room = true;
    expect(writer.write([request('j', 10), request('k', 10)])).toMatchObject([{ kind: 'written' }, { kind: 'written' }]);
    expect(writer.head).toBe(headOfFile());
  });
});
