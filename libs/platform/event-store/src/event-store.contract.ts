import { categoryOf, START, streamName } from '#platform/kernel';
import { caughtUpTimes, eventNamed, eventsNamed, readUntil, told } from './event-examples.contract.ts';
import { type EventStore, MAX_BYTES_PER_EVENT, MAX_EVENTS_PER_APPEND } from './event-store.port.ts';

export interface EventStoreUnderTest {
  readonly store: EventStore;
  /** Releases what `store` itself does not. */
  readonly dispose?: () => Promise<void>;
}

export interface ContractOptions {
  /** False where the store can not make several appends one transaction. */
  readonly atomicAppendAll: boolean;
}

const A = streamName('note', 'a');
const B = streamName('note', 'b');
const OTHER = streamName('other', 'a');

/** What every adapter promises, in the words of design/log.md. */
export function describeEventStore(name: string, open: () => Promise<EventStoreUnderTest>, options: ContractOptions): void {
  describe(`${name} keeps the promises of the log:`, () => {
    let store: EventStore;
    let dispose: (() => Promise<void>) | undefined;

    beforeEach(async () => ({ store, dispose } = await open()));
    afterEach(async () => {
      await store.close();
      await dispose?.();
    });

    const stop = (): AbortController => new AbortController();
    const put = (stream: typeof A, expected: 'noStream' | number, ...ids: string[]) => store.append({ stream, expected, events: eventsNamed(...ids) });
    const everything = async (): Promise<string[]> => (await store.readAll(START, {}, 10_000)).events.map((event) => event.id);

    describe('appending', () => {
      it('answers the last revision and the position that the events then have', async () => {
        const first = await put(A, 'noStream', 'a', 'b');
        const second = await put(A, 1, 'c');
        expect([first.lastRevision, second.lastRevision]).toEqual([1, 2]);
        expect([first.repeated, second.repeated]).toEqual([false, false]);
        const events = await store.readStream(A, 0, 10);
        expect(events.map((event) => [event.id, event.revision])).toEqual([['a', 0], ['b', 1], ['c', 2]]);
        expect([events[1]!.position, events[2]!.position]).toEqual([first.position, second.position]);
      });

      it('gives back what was put in, to the letter', async () => {
        const full = {
          ...eventNamed('full', 'Noted', { text: 'a\nb "c" \u2028 ü 🙂 \u0000', deep: [{ n: null, t: true, i: -7, e: '' }], big: '115792089237316195423570985008687907853269984665640564039457584007913129639935' }),
          commandId: 'command',
          trace: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          schemaVersion: 3,
        };
        const plain = eventNamed('plain');
        await store.append({ stream: A, expected: 'noStream', events: [full, plain] });
        const [first, second] = (await store.readAll(START, {}, 10)).events;
        expect(first).toEqual({ ...full, stream: A, revision: 0, position: first!.position });
        expect(second).toEqual({ ...plain, stream: A, revision: 1, position: second!.position });
        expect(Object.keys(second!)).not.toContain('commandId');
      });

      it('keeps nothing of the caller’s objects', async () => {
        const data = { note: 'before' };
        await store.append({ stream: A, expected: 'noStream', events: [eventNamed('a', 'Noted', data)] });
        data.note = 'after';
        expect((await store.readStream(A, 0, 1))[0]!.data).toEqual({ note: 'before' });
      });

      it('refuses with a conflict when the stream is elsewhere, and writes nothing', async () => {
        await put(A, 'noStream', 'a', 'b');
        for (const expected of ['noStream', 0, 2, 7] as const) {
          await expect(put(A, expected, 'x')).rejects.toMatchObject({ code: 'revision-conflict', facts: { stream: A, expected, actual: 1 } });
        }
        await expect(put(B, 0, 'x')).rejects.toMatchObject({ code: 'revision-conflict', facts: { expected: 0, actual: -1 } });
        expect(await everything()).toEqual(['a', 'b']);
      });

      it('lets exactly one of many writers win who expect the same', async () => {
        const tries = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => put(A, 'noStream', `by-${i}`)));
        expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(1);
        expect(await everything()).toHaveLength(1);
      });

      it('does not let the conflict of one disturb the others', async () => {
        await put(A, 'noStream', 'a');
        const [lost, won, alsoWon] = await Promise.allSettled([put(A, 'noStream', 'x'), put(B, 'noStream', 'b'), put(A, 0, 'c')]);
        expect([lost.status, won.status, alsoWon.status]).toEqual(['rejected', 'fulfilled', 'fulfilled']);
        expect(await everything()).toEqual(['a', 'b', 'c']);
      });

      it('takes an empty list as the question where the stream is', async () => {
        expect(await put(A, 'noStream')).toEqual({ stream: A, lastRevision: -1, position: START, repeated: false });
        const { position } = await put(B, 'noStream', 'b');
        expect(await put(B, 0)).toEqual({ stream: B, lastRevision: 0, position, repeated: false });
        expect(await put(A, 'noStream')).toEqual({ stream: A, lastRevision: -1, position, repeated: false });
        await expect(put(B, 'noStream')).rejects.toMatchObject({ code: 'revision-conflict' });
        expect(await store.lastRevision(A)).toBe(-1);
      });
    });

    describe('repeating an append', () => {
      it('answers as the first time, also when more was appended since', async () => {
        const { positions: _each, ...first } = await put(A, 'noStream', 'a', 'b');
        expect(await put(A, 'noStream', 'a', 'b')).toMatchObject({ ...first, repeated: true });
        await put(A, 1, 'c', 'd');
        await put(B, 'noStream', 'x');
        expect(await put(A, 'noStream', 'a', 'b')).toMatchObject({ ...first, repeated: true });
        expect(await everything()).toEqual(['a', 'b', 'c', 'd', 'x']);
      });

      it('is a repeat also when the events were appended in other portions', async () => {
        await put(A, 'noStream', 'a', 'b');
        const second = await put(A, 1, 'c', 'd');
        expect(await put(A, 0, 'b', 'c', 'd')).toMatchObject({ repeated: true, lastRevision: 3, position: second.position });
      });

      it('is a conflict when only part of the events stand there', async () => {
        await put(A, 'noStream', 'a', 'b');
        await expect(put(A, 'noStream', 'a', 'b', 'c')).rejects.toMatchObject({ code: 'revision-conflict' });
        await expect(put(A, 'noStream', 'a', 'x')).rejects.toMatchObject({ code: 'revision-conflict' });
        await expect(put(A, 0, 'a', 'b')).rejects.toMatchObject({ code: 'revision-conflict' });
        expect(await everything()).toEqual(['a', 'b']);
      });
    });

    describe('the limits of an append', () => {
      const noteOf = (bytes: number, id = 'big') => eventNamed(id, 'Noted', { note: 'x'.repeat(bytes) });
      const appendOf = (events: ReturnType<typeof noteOf>[]) => store.append({ stream: A, expected: 'noStream', events });

      it('are refused by name before anything is written', async () => {
        const many = Array.from({ length: MAX_EVENTS_PER_APPEND + 1 }, (_, i) => eventNamed(`e${i}`));
        await expect(appendOf(many)).rejects.toMatchObject({ code: 'append-too-large', facts: { what: 'events', limit: 256, actual: 257 } });
        await expect(appendOf([noteOf(MAX_BYTES_PER_EVENT)])).rejects.toMatchObject({ code: 'append-too-large', facts: { what: 'bytesOfOneEvent' } });
        const heavy = [1, 2, 3, 4].map((i) => noteOf(240_000, `e${i}`));
        await expect(appendOf(heavy)).rejects.toMatchObject({ code: 'append-too-large', facts: { what: 'bytes', limit: 900_000 } });
        await expect(store.appendAll([{ stream: B, expected: 'noStream', events: eventsNamed('fine') }, { stream: A, expected: 'noStream', events: many }])).rejects.toMatchObject({ code: 'append-too-large' });
        expect(await store.head()).toBe(START);
      });

      it('count bytes, not characters', async () => {
        await expect(appendOf([eventNamed('big', 'Noted', { note: 'ü'.repeat(130_000) })])).rejects.toMatchObject({ code: 'append-too-large' });
      });

      it('let through what is just below', async () => {
        await appendOf([1, 2, 3].map((i) => noteOf(255_000, `e${i}`)));
        const events = Array.from({ length: MAX_EVENTS_PER_APPEND }, (_, i) => eventNamed(`f${i}`));
        await store.append({ stream: B, expected: 'noStream', events });
        expect((await store.readStream(A, 0, 10)).map((event) => (event.data['note'] as string).length)).toEqual([255_000, 255_000, 255_000]);
        expect(await store.lastRevision(B)).toBe(255);
      });
    });

    describe('several appends together', () => {
      it('are written in their order', async () => {
        const answers = await store.appendAll([
          { stream: B, expected: 'noStream', events: eventsNamed('1', '2') },
          { stream: A, expected: 'noStream', events: eventsNamed('3') },
          { stream: B, expected: 1, events: eventsNamed('4') },
        ]);
        expect(answers.map(({ stream, lastRevision }) => [stream, lastRevision])).toEqual([[B, 1], [A, 0], [B, 2]]);
        expect(await everything()).toEqual(['1', '2', '3', '4']);
        expect(answers[2]!.position).toBe(await store.head());
      });

      it('answer a repeat of all of them as the first time', async () => {
        const appends = [
          { stream: B, expected: 'noStream', events: eventsNamed('1', '2') },
          { stream: A, expected: 'noStream', events: eventsNamed('3') },
        ] as const;
        const first = await store.appendAll(appends);
        expect(await store.appendAll(appends)).toMatchObject(first.map(({ positions: _each, ...answer }) => ({ ...answer, repeated: true })));
        expect(await store.appendAll([])).toEqual([]);
      });

      it('end at the first that fails', async () => {
        await put(A, 'noStream', 'a');
        const appends = [
          { stream: B, expected: 'noStream', events: eventsNamed('1') },
          { stream: A, expected: 'noStream', events: eventsNamed('x') },
          { stream: OTHER, expected: 'noStream', events: eventsNamed('2') },
        ] as const;
        await expect(store.appendAll(appends)).rejects.toMatchObject({ code: 'revision-conflict', facts: { stream: A } });
        expect(await store.lastRevision(OTHER)).toBe(-1);
        if (options.atomicAppendAll) {
          expect(await everything()).toEqual(['a']);
          expect(await put(B, 'noStream', 'b')).toMatchObject({ lastRevision: 0 });
          expect(await everything()).toEqual(['a', 'b']);
        }
      });
    });

    describe('reading', () => {
      beforeEach(async () => {
        await store.append({ stream: A, expected: 'noStream', events: [eventNamed('a', 'Red'), eventNamed('b', 'Blue'), eventNamed('c', 'Red')] });
        await store.append({ stream: OTHER, expected: 'noStream', events: [eventNamed('d', 'Blue'), eventNamed('e', 'Red')] });
        await store.append({ stream: A, expected: 2, events: [eventNamed('f', 'Blue')] });
        await store.append({ stream: B, expected: 'noStream', events: [eventNamed('g', 'Green')] });
      });

      it('an append tells the position of each event that is later read', async () => {
        const { positions } = await store.append({ stream: B, expected: 0, events: eventsNamed('1', '2', '3') });
        if (positions !== undefined) expect((await store.readStream(B, 1, 10)).map((event) => event.position)).toEqual(positions);
      });

      it('a stream starts at any revision and ends at the limit', async () => {
        const read = async (from: number, limit: number) => (await store.readStream(A, from, limit)).map((event) => event.id);
        expect(await read(0, 10)).toEqual(['a', 'b', 'c', 'f']);
        expect(await read(1, 2)).toEqual(['b', 'c']);
        expect(await read(2, 2)).toEqual(['c', 'f']);
        expect(await read(3, 1)).toEqual(['f']);
        expect(await read(4, 1)).toEqual([]);
        expect(await store.readStream(streamName('note', 'none'), 0, 10)).toEqual([]);
      });

      it('everything in pages of any size gives each event once, in rising positions', async () => {
        for (const limit of [1, 2, 3, 5, 100]) {
          const ids: string[] = [];
          const ordinals: bigint[] = [];
          for (let after = START, atHead = false; !atHead; ) {
            const page = await store.readAll(after, {}, limit);
            expect(page.events.length).toBeLessThanOrEqual(limit);
            ids.push(...page.events.map((event) => event.id));
            ordinals.push(...page.events.map((event) => store.ordinal(event.position)));
            ({ next: after, atHead } = page);
          }
          expect(ids).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
          expect(ordinals.every((each, i) => each > (ordinals[i - 1] ?? 0n))).toBe(true);
        }
      });

      it('a filter hides the rest and still moves on past it', async () => {
        const read = async (filter: object) => {
          const page = await store.readAll(START, filter, 100);
          expect([page.next, page.atHead]).toEqual([await store.head(), true]);
          return page.events.map((event) => event.id).join('');
        };
        expect(await read({ types: ['Red'] })).toBe('ace');
        expect(await read({ types: ['Green', 'Blue'] })).toBe('bdfg');
        expect(await read({ categories: ['note'] })).toBe('abcfg');
        expect(await read({ categories: ['note'], types: ['Red'] })).toBe('ac');
        expect(await read({ types: ['None'] })).toBe('');
        expect(await read({ types: [] })).toBe('');
      });

      it('a filter in pages gives the same, from any place', async () => {
        const all = (await store.readAll(START, {}, 100)).events;
        for (const start of [START, ...all.map((event) => event.position)]) {
          const ids: string[] = [];
          for (let after = start, atHead = false; !atHead; ) {
            const page = await store.readAll(after, { types: ['Blue', 'Green'] }, 1);
            ids.push(...page.events.map((event) => event.id));
            ({ next: after, atHead } = page);
          }
          const expected = all.filter((event) => event.type !== 'Red' && store.ordinal(event.position) > store.ordinal(start));
          expect(ids).toEqual(expected.map((event) => event.id));
        }
      });

      it('streams are listed by name, in pages, by category', async () => {
        expect(await store.listStreams({ limit: 10 })).toEqual([
          { stream: A, lastRevision: 3 },
          { stream: B, lastRevision: 0 },
          { stream: OTHER, lastRevision: 1 },
        ]);
        expect(await store.listStreams({ limit: 1, after: A })).toEqual([{ stream: B, lastRevision: 0 }]);
        expect((await store.listStreams({ category: 'other', limit: 10 })).map((each) => categoryOf(each.stream))).toEqual(['other']);
        expect(await store.listStreams({ category: 'oth', limit: 10 })).toEqual([]);
      });
    });

    describe('a position', () => {
      it('is that of the last event at the head, START before the first', async () => {
        expect(await store.head()).toBe(START);
        const { position } = await put(A, 'noStream', 'a', 'b');
        expect(await store.head()).toBe(position);
        expect([store.ordinal(START), store.ordinal(position) > 0n]).toEqual([0n, true]);
      });

      it('starts with the identity of the log, sorts as text and comes back from text', async () => {
        const first = (await put(A, 'noStream', 'a')).position;
        const second = (await put(A, 0, ...Array.from({ length: 20 }, (_, i) => `b${i}`))).position;
        expect(first.startsWith(store.identity)).toBe(true);
        expect([second, first, START].sort()).toEqual([START, first, second]);
        expect(first).toHaveLength(second.length);
        expect([store.parsePosition(second), store.parsePosition('start')]).toEqual([second, START]);
      });

      it('of another log is refused at once, wherever it is used', async () => {
        const other = await open();
        const foreign = (await other.store.append({ stream: A, expected: 'noStream', events: eventsNamed('a') })).position;
        await other.store.close();
        await other.dispose?.();
        const refusal = expect.objectContaining({ code: 'foreign-position' });
        await expect(store.readAll(foreign, {}, 1)).rejects.toEqual(refusal);
        expect(() => store.subscribe(foreign, {}, stop().signal)).toThrow(refusal);
        expect(() => store.ordinal(foreign)).toThrow(refusal);
        expect(() => store.parsePosition(foreign)).toThrow(refusal);
      });

      it.each(['', 'begin', '12', 'x:1', 'x1:00', '../../etc'])('is refused when it is %p', (text) => {
        expect(() => store.parsePosition(text)).toThrow(expect.objectContaining({ code: 'invalid-position' }));
      });

      it('beyond the head is refused: the log was put back to an older copy', async () => {
        const { position } = await put(A, 'noStream', 'a');
        const ahead = store.parsePosition(position.replace(/1$/, '2'));
        await expect(store.readAll(ahead, {}, 1)).rejects.toMatchObject({ code: 'position-ahead' });
        expect(() => store.subscribe(ahead, {}, stop().signal)).toThrow(expect.objectContaining({ code: 'position-ahead' }));
      });
    });

    describe('a subscription', () => {
      it('tells everything before and everything to come, and says when it has all', async () => {
        await put(A, 'noStream', 'a', 'b');
        const reading = readUntil(store.subscribe(START, {}, stop().signal), (seen) => told(seen).includes('d'));
        await put(A, 1, 'c');
        await put(B, 'noStream', 'd');
        const words = told(await reading);
        expect(words.filter((word) => word !== 'caughtUp')).toEqual(['a', 'b', 'c', 'd']);
      });

      it('says caughtUp each time it becomes true and only then', async () => {
        const reading = readUntil(store.subscribe(START, {}, stop().signal), (seen) => {
          if (told(seen).at(-1) === 'caughtUp') void (seen.length === 1 ? put(A, 'noStream', 'a') : seen.length === 3 && put(A, 0, 'b', 'c'));
          return caughtUpTimes(3)(seen);
        });
        const seen = await reading;
        expect(told(seen)).toEqual(['caughtUp', 'a', 'caughtUp', 'b', 'c', 'caughtUp']);
        expect(seen[0]).toEqual({ kind: 'caughtUp', position: START });
        expect(seen[5]).toEqual({ kind: 'caughtUp', position: await store.head() });
      });

      it('goes on after any position without gap or repeat', async () => {
        await put(A, 'noStream', 'a', 'b', 'c');
        const { position } = await put(B, 'noStream', 'd');
        for (const [i, event] of (await store.readAll(START, {}, 10)).events.entries()) {
          const seen = await readUntil(store.subscribe(event.position, {}, stop().signal), caughtUpTimes(1));
          expect(told(seen)).toEqual([...['a', 'b', 'c', 'd'].slice(i + 1), 'caughtUp']);
        }
        expect(position).toBe(await store.head());
      });

      it('saves the place of a reader whose filter matches little', async () => {
        await store.append({ stream: A, expected: 'noStream', events: [eventNamed('a', 'Red'), eventNamed('b', 'Blue')] });
        const seen = await readUntil(store.subscribe(START, { types: ['Red'] }, stop().signal), caughtUpTimes(1));
        expect(told(seen)).toEqual(['a', 'checkpoint', 'caughtUp']);
        expect(seen[1]).toEqual({ kind: 'checkpoint', position: await store.head() });
      });

      it('tells a waiting reader how far it is although nothing matched', async () => {
        const reading = readUntil(store.subscribe(START, { categories: ['other'] }, stop().signal), caughtUpTimes(2));
        await store.readAll(START, {}, 1);
        const { position } = await put(A, 'noStream', 'a');
        const seen = await reading;
        expect(told(seen).slice(-2)).toEqual(['checkpoint', 'caughtUp']);
        expect(seen.at(-1)).toEqual({ kind: 'caughtUp', position });
      });

      it('serves many readers, each at its own pace', async () => {
        const readers = Array.from({ length: 10 }, () => readUntil(store.subscribe(START, {}, stop().signal), (seen) => told(seen).includes('z')));
        await put(A, 'noStream', 'a');
        await put(A, 0, 'z');
        for (const words of await Promise.all(readers)) expect(told(words).filter((word) => word !== 'caughtUp')).toEqual(['a', 'z']);
      });

      it('ends promptly and quietly when the signal is aborted, waiting or not', async () => {
        await put(A, 'noStream', 'a', 'b');
        const end = stop();
        const seen: string[] = [];
        for await (const delivery of store.subscribe(START, {}, end.signal)) {
          seen.push(...told([delivery]));
          if (delivery.kind === 'caughtUp') setTimeout(() => end.abort(), 5);
        }
        expect(seen).toEqual(['a', 'b', 'caughtUp']);
        const before = AbortSignal.abort();
        expect(await readUntil(store.subscribe(START, {}, before), () => false)).toEqual([]);
        const amidst = stop();
        const cut = await readUntil(store.subscribe(START, {}, amidst.signal), () => void amidst.abort() as unknown as boolean);
        expect(told(cut)).toEqual(['a']);
      });

      it('ends when the log is closed', async () => {
        const reading = readUntil(store.subscribe(START, {}, stop().signal), () => false);
        await store.head();
        await store.close();
        expect(told(await reading).filter((word) => word !== 'caughtUp')).toEqual([]);
      });
    });

    it('a closed log says so', async () => {
      await store.close();
      await expect(put(A, 'noStream', 'a')).rejects.toMatchObject({ code: 'event-store-closed' });
      await expect(store.head()).rejects.toMatchObject({ code: 'event-store-closed' });
      await store.close();
    });
  });
}
