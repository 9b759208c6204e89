import { eventId, openMemoryEventStore } from '#platform/event-store';
import { START, streamName, type RecordedEvent } from '#platform/kernel';
import { FaultyEventStore, ManualClock, TALLY_VERSIONS, tallyDecider, type Fault, type Tally, type TallyCommand, type TallyEvent } from '#platform/testing';
import { ActorSystem, type ActorDefinition, type ActorHooks, type ActorLimits, type TellOutcome } from './index.ts';

type Definition = ActorDefinition<Tally, TallyCommand, TallyEvent>;
const definition: Definition = { category: 'tally', decider: tallyDecider, schemaVersions: TALLY_VERSIONS };
const STREAM = streamName('tally', 'a');

function world(faults: readonly Fault[] = [], options: { definition?: Partial<Definition>; limits?: Partial<ActorLimits>; hooks?: ActorHooks } = {}) {
  const clock = new ManualClock();
  const log = openMemoryEventStore();
  const store = new FaultyEventStore(log, faults);
  const outcomes: TellOutcome[] = [];
  const hooks: ActorHooks = { told: (_category, outcome) => outcomes.push(outcome), ...options.hooks };
  const system = new ActorSystem({ store, clock, random: () => 0, hooks, ...(options.limits && { limits: options.limits }) });
  const tallies = system.define({ ...definition, ...options.definition });
  const stored = (): Promise<readonly RecordedEvent[]> => log.readStream(STREAM, 0, 10_000);
  return { clock, log, store, system, tallies, stored, outcomes };
}

const add = (key: string, by = 1): TallyCommand => ({ type: 'Add', by, key });
const code = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'told', (error: { code?: string }) => error.code ?? error);

