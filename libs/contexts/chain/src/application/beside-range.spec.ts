import { MemoryEventStore } from '#platform/event-store';
import type { Hex } from '../domain/rpc-types.ts';
import { blocksBeside } from './beside-range.ts';

const hash = (name: string): Hex => `0x${Buffer.from(name).toString('hex').padEnd(64, '0')}`;
/** `a7` on `a6`, unless said otherwise. */
const block = (name: string, parent = `${name[0]}${Number(name.slice(1)) - 1}`) => ({ chainId: '1', number: Number(name.slice(1)), hash: hash(name), parentHash: hash(parent) });

async function write(store: MemoryEventStore, stream: string, ...facts: readonly { type: string; data: object }[]): Promise<void> {
  for (let at = 0; at < facts.length; at += 250) {
    const events = facts.slice(at, at + 250).map(({ type, data }, n) => ({ id: `${stream}-${at + n}`, type, data, schemaVersion: 1, occurredAt: 'x', recordedAt: 'x', correlationId: 'x', causationId: 'x' }));
    await store.append({ stream: stream as never, expected: at === 0 ? 'noStream' : at - 1, events: events as never });
  }
}
const observed = (...names: [name: string, parent?: string][]) => names.map(([name, parent]) => ({ type: 'BlockObserved', data: block(name, parent) }));

const requested = [{ from: 2, to: 4, completed: true }];

describe('what stands beside a range', () => {
  it('is the parent that the block above names, and the block under it', async () => {
    const store = new MemoryEventStore('x');
    await write(store, 'chain-1', ...observed(['a10'], ['a11']));
    await write(store, 'backfill-1.2.4', { type: 'BackfillStarted', data: {} }, ...observed(['a2'], ['a3'], ['a4']));
    expect(await blocksBeside(store, '1', { from: 5, to: 9 }, requested)).toEqual({ above: hash('a9'), below: hash('a4') });
    expect(await blocksBeside(store, '1', { from: 6, to: 8 }, requested)).toEqual({ above: undefined, below: undefined });
    expect(await blocksBeside(store, '1', { from: 0, to: 1 }, requested)).toEqual({ above: hash('a1'), below: undefined });
  });

  it('is nothing that was captured for a backfill that was cancelled', async () => {
    const store = new MemoryEventStore('x');
    await write(store, 'backfill-1.2.4', { type: 'BackfillStarted', data: {} }, ...observed(['a2'], ['a3'], ['a4']));
    expect(await blocksBeside(store, '1', { from: 5, to: 9 }, [])).toEqual({ above: undefined, below: undefined });
  });

  it('is what came last in a neighbour whose newest blocks were replaced', async () => {
    const store = new MemoryEventStore('x');
    await write(store, 'backfill-1.2.4', { type: 'BackfillStarted', data: {} }, ...observed(['a2'], ['a3'], ['a4'], ['b3', 'a2'], ['b4']));
    expect(await blocksBeside(store, '1', { from: 5, to: 9 }, requested)).toEqual({ above: undefined, below: hash('b4') });
  });

  it('is what came last in a neighbour that was captured again', async () => {
    const store = new MemoryEventStore('x');
    const [old, anew] = ['a', 'b'].map((branch) => observed(...Array.from({ length: 300 }, (_, n): [string] => [`${branch}${10 + n}`])));
    await write(store, 'backfill-1.10.309', { type: 'BackfillStarted', data: {} }, ...old!, { type: 'BackfillFinished', data: {} }, { type: 'BackfillStarted', data: {} }, ...anew!);
    const neighbour = { from: 10, to: 309, completed: true };
    expect(await blocksBeside(store, '1', { from: 0, to: 9 }, [neighbour])).toEqual({ above: hash('b9'), below: undefined });
    expect(await blocksBeside(store, '1', { from: 310, to: 400 }, [neighbour])).toEqual({ above: undefined, below: hash('b309') });
    expect(await blocksBeside(store, '1', { from: 0, to: 9 }, [{ ...neighbour, completed: false }])).toEqual({ above: undefined, below: undefined });
  });

  it('is looked for with turns for others, for the order of a chain may be long', async () => {
    const store = new MemoryEventStore('x');
    await write(store, 'chain-1', ...observed(...Array.from({ length: 60_000 }, (_, n): [string] => [`a${10 + n}`])));
    let turns = 0;
    let isOver = false;
    const others = (): void => {
      turns += 1;
      if (!isOver) setImmediate(others);
    };
    setImmediate(others);
    await blocksBeside(store, '1', { from: 2, to: 9 }, []);
    isOver = true;
    expect(turns).toBeGreaterThan(2);
  });
});
