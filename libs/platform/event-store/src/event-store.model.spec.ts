import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Position, START, type StreamName, streamName } from '#platform/kernel';
import { caughtUpTimes, eventNamed, readUntil } from './event-examples.contract.ts';
import type { Append, EventFilter, EventStore } from './event-store.port.ts';
import { openMemoryEventStore } from './memory.event-store.ts';
import { openSqliteEventStore, type SqliteEventStore } from './sqlite.event-store.ts';

/** The log as simple as it can be said. */
class LogModel {
  readonly log: { stream: StreamName; id: string; type: string }[] = [];

  of(stream: StreamName): string[] {
    return this.log.filter((event) => event.stream === stream).map((event) => event.id);
  }

  /** What the log must answer; changes the model when it appends. */
  append({ stream, expected, events }: Append): 'conflict' | { lastRevision: number; repeated: boolean; length: number } {
    const standing = this.of(stream);
    const at = expected === 'noStream' ? 0 : expected + 1;
    const ids = events.map((event) => event.id);
    if (ids.length > 0 && at < standing.length) {
      const same = ids.every((id, i) => id === standing[at + i]);
      if (!same) return 'conflict';
      const length = this.log.findIndex((event) => event.stream === stream && event.id === ids.at(-1)) + 1;
      return { lastRevision: at + ids.length - 1, repeated: true, length };
    }
    if (at !== standing.length) return 'conflict';
    this.log.push(...events.map(({ id, type }) => ({ stream, id, type })));
    return { lastRevision: this.of(stream).length - 1, repeated: false, length: this.log.length };
  }

  appendAll(appends: readonly Append[]): 'conflict' | { lastRevision: number; repeated: boolean; length: number }[] {
    const before = this.log.length;
    const answers = appends.map((append) => this.append(append));
    if (!answers.includes('conflict')) return answers as Exclude<(typeof answers)[number], 'conflict'>[];
    this.log.splice(before);
    return 'conflict';
  }

  after(place: number, filter: EventFilter): string[] {
    const wanted = (event: { stream: StreamName; type: string }): boolean =>
      (filter.types?.includes(event.type) ?? true) && (filter.categories?.some((category) => event.stream.startsWith(`${category}-`)) ?? true);
    return this.log.slice(place).filter(wanted).map((event) => event.id);
  }
}

const STREAMS = [streamName('red', '1'), streamName('red', '2'), streamName('blue', '1')];
const TYPES = ['Up', 'Down', 'Still'];

const append = fc.record({
  stream: fc.constantFrom(...STREAMS),
  /** How far the expectation is from the truth. */
  off: fc.constantFrom(0, 0, 0, 0, -1, -2, 1),
  types: fc.array(fc.constantFrom(...TYPES), { maxLength: 5 }),
  /** Long enough to be compressed, now and then. */
  padding: fc.constantFrom(0, 0, 3_000),
});
const filter = fc.record(
  { types: fc.subarray(TYPES), categories: fc.subarray(['red', 'blue', 'green']) },
  { requiredKeys: [] },
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), appends: fc.array(append, { minLength: 1, maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), from: fc.nat(), limit: fc.integer({ min: 1, max: 7 }), filter }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('subscribe' as const), from: fc.nat(), filter }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const), crash: fc.boolean() }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Runs one story against log and model and compares every answer. */
class Story {
  readonly #model = new LogModel();
  readonly #told: Append[][] = [];
  /** Position of the n-th event, from 1; START at 0. */
  readonly #positions: Position[] = [START];
  #ids = 0;
  #store: EventStore;
  readonly #reopen: (store: EventStore, crash: boolean) => Promise<EventStore>;

  constructor(store: EventStore, reopen: (store: EventStore, crash: boolean) => Promise<EventStore>) {
    this.#store = store;
    this.#reopen = reopen;
  }

  get store(): EventStore {
    return this.#store;
  }

