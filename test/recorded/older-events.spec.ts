import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ActorSystem } from '#platform/actors';
import { type EventStore, openMemoryEventStore, openSqliteEventStore } from '#platform/event-store';
import { DROPPED, START, streamName, systemClock, type Upcasters } from '#platform/kernel';
import { type Projection, ProjectionRunner } from '#platform/projections';
import { SqliteReadStore, SqliteReadWriter } from '#platform/read-store';
import { appendSketches, TALLY_VERSIONS, tallyDecider, type EventSketch } from '#platform/testing';
import { pumpLiveEvents } from '../../libs/platform/operations/src/live-events.ts';
import { readLog, readStream } from '../../libs/platform/operations/src/log-reading.ts';

/** The life of one event: `Put` with text, renamed `Added` with a number, then one for each key; without a key it said nothing. */
const upcasters: Upcasters = {
  tally: {
    Put: { 1: ({ amount, keys }) => [{ type: 'Added', schemaVersion: 2, data: { by: Number(amount), keys } }] },
    Both: { 1: ({ by, key }) => [{ type: 'Added', schemaVersion: 3, data: { by, key } }, { type: 'Filled', schemaVersion: 1, data: { entry: 'one that is not read' } }] },
    Added: { 2: ({ by, keys }) => (keys as string).split(' ').filter(Boolean).map((key) => ({ type: 'Added', schemaVersion: 3, data: { by, key } })) },
  },
};
const definition = { category: 'tally', decider: tallyDecider, schemaVersions: { ...TALLY_VERSIONS, Added: 3 } };
const stream = streamName('tally', 'a');
const put = (amount: string, keys: string): EventSketch => ({ stream, type: 'Put', schemaVersion: 1, data: { amount, keys } });
const STORED: readonly EventSketch[] = [
  put('1', 'x'),
  put('2', 'y z'),
  { stream, type: 'Added', schemaVersion: 2, data: { by: 4, keys: '' } },
  { stream: 'other-a', type: 'Put', data: { amount: 'of another category' } },
  { stream, type: 'Added', schemaVersion: 3, data: { by: 8, key: 'w' } },
  put('16', ''),
];
const TODAY = [[0, 1, 'x'], [1, 2, 'y'], [1, 2, 'z'], [4, 8, 'w']].map(([, by, key]) => ({ by, key }));

/** Whether the bug of the projection has been put right. */
let cured = false;

const sums: Projection = {
  name: 'sums',
  version: 1,
  types: ['Added'],
  gapless: ['tally'],
  tables: [{ name: 'keys', columns: { key: 'text', by: 'integer' }, key: ['key'] }],
  keyOf: (event) => event.stream,
  apply(event, batch) {
    if (event.data['key'] === 'poison' && !cured) throw new Error('poison');
    batch.put('keys', { key: event.data['key'] as string, by: event.data['by'] as number });
  },
};

/** By the program that wrote them first: what it noted of its versions is in the log. */
async function openedTwice(directory: string): Promise<EventStore> {
  const written: Record<string, number> = {};
  for (const { type, schemaVersion } of STORED) written[type] = Math.max(written[type] ?? 0, schemaVersion ?? 1);
  await (await openSqliteEventStore({ directory, versions: { tally: written } })).close();
  return openSqliteEventStore({ directory, upcasters, versions: { tally: { Added: 3 } } });
}

