import { openMemoryEventStore } from '#platform/event-store';
import { systemClock } from '#platform/kernel';
import type { ObservedBlock } from '../domain/chain.events.ts';
import { BlockReader, type ReadRequest, type TakeBlock } from '../ports/block-reader.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import { NodeUnreachable } from '../ports/chain-node.errors.ts';
import type { BlockCheck } from './block-check.ts';
import { type Aside, BlockIntake } from './block-intake.ts';
import { ProviderSet } from './provider-set.ts';

/** Stands for a thread or worker that reads; what is asked of it is answered by hand. */
class HandReader extends BlockReader {
  readonly asked: { readonly numbers: readonly number[]; readonly answer: () => void; readonly fail: (error: Error) => void }[] = [];

  knows(): boolean {
    return true;
  }

  read(_: ChainNode, { numbers }: ReadRequest, _signal: AbortSignal, take: TakeBlock): Promise<void> {
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        for (const number of numbers) void take({ observed: { number, hash: `0x${number}` } as unknown as ObservedBlock, bytes: 1_000, body: [] });
        resolve();
      };
      this.asked.push({ numbers, answer, fail: reject });
    });
  }

  askFor(number: number): HandReader['asked'][number] | undefined {
    return this.asked.find(({ numbers }) => numbers.includes(number));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const NODE = { label: 'node', pushes: false, chainId: () => Promise.resolve(1n), close: () => Promise.resolve() } as unknown as ChainNode;
const CHECK = { rules: {}, passed: () => undefined, failed: () => undefined, isDoubtful: () => false } as unknown as BlockCheck;
const LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };
const turns = () => new Promise((resume) => setTimeout(resume, 5));

function begun(last: number): { readonly reader: HandReader; readonly came: number[]; readonly ended: Promise<unknown> } {
  const reader = new HandReader();
  const providers = new ProviderSet({ nodes: [NODE], chainId: '1', clock: systemClock, log: LOG, metrics: { providerChanged: () => undefined } as unknown as ConstructorParameters<typeof ProviderSet>[0]['metrics'] });
  const intake = new BlockIntake({ chainId: '1', providers, check: CHECK, bodies: { tell: () => Promise.reject(new Error('no body is told')) }, clock: systemClock, log: LOG, aside: { reader, store: openMemoryEventStore() as Aside['store'] } });
  const came: number[] = [];
  const ended = (async () => {
    for await (const blocks of intake.range(1, last, new AbortController().signal)) came.push(...blocks.map(({ number }) => number));
  })();
  ended.catch(() => undefined);
  return { reader, came, ended };
}

describe('a long range', () => {
  it('goes on behind an ask that takes long, and is handed over in order', async () => {
    const { reader, came, ended } = begun(400);
    await turns();
    const slow = reader.askFor(1);
    for (let at = 0; at < 12; at += 1) {
      if (reader.asked[at] !== slow) reader.asked[at]?.answer();
      await turns();
    }
    expect(reader.asked.length).toBeGreaterThan(12);
    expect(came).toEqual([]);
    slow?.answer();
    for (let at = 12; at < reader.asked.length; at += 1) {
      reader.asked[at]?.answer();
      await turns();
    }
    await ended;
    expect(came).toEqual(Array.from({ length: 400 }, (_, place) => place + 1));
  });

  it('is not asked on without end while its first blocks do not come', async () => {
    const { reader } = begun(100_000);
    await turns();
    const slow = reader.askFor(1);
    for (const ask of reader.asked) {
      if (ask !== slow) ask.answer();
      await turns();
    }
    const asked = reader.asked.reduce((sum, { numbers }) => sum + numbers.length, 0);
    expect(asked).toBeGreaterThan(4_000);
    expect(asked).toBeLessThan(5_000);
  });

  it('asks for nothing more once an ask failed, and ends with that', async () => {
    const { reader, came, ended } = begun(400);
    await turns();
    const first = reader.askFor(1);
    reader.asked.find((ask) => ask !== first)?.fail(new NodeUnreachable('node', 'gone'));
    await turns();
    const asked = reader.asked.length;
    for (const ask of reader.asked) ask.answer();
    await expect(ended).rejects.toMatchObject({ code: 'node-unreachable' });
    expect(came.slice(0, first?.numbers.length)).toEqual(first?.numbers);
    expect(reader.asked).toHaveLength(asked);
  });
});