  async take(next: Step): Promise<void> {
    switch (next.do) {
      case 'append':
        return this.#tell(next.appends.map((each) => this.#appendOf(each)));
      case 'repeat':
        return this.#told.length > 0 ? this.#tell(this.#told[next.which % this.#told.length]!) : undefined;
      case 'read':
        return this.#read(next.from % this.#positions.length, next.limit, next.filter);
      case 'subscribe':
        return this.#subscribe(next.from % this.#positions.length, next.filter);
      case 'reopen':
        this.#store = await this.#reopen(this.#store, next.crash);
    }
  }

  async end(): Promise<void> {
    for (const stream of STREAMS) {
      const ids = (await this.#store.readStream(stream, 0, 1_000)).map((event) => event.id);
      expect(ids).toEqual(this.#model.of(stream));
      expect(await this.#store.lastRevision(stream)).toBe(ids.length - 1);
      expect((await this.#store.readStream(stream, 2, 2)).map((event) => event.id)).toEqual(ids.slice(2, 4));
    }
    const listed = await this.#store.listStreams({ limit: 10 });
    expect(listed.map((each) => each.stream)).toEqual(STREAMS.filter((stream) => this.#model.of(stream).length > 0).sort());
  }

  #appendOf({ stream, off, types, padding }: { stream: StreamName; off: number; types: string[]; padding: number }): Append {
    const expected = this.#model.of(stream).length - 1 + off;
    const events = types.map((type) => eventNamed(`e${this.#ids++}`, type, { padding: 'x'.repeat(padding) }));
    return { stream, expected: expected < 0 ? 'noStream' : expected, events };
  }

  async #tell(appends: Append[]): Promise<void> {
    const expected = this.#model.appendAll(appends);
    const answer = await this.#store.appendAll(appends).catch((error: { code: string }) => error.code);
    if (expected === 'conflict' || typeof answer === 'string') {
      expect([expected, answer]).toEqual(['conflict', 'revision-conflict']);
      return;
    }
    this.#told.push(appends);
    const all = await this.#store.readAll(START, {}, 10_000);
    expect(all.events.map((event) => event.id)).toEqual(this.#model.log.map((event) => event.id));
    this.#positions.splice(1, Infinity, ...all.events.map((event) => event.position));
    expect(answer.map(({ lastRevision, repeated, position }) => ({ lastRevision, repeated, position }))).toEqual(
      expected.map(({ length, ...rest }) => ({ ...rest, position: this.#positions[length] })),
    );
  }

  async #read(from: number, limit: number, wanted: EventFilter): Promise<void> {
    const ids: string[] = [];
    for (let after = this.#positions[from]!, atHead = false; !atHead; ) {
      const page = await this.#store.readAll(after, wanted, limit);
      ids.push(...page.events.map((event) => event.id));
      ({ next: after, atHead } = page);
    }
    expect(ids).toEqual(this.#model.after(from, wanted));
  }

  async #subscribe(from: number, wanted: EventFilter): Promise<void> {
    const seen = await readUntil(this.#store.subscribe(this.#positions[from]!, wanted, new AbortController().signal), caughtUpTimes(1));
    expect(seen.flatMap((each) => (each.kind === 'event' ? [each.event.id] : []))).toEqual(this.#model.after(from, wanted));
    expect(seen.at(-1)).toEqual({ kind: 'caughtUp', position: this.#positions.at(-1) });
  }
}

describe('whatever is done to it, in any order, the log answers as its model does:', () => {
  it('in memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const story = new Story(openMemoryEventStore(), async (store) => store);
        for (const next of steps) await story.take(next);
        await story.end();
      }),
      { numRuns: 200 },
    );
  });

  it('in SQLite, reopened and with its writer crashing in between', async () => {
    const root = await mkdtemp(join(tmpdir(), 'chainfold-log-'));
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const directory = join(root, String(runs++));
        const story = new Story(await openSqliteEventStore({ directory }), async (store, crash) => {
          if (crash) {
            await (store as SqliteEventStore).crashWriter();
            return store;
          }
          await store.close();
          return openSqliteEventStore({ directory });
        });
        for (const next of steps) await story.take(next);
        await story.end();
        await story.store.close();
      }),
      { numRuns: 12 },
    );
    await rm(root, { recursive: true });
  });
});