describe.each([
  ['in memory', async () => openMemoryEventStore(upcasters)],
  ['in SQLite', async (directory: string) => openedTwice(directory)],
])('events of older versions, %s,', (_name, open) => {
  let dir: string;
  let log: EventStore;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'chainfold-older-'));
    log = await open(dir);
    cured = false;
    await appendSketches(log, STORED);
  });
  afterEach(async () => {
    await log.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('are read as those of today: renamed, split and dropped at their places', async () => {
    const events = await log.readStream(stream, 0, 100);
    expect(events.map(({ revision, type, schemaVersion, data }) => [revision, type, schemaVersion, data])).toEqual([
      [0, 'Added', 3, { by: 1, key: 'x' }],
      [1, 'Added', 3, { by: 2, key: 'y' }],
      [1, 'Added', 3, { by: 2, key: 'z' }],
      [2, DROPPED, 1, {}],
      [3, 'Added', 3, { by: 8, key: 'w' }],
      [4, DROPPED, 1, {}],
    ]);
    expect(new Set(events.map(({ position }) => position)).size).toBe(5);
    expect(events[1]).toMatchObject({ id: events[2]?.id, position: events[2]?.position });
  });

  it('are found by the type of today, whatever they were called, and no other event with them', async () => {
    const seen = [];
    for (let after = START, atHead = false; !atHead; ) {
      const page = await log.readAll(after, { types: ['Added'] }, 1);
      seen.push(...page.events);
      ({ next: after, atHead } = page);
    }
    expect(seen.map(({ data }) => data)).toEqual(TODAY);
    expect((await log.readAll(START, { types: ['Put'] }, 10)).events.map(({ data }) => data)).toEqual([{ amount: 'of another category' }]);
  });

  it('are folded by an aggregate, which goes on behind a dropped one and remembers nothing twice', async () => {
    const tallies = new ActorSystem({ store: log, clock: systemClock }).define(definition);
    expect(await tallies.peek('a')).toEqual({ state: { sum: 13, keys: ['x', 'y', 'z', 'w'], filled: 0 }, revision: 4 });
    expect(await tallies.tell('a', { type: 'Add', by: 1, key: 'new' })).toMatchObject({ revision: 5, events: [{ schemaVersion: 3 }] });
  });

  it('are an error for an aggregate where no upcaster leads to today', async () => {
    await appendSketches(log, [{ stream: 'tally-b', type: 'Added', schemaVersion: 1, data: { by: 1, key: 'x' } }]);
    const tallies = new ActorSystem({ store: log, clock: systemClock }).define(definition);
    await expect(tallies.tell('b', { type: 'Add', by: 1, key: 'y' })).rejects.toMatchObject({ code: 'actor-quarantined', cause: { message: 'schema version 1 has no upcaster to 3' } });
  });

  it.each([1, 2, 100])('are projected, in batches of %i, without a gap; what was split is parked, retried and skipped as one', async (maxBatchEvents) => {
    const writer = new SqliteReadWriter(join(dir, 'read.db'), systemClock);
    const reads = new SqliteReadStore(join(dir, 'read.db'));
    const runner = new ProjectionRunner({ reader: log, store: writer, projections: [sums], clock: systemClock, settings: { maxBatchEvents }, onProgress: (name, at) => reads.advanced(name, at) });
    const rows = (): unknown[] => reads.read('sums', (view) => view.all(`SELECT key, by FROM ${view.table('keys')} ORDER BY key`)).map((row) => `${String(row['key'])} ${String(row['by'])}`);
    const caughtUp = async (): Promise<void> => reads.waitFor('sums', await log.head(), 5_000, systemClock);
    try {
      await runner.start();
      await caughtUp();
      expect(rows()).toEqual(['w 8', 'x 1', 'y 2', 'z 2']);
      await appendSketches(log, [put('32', 'fine poison')]);
      await caughtUp();
      expect(rows()).toEqual(['w 8', 'x 1', 'y 2', 'z 2']);
      expect(await runner.retry('sums', stream)).toMatchObject({ applied: 0, remaining: 1 });
      expect(await runner.skip('sums', stream, 'a test')).toMatchObject({ remaining: 0 });
      await appendSketches(log, [put('64', 'p q')]);
      await caughtUp();
      expect(rows()).toEqual(['p 64', 'q 64', 'w 8', 'x 1', 'y 2', 'z 2']);
      await appendSketches(log, [{ stream, type: 'Both', data: { by: 128, key: 'poison' } }]);
      await caughtUp();
      cured = true;
      expect(await runner.retry('sums', stream)).toMatchObject({ applied: 1, remaining: 0 });
      expect(rows()).toEqual(['p 64', 'poison 128', 'q 64', 'w 8', 'x 1', 'y 2', 'z 2']);
    } finally {
      await runner.close();
      reads.close();
      writer.close();
    }
  });

  it.each([1, 2, 3, 100])('are listed by the API in pages of %i, each place whole', async (limit) => {
    const all = [];
    for (let after: typeof START | null = START; after !== null; ) {
      const page = await readLog(log, after, { categories: ['tally'] }, limit);
      all.push(...page.items);
      after = page.next;
    }
    const one = [];
    for (let from = 0, more = true; more; ) {
      const page = await readStream(log, stream, from, limit);
      one.push(...page.items);
      more = page.more;
      from = (page.items.at(-1)?.revision ?? 0) + 1;
    }
    expect(one).toEqual(await log.readStream(stream, 0, 100));
    expect(all).toEqual(one);
  });

  it('are told live, and a client that leaves amid a split one gets all of it again', async () => {
    const server = createServer((request, response) => {
      const end = new AbortController();
      request.on('close', () => end.abort());
      void pumpLiveEvents(log, { after: START, filter: { types: ['Added'] }, signal: end.signal }, response).catch(() => undefined);
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const leave = new AbortController();
    let text = '';
    try {
      const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { signal: leave.signal });
      for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) if ((text += piece).includes('caught-up')) break;
    } finally {
      leave.abort();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
    const told = text.split('\n\n').filter((part) => part.includes('data: {"id"'));
    expect(told.map((part) => [part.startsWith('id: '), (JSON.parse(part.slice(part.indexOf('data: ') + 6)) as { data: unknown }).data])).toEqual([
      [true, TODAY[0]],
      [false, TODAY[1]],
      [true, TODAY[2]],
      [true, TODAY[3]],
    ]);
  });
});

describe('a log without upcasters', () => {
  it('hands on what was read, untouched', async () => {
    const log = openMemoryEventStore({});
    await appendSketches(log, STORED);
    expect((await log.readAll(START, { types: ['Put'] }, 10)).events.map(({ data }) => data)).toHaveLength(4);
  });
});