describe('an actor', () => {
  it('persists, then answers with what stands in the log', async () => {
    const { tallies, stored, log } = world();
    const told = await tallies.tell('a', add('x', 3), { commandId: 'c1', correlationId: 'r1', trace: 't1' });
    expect(told).toMatchObject({ revision: 0, repeated: false, position: await log.head() });
    expect(told.events).toEqual(await stored());
    expect(told.events[0]).toMatchObject({
      id: eventId(STREAM, 0, 'Added', ''),
      type: 'Added',
      schemaVersion: 1,
      commandId: 'c1',
      causationId: 'c1',
      correlationId: 'r1',
      trace: 't1',
      recordedAt: '2024-01-01T00:00:00.000Z',
      data: { by: 3, key: 'x' },
    });
    expect(await tallies.peek('a')).toEqual({ state: { sum: 3, keys: ['x'], filled: 0 }, revision: 0 });
  });

  it('answers a command that says nothing with the place the stream is at', async () => {
    const { tallies } = world();
    expect(await tallies.tell('a', { type: 'Glance' })).toEqual({ revision: -1, position: START, events: [], repeated: false });
    const { position } = await tallies.tell('a', add('x'));
    expect(await tallies.tell('a', { type: 'Glance' })).toEqual({ revision: 0, position, events: [], repeated: false });
  });

  it('decides queued commands in turn, appends them once, and answers each for itself', async () => {
    const { tallies, store, stored } = world();
    const answers = await Promise.all([
      tallies.tell('a', add('x', 2)),
      code(tallies.tell('a', { type: 'Refuse' })),
      tallies.tell('a', { type: 'TakeAll' }),
      tallies.tell('a', { type: 'Glance' }),
      code(tallies.tell('a', { type: 'TakeAll' })),
      tallies.tell('a', add('y')),
    ]);
    expect(store.appends).toHaveLength(1);
    const events = await stored();
    expect(events.map((event) => event.data)).toEqual([{ by: 2, key: 'x' }, { sum: 2 }, { by: 1, key: 'y' }]);
    expect(answers).toEqual([
      { revision: 0, position: events[0]?.position, events: [events[0]], repeated: false },
      'tally-refused',
      { revision: 1, position: events[1]?.position, events: [events[1]], repeated: false },
      { revision: 1, position: events[1]?.position, events: [], repeated: false },
      'tally-empty',
      { revision: 2, position: events[2]?.position, events: [events[2]], repeated: false },
    ]);
  });

  it('takes a refusal back when the facts that it rested on were not written', async () => {
    const { tallies, stored } = world(['unavailable']);
    const before = [code(tallies.tell('a', { type: 'TakeAll' })), code(tallies.tell('a', add('x'))), code(tallies.tell('a', { type: 'Refuse' }))];
    expect(await Promise.all(before)).toEqual(['tally-empty', 'disk-full', 'disk-full']);
    expect(await stored()).toEqual([]);
    expect(await code(tallies.tell('a', add('x')))).toBe('told');
  });

  it('gives a repeated command the same answer, for as long as it remembers and whoever asks', async () => {
    const { tallies, store, clock, stored } = world();
    const [first, twin] = await Promise.all([tallies.tell('a', add('x'), { commandId: 'c' }), tallies.tell('a', add('x'), { commandId: 'c' })]);
    await tallies.tell('a', add('y'));
    const later = await tallies.tell('a', add('x'), { commandId: 'c', expectedRevision: -1 });
    const restarted = await new ActorSystem({ store, clock }).define(definition).tell('a', add('x'), { commandId: 'c' });
    for (const answer of [twin, later, restarted]) expect(answer).toEqual({ ...first, repeated: true });
    expect(await stored()).toHaveLength(2);
  });

  it('remembers the last 1,024 commands that wrote, and no refused or silent one', async () => {
    const { tallies } = world();
    await tallies.tell('a', add('old'), { commandId: 'c0' });
    for (let n = 1; n < 1_024; n++) await tallies.tell('a', add(String(n)), { commandId: `c${n}` });
    await tallies.tell('a', { type: 'Glance' }, { commandId: 'silent' });
    expect((await tallies.tell('a', add('again'), { commandId: 'c0' })).repeated).toBe(true);
    await tallies.tell('a', add('one more'), { commandId: 'c1024' });
    expect((await tallies.tell('a', add('again'), { commandId: 'c0' })).repeated).toBe(false);
    expect((await tallies.tell('a', add('z'), { commandId: 'silent' })).repeated).toBe(false);
  });

  it('holds If-Match against the revision that the command meets', async () => {
    const { tallies } = world();
    const answers = [tallies.tell('a', add('x'), { expectedRevision: -1 }), tallies.tell('a', add('y'), { expectedRevision: 0 }), tallies.tell('a', add('z'), { expectedRevision: 0 })];
    expect(await Promise.all(answers.map(code))).toEqual(['told', 'told', 'revision-mismatch']);
  });

  it('drops a command whose deadline passed while it waited, before it is decided', async () => {
    const { tallies, clock, store, outcomes } = world();
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    const first = tallies.tell('a', add('x'), { deadline: 100 });
    await clock.advance(1);
    const late = code(tallies.tell('a', add('late'), { deadline: 100 }));
    const inTime = tallies.tell('a', add('in time'), { deadline: 200 });
    await clock.advance(150);
    open();
    expect(await late).toBe('deadline-passed');
    expect((await first).revision).toBe(0);
    expect((await inTime).revision).toBe(1);
    expect(outcomes).toEqual(['written', 'expired', 'written']);
  });

  it('refuses what overflows its mailbox, with the time to come again, and takes more when there is room', async () => {
    const { tallies } = world([], { limits: { mailbox: { commands: 2, bytes: 1_000 } } });
    const [one, two, three] = [tallies.tell('a', add('1')), tallies.tell('a', add('2')), tallies.tell('a', add('3'))];
    await expect(three).rejects.toMatchObject({ code: 'overloaded', kind: 'throttled', retryable: true, retryAfterMs: 10 });
    await Promise.all([one, two]);
    const huge = tallies.tell('a', add('h'.repeat(2_000)));
    await expect(tallies.tell('a', add('4'))).rejects.toMatchObject({ code: 'overloaded' });
    expect((await huge).revision).toBe(2);
  });

  it('is bounded together with all others', async () => {
    const { tallies, system } = world([], { limits: { all: { commands: 3, bytes: 1_000_000 } } });
    const told = Promise.all(['a', 'b', 'c', 'd'].map((id) => code(tallies.tell(id, add(id)))));
    expect(system.depths()).toMatchObject([{ category: 'tally', resident: 4, commands: 3 }]);
    expect(await told).toEqual(['told', 'told', 'told', 'overloaded']);
    expect(system.depths()).toMatchObject([{ commands: 0, bytes: 0 }]);
  });
});

