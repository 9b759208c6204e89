import { openMemoryEventStore } from '#platform/event-store';
import { streamName } from '#platform/kernel';
import { FaultyEventStore, ManualClock, TALLY_VERSIONS, tallyDecider, type Fault, type Tally, type TallyCommand, type TallyEvent } from '#platform/testing';
import fc from 'fast-check';
import { ActorSystem, MemorySnapshotStore, type ActorDefinition, type Told } from './index.ts';

const STREAM = streamName('tally', 'a');
const definition: ActorDefinition<Tally, TallyCommand, TallyEvent> = {
  category: 'tally',
  decider: tallyDecider,
  schemaVersions: TALLY_VERSIONS,
  maxResident: 1,
  snapshot: { stateVersion: 1, everyEvents: 3, toJson: (state) => state, fromJson: (json) => json as Tally },
};

interface Step {
  /** Which of two processes. */
  readonly owner: 0 | 1;
  readonly kind: 'with-id' | 'without-id' | 'twice' | 'take' | 'elsewhere';
  /** Others are told before this one is answered. */
  readonly hurry: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  owner: fc.constantFrom(0, 1),
  kind: fc.constantFrom('with-id', 'without-id', 'twice', 'take', 'elsewhere'),
  hurry: fc.boolean(),
});
const fault: fc.Arbitrary<Fault> = fc.constantFrom('none', 'none', 'lost-before', 'lost-after', 'late', 'repeated', 'unavailable', 'rival');

interface Outcome {
  readonly key: string;
  readonly told: Told | undefined;
  /** It may have been written although the answer was an error. */
  readonly unknown: boolean;
}

async function play(steps: readonly Step[], faults: readonly (readonly Fault[])[]) {
  const log = openMemoryEventStore();
  const clock = new ManualClock();
  const snapshots = new MemorySnapshotStore();
  const third = new ActorSystem({ store: log, clock, random: () => 0 }).define(definition);
  let rivals = 0;
  const owners = [0, 1].map((owner) => {
    const store = new FaultyEventStore(log, faults[owner] ?? []);
    store.rival = async ({ stream }) => void (await third.tell(stream.slice('tally-'.length), { type: 'Add', by: 1, key: `rival ${rivals++}` }));
    return new ActorSystem({ store, clock, snapshots, random: () => 0 }).define(definition);
  });
  const outcomes: Promise<Outcome>[] = [];
  for (const [n, { owner, kind, hurry }] of steps.entries()) {
    const key = `key ${n}`;
    const tallies = owners[owner]!;
    const tell = async (commandId?: string): Promise<Outcome> => {
      try {
        const command: TallyCommand = kind === 'take' ? { type: 'TakeAll' } : { type: 'Add', by: 1, key };
        return { key, told: await tallies.tell(kind === 'elsewhere' ? 'b' : 'a', command, commandId === undefined ? {} : { commandId }), unknown: false };
      } catch (error) {
        return { key, told: undefined, unknown: (error as { code?: string }).code === 'indeterminate-append' };
      }
    };
    const id = kind === 'with-id' || kind === 'twice' ? `command ${n}` : undefined;
    outcomes.push(tell(id));
    if (kind === 'twice') outcomes.push(tell(id));
    if (!hurry) await Promise.all(outcomes);
  }
  return { log, clock, snapshots, owners, outcomes: await Promise.all(outcomes) };
}

describe('whatever goes wrong, with two owners at once', () => {
  it('no command is lost or doubled, answers tell what stands in the log, and state is its fold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.array(fault, { maxLength: 25 }), fc.array(fault, { maxLength: 25 }), async (steps, first, second) => {
        const { log, clock, snapshots, owners, outcomes } = await play(steps, [first, second]);
        const events = await log.readStream(STREAM, 0, 10_000);
        const elsewhere = await log.readStream(streamName('tally', 'b'), 0, 10_000);
        const all = [...events, ...elsewhere];
        for (const { key, told, unknown } of outcomes) {
          const times = all.filter((event) => event.data['key'] === key).length;
          const twin = outcomes.find((other) => other.key === key && other.told !== undefined);
          if (told?.events[0]?.type === 'Added') expect(times).toBe(1);
          if (told === undefined && !unknown && twin === undefined) expect(times).toBe(0);
          expect(times).toBeLessThanOrEqual(1);
          for (const event of told?.events ?? []) expect(all).toContainEqual(event);
        }
        // Each fact of taking belongs to the sum that it found: nothing was decided on a state that never was.
        let sum = 0;
        for (const event of events) {
          if (event.type === 'TookAll') expect(event.data['sum']).toBe(sum);
          sum = event.type === 'TookAll' ? 0 : sum + 1;
        }
        const fold = events.reduce<Tally>((state, event) => tallyDecider.evolve(state, event as unknown as TallyEvent), tallyDecider.initialState());
        const fresh = new ActorSystem({ store: log, clock, random: () => 0 }).define(definition);
        const fromSnapshot = new ActorSystem({ store: log, clock, snapshots }).define(definition);
        expect((await fresh.peek('a')).state).toEqual(fold);
        expect(await fromSnapshot.peek('a')).toEqual(await fresh.peek('a'));
        // An owner with an old view finds out with the next command.
        for (const owner of owners) await owner.tell('a', { type: 'Add', by: 1, key: 'last' }).catch(() => undefined);
      }),
      { numRuns: 400 },
    );
  });

  it('a client that repeats until it is answered is served exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 40 }), fc.integer({ min: 1, max: 8 }), async (faults, clients) => {
        const log = openMemoryEventStore();
        const clock = new ManualClock();
        const store = new FaultyEventStore(log, faults);
        const third = new ActorSystem({ store: log, clock, random: () => 0 }).define(definition);
        store.rival = async () => void (await third.tell('a', { type: 'Add', by: 1, key: 'rival' }));
        const tallies = new ActorSystem({ store, clock, random: () => 0 }).define(definition);
        const client = async (key: string): Promise<Told> => {
          for (;;) {
            try {
              return await tallies.tell('a', { type: 'Add', by: 1, key }, { commandId: key });
            } catch {
              await Promise.resolve();
            }
          }
        };
        const keys = Array.from({ length: clients }, (_, n) => `client ${n}`);
        const answers = await Promise.all(keys.map(client));
        const events = await log.readStream(STREAM, 0, 10_000);
        expect(events.flatMap((event) => (event.data['key'] === 'rival' ? [] : [event.data['key']])).sort()).toEqual(keys);
        expect(answers.map((told) => told.events[0])).toEqual(keys.map((key) => events.find((event) => event.data['key'] === key)));
      }),
      { numRuns: 300 },
    );
  });
});
