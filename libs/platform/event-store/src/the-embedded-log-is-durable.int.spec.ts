import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { START } from '#platform/kernel';
import { openLogToWrite } from './sqlite-log-file.ts';
import { openSqliteEventReader } from './sqlite.event-reader.ts';
import { type SystemCall, traced } from './system-calls.contract.ts';

const INDEX = JSON.stringify(new URL('./index.ts', import.meta.url).href);
const APPENDS = 25;
const CUTS = 60;
const SEED = Number(process.env['POWER_CUT_SEED'] ?? 20_261_125);
/** What a disk writes whole or not at all. */
const SECTOR = 512;

const program = (directory: string): string => `
  import { writeSync } from 'node:fs';
  import { openSqliteEventStore } from ${INDEX};
  const store = await openSqliteEventStore({ directory: ${JSON.stringify(directory)} });
  const event = (id) => ({ id, type: 'T', schemaVersion: 1, occurredAt: 'o', recordedAt: 'r', correlationId: 'c', causationId: 'k', data: { id, pad: id.repeat(500) } });
  for (let n = 0; n < ${APPENDS}; n++) {
    await store.append({ stream: 'note-a', expected: n === 0 ? 'noStream' : n - 1, events: [event('e' + n)] });
    writeSync(2, 'answered ' + n + '\\n');
  }
  process.kill(process.pid, 'SIGKILL');`;

describeWithStrace(`an answered append, by the system calls of the process (seed ${SEED})`, () => {
  const root = mkdtempSync(join(tmpdir(), 'chainfold-durable-'));
  const directory = join(root, 'data');
  let calls: readonly SystemCall[];
  let state = SEED;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };

  beforeAll(() => {
    const node = [process.execPath, '--conditions=source', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program(directory)];
    calls = traced(join(root, 'trace'), node);
    expect(calls.filter((call) => call.kind === 'told').map((call) => call.words)).toEqual(Array.from({ length: APPENDS }, (_, n) => `answered ${n}`));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('has all that it wrote synced to the disk before its answer', () => {
    let written = false;
    let synced = false;
    for (const call of calls) {
      if (call.kind === 'told') {
        expect({ ...call, written, synced }).toEqual({ ...call, written: true, synced: true });
        written = false;
      } else if (call.file.endsWith('/log.sqlite-wal')) {
        if (call.kind === 'write') [written, synced] = [true, false];
        if (call.kind === 'synced') synced = true;
      }
    }
  });

  /** What the disk may hold when the power goes after `done`: all that was synced, and of the rest any part. */
  function diskAfter(done: readonly SystemCall[], chance: number): Map<string, Buffer> {
    const files = new Map<string, Buffer>();
    const lastSync = new Map<string, number>();
    for (const [at, call] of done.entries()) if (call.kind === 'synced') lastSync.set(call.file, at);
    for (const [at, call] of done.entries()) {
      if (call.kind === 'told' || call.kind === 'synced' || call.file.endsWith('-shm')) continue;
      // That a name is gone stands in the directory.
      const sure = at < (lastSync.get(call.kind === 'unlink' ? dirname(call.file) : call.file) ?? -1);
      const happens = (): boolean => sure || random(100) < chance;
      const before = files.get(call.file) ?? Buffer.alloc(0);
      if (call.kind === 'unlink') {
        if (happens()) files.delete(call.file);
      } else if (call.kind === 'truncate') {
        if (happens()) files.set(call.file, Buffer.concat([before, Buffer.alloc(call.size)]).subarray(0, call.size));
      } else {
        const after = Buffer.concat([before, Buffer.alloc(Math.max(0, call.at + call.bytes.length - before.length))]);
        for (let from = 0; from < call.bytes.length; from += SECTOR) if (happens()) call.bytes.copy(after, call.at + from, from, from + SECTOR);
        files.set(call.file, after);
      }
    }
    return files;
  }

  async function expectAnswered(done: readonly SystemCall[], chance: number): Promise<void> {
    const answered = done.filter((call) => call.kind === 'told').length;
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    for (const [file, bytes] of diskAfter(done, chance)) if (basename(file).startsWith('log.')) writeFileSync(join(directory, basename(file)), bytes);
    openLogToWrite(directory).db.close();
    const reader = openSqliteEventReader({ directory });
    const ids = (await reader.readAll(START, {}, 1_000)).events.map((event) => event.id);
    await reader.close();
    expect(ids).toEqual(ids.map((_, n) => `e${n}`));
    expect({ after: done.length, answered, there: ids.length >= answered }).toEqual({ after: done.length, answered, there: true });
  }

  it('is there after the power was cut, whatever of the unsynced was lost, torn or reordered; and no witness refuses the log', async () => {
    for (let cut = 0; cut < CUTS; cut++) await expectAnswered(calls.slice(0, random(calls.length + 1)), [0, 50, 100][cut % 3]!);
  });

  it('is there when the power was cut right after its answer and nothing unsynced survived', async () => {
    for (const [at, call] of calls.entries()) if (call.kind === 'told') await expectAnswered(calls.slice(0, at + 1), 0);
  });
});

/** Where strace can not be used the suite is told as not run, by its name; on the machine that decides over a change it must run. */
function describeWithStrace(name: string, suite: () => void): void {
  const can = process.platform === 'linux' && spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
  if (can || process.env['CI'] === 'true') return describe(name, suite);
  describe.skip(`${name} (not run: strace is not there or not allowed)`, () => {
    it('needs strace', () => undefined);
  });
}