describe('large decisions', () => {
  const entries = (count: number, bytes: number): TallyCommand => ({ type: 'Fill', entries: Array.from({ length: count }, () => 'f'.repeat(bytes)) });

  it('are refused where readers may not see a part', async () => {
    const { tallies, stored } = world();
    const answers = [tallies.tell('a', add('x')), tallies.tell('a', entries(257, 1)), tallies.tell('a', entries(10, 100_000)), tallies.tell('a', entries(1, 256_000)), tallies.tell('a', add('y'))];
    expect(await Promise.all(answers.map(code))).toEqual(['told', 'decision-too-large', 'decision-too-large', 'decision-too-large', 'told']);
    expect(await stored()).toHaveLength(2);
  });

  it('are written as several appends where the decider goes on from any prefix', async () => {
    const { tallies, store, stored } = world([], { definition: { resumable: true } });
    await tallies.tell('a', entries(3, 10));
    const told = await tallies.tell('a', entries(300, 5_000), { commandId: 'c' });
    expect(told).toMatchObject({ revision: 299, repeated: false });
    expect(told.events).toHaveLength(297);
    expect(store.appends.map((append) => append.events.length)).toEqual([3, 176, 121]);
    expect(await tallies.tell('a', entries(300, 5_000), { commandId: 'c' })).toEqual({ ...told, repeated: true });
    expect(await stored()).toHaveLength(300);
  });

  it('share an append as far as it goes, the rest waits for the next', async () => {
    const { tallies, store } = world();
    await Promise.all(Array.from({ length: 300 }, (_, n) => tallies.tell('a', add(String(n)))));
    expect(store.appends.map((append) => append.events.length)).toEqual([256, 44]);
    expect((await tallies.peek('a')).state.keys).toEqual(Array.from({ length: 300 }, (_, n) => String(n)));
  });
});

describe('a decider that contradicts itself', () => {
  it('is stopped before anything is written, and disturbs nobody', async () => {
    const { tallies, stored } = world();
    const answers = [tallies.tell('a', add('x')), tallies.tell('a', { type: 'Poison' }), tallies.tell('a', add('y'))];
    expect(await Promise.all(answers.map(code))).toEqual(['told', 'decision-unsound', 'told']);
    expect((await stored()).map((event) => event.type)).toEqual(['Added', 'Added']);
  });
});

describe('two owners', () => {
  const rivalWorld = (faults: readonly Fault[]) => {
    const all = world(faults);
    const rival = new ActorSystem({ store: all.log, clock: all.clock }).define(definition);
    let writes = 0;
    all.store.rival = async () => void (await rival.tell('a', add(`rival ${writes++}`)));
    return all;
  };

  it('do not overwrite each other: who comes second reads and decides again', async () => {
    const { tallies, stored } = rivalWorld(['none', 'rival']);
    await tallies.tell('a', add('x', 5));
    const [taken, refused] = await Promise.all([tallies.tell('a', { type: 'TakeAll' }), code(tallies.tell('a', { type: 'TakeAll' }))]);
    expect(taken.events[0]).toMatchObject({ revision: 2, data: { sum: 6 } });
    expect(refused).toBe('tally-empty');
    expect(await stored()).toHaveLength(3);
  });

  it('whose events have the same ids are told apart', async () => {
    const { tallies, log, clock, stored, store } = world(['rival']);
    // The other one writes an event of the very same id, and the store then takes ours for a repetition.
    store.rival = async () => void (await new ActorSystem({ store: log, clock }).define(definition).tell('a', add('theirs')));
    const told = await tallies.tell('a', add('ours'));
    expect(told).toMatchObject({ revision: 1, repeated: false });
    expect((await stored()).map((event) => event.data)).toEqual([{ by: 1, key: 'theirs' }, { by: 1, key: 'ours' }]);
  });

  it('give up after three more tries, without having written', async () => {
    const { tallies, stored } = rivalWorld(['none', 'rival', 'rival', 'rival', 'rival']);
    await tallies.tell('a', add('x'));
    expect(await code(tallies.tell('a', add('y')))).toBe('revision-conflict');
    expect((await stored()).map((event) => event.data['key'])).toEqual(['x', 'rival 0', 'rival 1', 'rival 2', 'rival 3']);
    expect(await code(tallies.tell('a', add('y')))).toBe('told');
  });
});

describe('an append without an answer', () => {
  it.each(['lost-before', 'lost-after', 'late', 'repeated'] as const)('(%s) is neither lost nor doubled, with an id or without', async (fault) => {
    const { tallies, stored } = world(['none', fault]);
    await tallies.tell('a', add('w'));
    const [x, y] = await Promise.all([tallies.tell('a', add('x'), { commandId: 'c' }), tallies.tell('a', add('y'))]);
    const events = await stored();
    expect(events.map((event) => event.data['key'])).toEqual(['w', 'x', 'y']);
    expect([x.events, y.events]).toEqual([[events[1]], [events[2]]]);
    expect((await tallies.peek('a')).revision).toBe(2);
  });

  it('that stays without one is told as such, and the repeated command finds out', async () => {
    const { tallies, stored } = world(['lost-before', 'lost-before', 'lost-before', 'lost-before']);
    expect(await code(tallies.tell('a', add('x'), { commandId: 'c' }))).toBe('indeterminate-append');
    expect((await tallies.tell('a', add('x'), { commandId: 'c' })).repeated).toBe(false);
    expect(await stored()).toHaveLength(1);
  });

  it('is answered by the last look at the log', async () => {
    const { tallies } = world(['lost-before', 'lost-before', 'lost-before', 'lost-after']);
    expect(await code(tallies.tell('a', add('x')))).toBe('told');
  });
});

