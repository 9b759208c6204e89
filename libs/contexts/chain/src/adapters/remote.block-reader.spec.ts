import { WorkUndone } from '../application/reading-jobs.errors.ts';
import { ENFORCE_ALL } from '../domain/verification/part-rules.ts';
import { BlockReader, type ReadBlock, type ReadRequest, type TakeBlock } from '../ports/block-reader.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import { SharedBlockReader } from './remote.block-reader.ts';

const NODE = { label: 'a node' } as ChainNode;
const request = (...numbers: readonly number[]): ReadRequest => ({ chainId: '1', numbers, rules: ENFORCE_ALL });

interface Reading {
  readonly numbers: readonly number[];
  readonly take: TakeBlock;
  readonly end: (error?: Error) => void;
}

/** Where it is read; each reading ends when it is told to. */
class Readings {
  readonly all: Reading[] = [];

  begin({ numbers }: ReadRequest, take: TakeBlock): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.all.push({ numbers, take, end: (error) => (error === undefined ? resolve() : reject(error)) });
    return promise;
  }
}

class Local extends BlockReader {
  readonly readings = new Readings();
  override get extraRequests(): number {
    return 0;
  }
  override knows = (): boolean => true;
  override read = (_: ChainNode, wanted: ReadRequest, __: AbortSignal, take: TakeBlock): Promise<void> => this.readings.begin(wanted, take);
  override close = async (): Promise<void> => undefined;
}

function staged(metered: boolean | undefined) {
  const [local, workers] = [new Local(), new Readings()];
  const jobs = { capacity: 8, hasRoom: true, read: (_: object, wanted: ReadRequest, __: AbortSignal, take: TakeBlock) => workers.begin(wanted, take) };
  const reader = new SharedBlockReader({ local, jobs, log: { info: () => undefined, warn: () => undefined, error: () => undefined } });
  if (metered !== undefined) reader.share(NODE, { chain: 'main', node: 0, metered });
  const taken: number[] = [];
  const read = (...numbers: readonly number[]): Promise<void> => reader.read(NODE, request(...numbers), new AbortController().signal, (block) => void taken.push(block.bytes));
  const places = (): readonly (readonly number[])[][] => [local.readings.all, workers.all].map((readings) => readings.map(({ numbers }) => numbers));
  return { here: local.readings.all, workers: workers.all, jobs, taken, read, places };
}

/** Known by its size. */
const block = (number: number): ReadBlock => ({ bytes: number }) as ReadBlock;

describe('ranges that an owner and its workers read', () => {
  it('of a plain node go to workers, as long as they have room', () => {
    const { read, jobs, places } = staged(false);
    void read(1);
    jobs.hasRoom = false;
    void read(2);
    expect(places()).toEqual([[[2]], [[1]]]);
  });

  it('of a node on keys are read here too, two at a time: the leases of this process would lie idle', async () => {
    const { here, read, places } = staged(true);
    const readings = [1, 2, 3].map((number) => read(number));
    expect(places()).toEqual([[[1], [2]], [[3]]]);
    here[0]?.end();
    await readings[0];
    void read(4);
    expect(places()).toEqual([[[1], [2], [4]], [[3]]]);
  });

  it('of a node that workers do not know are read here', () => {
    const { read, places } = staged(undefined);
    for (const number of [1, 2, 3]) void read(number);
    expect(places()).toEqual([[[1], [2], [3]], []]);
  });

  it('that a worker leaves go on where it stopped, and in the end here; no block comes twice', async () => {
    const { here, workers, taken, read, places } = staged(false);
    const whole = read(1, 2, 3, 4);
    for (let tries = 0; tries < 3; tries += 1) {
      void workers[tries]?.take(block(tries + 1));
      workers[tries]?.end(new WorkUndone('it left'));
      await new Promise(setImmediate);
    }
    expect(places()).toEqual([[[4]], [[1, 2, 3, 4], [2, 3, 4], [3, 4]]]);
    void here[0]?.take(block(4));
    here[0]?.end();
    await whole;
    expect(taken).toEqual([1, 2, 3, 4]);
  });

  it('that fail for another reason are not asked for again', async () => {
    const { workers, read, places } = staged(false);
    const whole = read(1);
    workers[0]?.end(new Error('a bug'));
    await expect(whole).rejects.toThrow('a bug');
    expect(places()).toEqual([[], [[1]]]);
  });
});
