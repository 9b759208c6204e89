import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { ActorSystem, SqliteSnapshotStore } from '#platform/actors';
import { acquireDataDirectory, openSqliteEventStore } from '#platform/event-store';
import { systemClock, type Decider, type DomainEvent } from '#platform/kernel';
import { ProjectionRunner } from '#platform/projections';
import { SqliteReadWriter } from '#platform/read-store';
import { SeededRandom } from './seeded-random.ts';
import { tally } from '../../libs/platform/testing/src/tally.projection.ts';

/**
 * A small program with all that keeps data: log, actors with snapshots, a projection that is rebuilt again and again.
 * It lives until it is killed: `mortal-program DIRECTORY LIFE [UNANSWERED…]`. Each line it says is out before it goes on:
 * `asked ID COUNTER BY` before a command is told, `answered ID REVISION POSITION` after.
 */
type Count = { readonly by: number };
type Counted = DomainEvent<'Counted', { readonly by: number }>;

const counter: Decider<number, Count, Counted> = {
  initialState: () => 0,
  decide: ({ by }) => [{ type: 'Counted', data: { by } }],
  evolve: (sum, { data }) => sum + data.by,
};

const [, , directory, life, ...unanswered] = process.argv as [string, string, string, ...string[]];
const say = (...words: readonly unknown[]): void => void writeSync(1, `${words.join(' ')}\n`);

acquireDataDirectory(directory);
const store = await openSqliteEventStore({ directory });
const snapshots = new SqliteSnapshotStore(join(directory, 'snapshots.db'));
const counters = new ActorSystem({ store, clock: systemClock, snapshots }).define({
  category: 'counter',
  decider: counter,
  schemaVersions: { Counted: 1 },
  snapshot: { stateVersion: 1, everyEvents: 5, toJson: (sum) => sum, fromJson: Number },
});
const runner = new ProjectionRunner({
  reader: store,
  store: new SqliteReadWriter(join(directory, 'read.db'), systemClock),
  projections: [tally],
  clock: systemClock,
  settings: { maxBatchEvents: 16 },
});
await runner.start();
say('open');

async function ask(id: string, name: string, by: number): Promise<void> {
  say('asked', id, name, by);
  const { revision, position } = await counters.tell(name, { by }, { commandId: id });
  say('answered', id, revision, position);
}

async function caller(name: string, from: number): Promise<void> {
  const random = new SeededRandom(from * 1_000 + Number(life));
  for (let n = 0; ; n++) {
    await ask(`${life}.${from}.${n}`, name, random.between(1, 1_000));
    await systemClock.sleep(random.between(0, 8));
  }
}

async function rebuilding(): Promise<void> {
  for (;;) {
    await runner.rebuild('tally').catch(() => undefined);
    await systemClock.sleep(100);
  }
}

// A client that got no answer asks the same again.
await Promise.all(unanswered.map((line) => line.split(',') as [string, string, string]).map(([id, name, by]) => ask(id, name, Number(by))));
await Promise.all([...Array.from({ length: 6 }, (_, from) => caller(String(from % 4), from)), rebuilding()]);