describe('a log that can not be read', () => {
  it('fails the commands that need it, and works again when it can', async () => {
    const { tallies, store } = world();
    store.readsFail = true;
    expect(await Promise.all([code(tallies.tell('a', add('x'))), code(tallies.peek('a'))])).toEqual(['log-unreadable', 'log-unreadable']);
    store.readsFail = false;
    expect(await code(tallies.tell('a', add('x')))).toBe('told');
  });
});

describe('a stream with an event that can not be folded', () => {
  it.each([
    ['evolve throws', 'Poisoned', 1],
    ['the type is unknown', 'Vanished', 1],
    ['the version is from the future', 'Added', 2],
  ])('is readable as far as it goes, not writable, and alarmed: %s', async (_why, type, schemaVersion) => {
    const alarms: string[] = [];
    const { tallies, log, system } = world([], { hooks: { quarantined: (stream) => alarms.push(stream) } });
    const event = { correlationId: 'r', causationId: 'c', occurredAt: '2024-01-01T00:00:00.000Z', recordedAt: '2024-01-01T00:00:00.000Z' };
    const added = { ...event, id: 'e0', type: 'Added', schemaVersion: 1, data: { by: 1, key: 'x' } };
    await log.append({ stream: STREAM, expected: 'noStream', events: [added, { ...added, id: 'e1', type, schemaVersion }, { ...added, id: 'e2' }] });
    expect(await Promise.all([code(tallies.tell('a', add('y'))), code(tallies.tell('b', add('y')))])).toEqual(['actor-quarantined', 'told']);
    expect(await tallies.peek('a')).toEqual({ state: { sum: 1, keys: ['x'], filled: 0 }, revision: 0 });
    expect(await log.lastRevision(STREAM)).toBe(2);
    expect(alarms).toEqual(['tally-a']);
    expect(system.depths()).toMatchObject([{ quarantined: 1 }]);
  });
});

describe('actors in memory', () => {
  it('leave least recently used first, and never while they work', async () => {
    const passivated: string[] = [];
    const { tallies, store, system, clock } = world([], { definition: { maxResident: 2 }, hooks: { passivated: (_category, reason) => passivated.push(reason) } });
    for (const id of ['a', 'b', 'a', 'c']) await tallies.tell(id, add(id));
    expect(system.depths()).toMatchObject([{ resident: 2 }]);
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    const busy = Promise.all(['a', 'b', 'c', 'd'].map((id) => tallies.tell(id, add(id))));
    expect(system.depths()).toMatchObject([{ resident: 4 }]);
    open();
    expect((await busy).map(({ revision }) => revision)).toEqual([2, 1, 1, 0]);
    await clock.advance(0);
    await tallies.peek('e');
    expect(system.depths()).toMatchObject([{ resident: 2 }]);
    expect(new Set(passivated)).toEqual(new Set(['crowded']));
  });

  it('leave when nobody used them for the idle time, and come back as they were', async () => {
    const { tallies, clock, system } = world([], { limits: { idleMs: 1_000 } });
    await tallies.tell('a', add('x'));
    await clock.advance(1_001);
    await tallies.tell('b', add('y'));
    expect(system.depths()).toMatchObject([{ resident: 1 }]);
    expect((await tallies.peek('a')).state.keys).toEqual(['x']);
  });
});

describe('draining', () => {
  it('takes no new work and finishes what waits', async () => {
    const { tallies, system, clock } = world();
    const told = tallies.tell('a', add('x'));
    const drained = system.drain(1_000);
    expect(await code(tallies.tell('a', add('y')))).toBe('draining');
    expect(await drained).toEqual({ finished: true, abandoned: 0 });
    expect((await told).revision).toBe(0);
    expect((await tallies.peek('a')).revision).toBe(0);
    expect(clock.sleeping).toBe(0);
  });

  it('ends with its budget: what is with the log may still be answered, what waits is refused', async () => {
    const { tallies, system, clock, store, stored } = world();
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    const first = code(tallies.tell('a', add('x')));
    await clock.advance(1);
    const second = code(tallies.tell('a', add('y')));
    const drained = system.drain(1_000);
    await clock.advance(1_000);
    expect(await drained).toEqual({ finished: false, abandoned: 2 });
    open();
    expect(await Promise.all([first, second])).toEqual(['told', 'draining']);
    expect(await stored()).toHaveLength(1);
  });
});

describe('the definition of a kind', () => {
  it('is made once per category', () => {
    const { system } = world();
    expect(() => system.define(definition)).toThrow('claim one category');
  });
});
