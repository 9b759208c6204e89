import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { streamName } from '#platform/kernel';
import { prepareEvent, writePackedAppend } from './append-text.ts';
import { eventsNamed } from './event-examples.contract.ts';
import { describeEventStore } from './event-store.contract.ts';
import { openSqliteEventStore } from './sqlite.event-store.ts';

describeEventStore(
  'the log in SQLite',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'chainfold-log-'));
    return { store: await openSqliteEventStore({ directory }), dispose: () => rm(directory, { recursive: true }) };
  },
  { atomicAppendAll: true },
);

describe('the log in SQLite tells its metrics', () => {
  it('of every event made durable, once, whichever way the append came', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'chainfold-log-'));
    const appended: number[] = [];
    const store = await openSqliteEventStore({ directory, onAppended: (events) => appended.push(events) });
    const [A, B] = [streamName('note', 'a'), streamName('note', 'b')];
    await store.append({ stream: A, expected: 'noStream', events: eventsNamed('1', '2') });
    await store.append({ stream: A, expected: 'noStream', events: eventsNamed('1', '2') });
    await store.appendTexts([writePackedAppend({ stream: B, expected: 'noStream', events: eventsNamed('3').map(prepareEvent) })]);
    await expect(store.append({ stream: B, expected: 'noStream', events: eventsNamed('4') })).rejects.toMatchObject({ code: 'revision-conflict' });
    expect(appended).toEqual([2, 0, 1]);
    await store.close();
    await rm(directory, { recursive: true });
  });
});
