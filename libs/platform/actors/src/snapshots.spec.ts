import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMemoryEventStore, type EventStore } from '#platform/event-store';
import { FaultyEventStore, ManualClock, TALLY_VERSIONS, tallyDecider, type Tally, type TallyCommand, type TallyEvent } from '#platform/testing';
import { ActorSystem, MemorySnapshotStore, SqliteSnapshotStore, SnapshotStore, type ActorDefinition, type SnapshotKey, type SnapshotOutcome } from './index.ts';

const definition = (stateVersion = 1): ActorDefinition<Tally, TallyCommand, TallyEvent> => ({
  category: 'tally',
  decider: tallyDecider,
  schemaVersions: TALLY_VERSIONS,
  snapshot: { stateVersion, everyEvents: 10, toJson: (state) => state, fromJson: (json) => json as Tally },
});

/** A process of its own: nothing in memory. */
function start(store: EventStore, snapshots: SnapshotStore, stateVersion = 1) {
  const seen: SnapshotOutcome[] = [];
  let loaded = 0;
  const hooks = { snapshot: (_category: string, outcome: SnapshotOutcome) => void seen.push(outcome), loaded: (_category: string, events: number) => void (loaded += events) };
  const system = new ActorSystem({ store, clock: new ManualClock(), snapshots, hooks });
  return { system, tallies: system.define(definition(stateVersion)), seen, loaded: () => loaded };
}

async function twentyFive(log: EventStore, snapshots: SnapshotStore): Promise<void> {
  const { tallies, system } = start(log, snapshots);
  for (let n = 0; n < 25; n++) await tallies.tell('a', { type: 'Add', by: 1, key: `k${n}` }, { commandId: `c${n}` });
  await system.drain(1_000);
}

class Changed extends SnapshotStore {
  readonly #inner: SnapshotStore;
  readonly #change: (text: string) => string;
  constructor(inner: SnapshotStore, change: (text: string) => string) {
    super();
    this.#inner = inner;
    this.#change = change;
  }
  async get(key: SnapshotKey): Promise<string | undefined> {
    const text = await this.#inner.get(key);
    return text === undefined ? undefined : this.#change(text);
  }
  put(key: SnapshotKey, text: string): Promise<void> {
    return this.#inner.put(key, text);
  }
  close(): Promise<void> {
    return this.#inner.close();
  }
}

describe.each([
  ['in memory', () => new MemorySnapshotStore()],
  ['in a SQLite file', (dir: string) => new SqliteSnapshotStore(join(dir, 'snapshots.sqlite'))],
])('snapshots %s', (_where, open) => {
  let dir: string;
  let snapshots: SnapshotStore;
  const log = openMemoryEventStore();
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'chainfold-snapshots-'));
    snapshots = open(dir);
    await twentyFive(log, snapshots);
  });
  afterAll(async () => {
    await snapshots.close();
    rmSync(dir, { recursive: true });
  });

  const whole = async () => {
    const { tallies } = start(log, new MemorySnapshotStore());
    return { peek: await tallies.peek('a'), repeat: await tallies.tell('a', { type: 'Glance' }, { commandId: 'c3' }) };
  };
  const expectTheSame = async (store: SnapshotStore, outcome: SnapshotOutcome | undefined, read: number, stateVersion = 1) => {
    const { tallies, seen, loaded, system } = start(log, store, stateVersion);
    expect(await tallies.peek('a')).toEqual((await whole()).peek);
    expect(await tallies.tell('a', { type: 'Glance' }, { commandId: 'c3' })).toEqual((await whole()).repeat);
    expect([seen[0], loaded()]).toEqual([outcome, read]);
    await system.drain(1_000);
  };

  it('save reading, and change no answer, nor what commands are remembered', () => expectTheSame(snapshots, 'read', 5));

  it.each([
    ['a bit fell over', (text: string) => text.replace('k7', 'k8')],
    ['the end is missing', (text: string) => text.slice(0, -1)],
    ['it is empty', () => ''],
    ['it is something else', () => '{"state": {}}'],
  ])('that can not be read are ignored and counted: %s', (_what, change) => expectTheSame(new Changed(snapshots, change), 'ignored', 25));

  it('of another shape of the state are not even looked at', () => expectTheSame(snapshots, 'written', 25, 2));

  it('that the cache can not give are counted, and the log is read', async () => {
    const broken = new Changed(snapshots, () => {
      throw new Error('disk');
    });
    await expectTheSame(broken, 'failed', 25);
  });

  it('of another log are never used, not even where its identity is the same', async () => {
    const restored = openMemoryEventStore();
    const sameName = new FaultyEventStore(restored);
    Object.defineProperty(sameName, 'identity', { value: log.identity });
    const other = start(restored, new MemorySnapshotStore());
    for (let n = 0; n < 25; n++) await other.tallies.tell('a', n === 0 ? { type: 'Fill', entries: ['x'] } : { type: 'Fill', entries: Array.from({ length: n + 1 }, () => 'x') });
    expect(await start(restored, snapshots).tallies.peek('a')).toMatchObject({ state: { sum: 0, filled: 25 } });
    const fooled = start(sameName, snapshots);
    expect(await fooled.tallies.peek('a')).toMatchObject({ state: { sum: 0, filled: 25 } });
    expect(fooled.seen[0]).toBe('ignored');
    await fooled.system.drain(1_000);
    // Put back what that process has overwritten.
    await twentyFiveAgain();
  });

  const twentyFiveAgain = async (): Promise<void> => {
    const { tallies, system } = start(log, snapshots);
    await tallies.peek('a');
    await system.drain(1_000);
  };
});

describe('the file of snapshots', () => {
  it('keeps them from one process to the next, and is started anew when it is damaged', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'chainfold-snapshots-'));
    const file = join(dir, 'snapshots.sqlite');
    const key: SnapshotKey = { log: 'x1', stream: 'tally-a', stateVersion: 1 };
    const first = new SqliteSnapshotStore(file);
    await first.put(key, 'one');
    await first.put(key, 'two');
    await first.close();
    const second = new SqliteSnapshotStore(file);
    expect(await second.get(key)).toBe('two');
    expect(await second.get({ ...key, stateVersion: 2 })).toBeUndefined();
    await second.close();
    writeFileSync(file, 'this is no database, but it is long enough to look like one'.repeat(100));
    const third = new SqliteSnapshotStore(file);
    expect(await third.get(key)).toBeUndefined();
    await third.put(key, 'three');
    expect(await third.get(key)).toBe('three');
    await third.close();
    rmSync(dir, { recursive: true });
  });
});
