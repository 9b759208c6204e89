import { streamName, toErrorMessage } from '#platform/kernel';
import { ManualClock } from '#platform/testing';
import type { ObservedBlock } from '../domain/chain.events.ts';
import type { Hex } from '../domain/rpc-types.ts';
import { ENFORCE_ALL } from '../domain/verification/part-rules.ts';
import type { ReadBlock } from '../ports/block-reader.port.ts';
import { NodeRefused } from '../ports/chain-node.errors.ts';
import { ReadingJobs, type Worker } from './reading-jobs.ts';

const PLACE = { chain: 'main', node: 0, metered: false };
const NUMBERS = [10, 11, 12, 13];
const REQUEST = { chainId: '1', numbers: NUMBERS, rules: ENFORCE_ALL };
const SILENT_MS = 10_000;

const hashOf = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`;

function blockAt(number: number, changes: Partial<ObservedBlock> = {}): ReadBlock {
  const hash = hashOf(number);
  const parentHash = hashOf(number - 1);
  const header = { hash, parentHash, number: `0x${number.toString(16)}`, timestamp: '0x1' };
  const observed = { chainId: '1', number, hash, parentHash, header, transactionCount: 0, kinds: { transfer: 0, call: 0, deploy: 0 }, verification: {}, receipts: true, ...changes };
  return { observed: observed as unknown as ObservedBlock, bytes: 100, body: [] };
}

const blocks = (...numbers: readonly number[]): readonly ReadBlock[] => numbers.map((number) => blockAt(number));

class Connection implements Worker {
  readonly #ends = new AbortController();
  readonly holder: string;
  readonly left = this.#ends.signal;

  constructor(holder: string) {
    this.holder = holder;
  }

  leave(): void {
    this.#ends.abort(new Error('left'));
  }
}

/** A board, and a range of it that somebody waits for. */
function staged(place = PLACE) {
  const clock = new ManualClock();
  const jobs = new ReadingJobs({ clock, silentMs: SILENT_MS });
  const taken: number[] = [];
  const wanted = new AbortController();
  const outcome: { error?: unknown; ended?: true } = {};
  const read = (take: (block: ReadBlock) => void = () => undefined): void => {
    const each = (block: ReadBlock): void => {
      taken.push(block.observed.number);
      take(block);
    };
    jobs.read(place, REQUEST, wanted.signal, each).then(
      () => (outcome.ended = true),
      (error: unknown) => (outcome.error = error),
    );
  };
  return { clock, jobs, taken, wanted, outcome, read };
}

async function taking(jobs: ReadingJobs, worker: Worker, read: () => void): Promise<string> {
  const job = jobs.take(worker, 2, 4_000);
  read();
  return (await job)?.ticket as string;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the board of reading jobs', () => {
  it('gives a job to a worker that waits, takes its blocks in order and ends with it', async () => {
    const { jobs, taken, outcome, read } = staged();
    const worker = new Connection('worker.1');
    const ticket = await taking(jobs, worker, read);
    await jobs.hand(worker, ticket, 0, blocks(10, 11));
    await jobs.hand(worker, ticket, 2, blocks(12, 13));
    jobs.done(worker, ticket, 4);
    await settled();
    expect(taken).toEqual(NUMBERS);
    expect(outcome).toEqual({ ended: true });
  });

  it('passes over what it has, so that what is said twice counts once', async () => {
    const { jobs, taken, read } = staged();
    const worker = new Connection('worker.1');
    const ticket = await taking(jobs, worker, read);
    await jobs.hand(worker, ticket, 0, blocks(10, 11));
    await jobs.hand(worker, ticket, 0, blocks(10, 11));
    await jobs.hand(worker, ticket, 1, blocks(11, 12));
    expect(taken).toEqual([10, 11, 12]);
  });

  it('answers a block when it is durable', async () => {
    const { jobs, clock } = staged();
    const worker = new Connection('worker.1');
    const job = jobs.take(worker, 2, 4_000);
    const written = Promise.withResolvers<void>();
    void jobs.read(PLACE, REQUEST, new AbortController().signal, () => written.promise).catch(() => undefined);
    const ticket = (await job)?.ticket as string;
    let answered = false;
    const handed = jobs.hand(worker, ticket, 0, blocks(10)).then(() => (answered = true));
    await clock.advance(1_000);
    expect(answered).toBe(false);
    written.resolve();
    await handed;
    expect(answered).toBe(true);
  });

  it('takes a job from a worker that is silent, and nothing of it from that worker any more', async () => {
    const { jobs, clock, taken, outcome, read } = staged();
    const worker = new Connection('worker.1');
    const ticket = await taking(jobs, worker, read);
    await jobs.hand(worker, ticket, 0, blocks(10));
    await clock.advance(SILENT_MS + 1);
    expect(outcome.error).toMatchObject({ code: 'work-undone', facts: { reason: 'its worker is silent' } });
    await expect(jobs.hand(worker, ticket, 1, blocks(11))).rejects.toMatchObject({ code: 'work-lapsed' });
    expect(() => jobs.done(worker, ticket, 1)).toThrow(expect.objectContaining({ code: 'work-lapsed' }));
    expect(jobs.beat(worker, [ticket])).toEqual([ticket]);
    expect(taken).toEqual([10]);
  });

  it('leaves a job with a worker that says that it lives, until no block comes for too long', async () => {
    const { jobs, clock, outcome, read } = staged();
    const worker = new Connection('worker.1');
    const ticket = await taking(jobs, worker, read);
    for (let beats = 0; beats < 10; beats += 1) {
      await clock.advance(SILENT_MS / 2);
      expect(jobs.beat(worker, [ticket])).toEqual([]);
    }
    expect(outcome).toEqual({});
    for (let beats = 0; beats < 60; beats += 1) {
      await clock.advance(SILENT_MS / 2);
      jobs.beat(worker, [ticket]);
    }
    expect(outcome.error).toMatchObject({ code: 'work-undone', facts: { reason: 'its worker does not come on' } });
  });

  it('gives back what a worker held whose connection ended, and what nobody takes', async () => {
    const { jobs, clock, outcome, read } = staged();
    const worker = new Connection('worker.1');
    const ticket = await taking(jobs, worker, read);
    worker.leave();
    await settled();
    expect(outcome.error).toMatchObject({ code: 'work-undone' });
    expect(jobs.workers).toBe(0);
    await expect(jobs.hand(worker, ticket, 0, blocks(10))).rejects.toMatchObject({ code: 'work-lapsed' });
    read();
    await clock.advance(1_001);
    expect(outcome.error).toMatchObject({ facts: { reason: 'no worker took it' } });
  });

  it('takes nothing of a ticket from another worker than its own', async () => {
    const { jobs, taken, read } = staged();
    const ticket = await taking(jobs, new Connection('worker.1'), read);
    await expect(jobs.hand(new Connection('worker.2'), ticket, 0, blocks(10))).rejects.toMatchObject({ code: 'work-lapsed' });
    expect(taken).toEqual([]);
  });

  const body = (changes: object): ReadBlock => {
    const stream = streamName('block', `1.${hashOf(10)}`);
    const block = blockAt(10, { transactionCount: 1 });
    return { ...block, body: [{ stream, expected: -1, count: 2, types: '["BlockCompleted","TxFetched"]', text: '[]', ...changes }] };
  };
  it('takes a block with its body', async () => {
    const { jobs, taken, read } = staged();
    const worker = new Connection('worker.1');
    await jobs.hand(worker, await taking(jobs, worker, read), 0, [body({})]);
    expect(taken).toEqual([10]);
  });

  it.each([
    ['out of order', 1, blockAt(11), 'it is out of order'],
    ['of another number', 0, blockAt(11), 'it has another number'],
    ['of another chain', 0, blockAt(10, { chainId: '2' }), 'it is of another chain'],
    ['with the header of another', 0, blockAt(10, { hash: hashOf(99) }), 'its header is of another block'],
    ['without its body', 0, blockAt(10, { transactionCount: 1 }), 'its body is not whole'],
    ['with a part of its body', 0, body({ count: 1 }), 'its body is not whole'],
    ['with a body for another stream', 0, body({ stream: streamName('block', `1.${hashOf(11)}`) }), 'its body is for another stream'],
    ['with a body that does not begin', 0, body({ expected: 3 }), 'its body has a gap'],
    ['with a body of other events', 0, body({ types: '["ChainTold"]' }), 'its body holds other events'],
    ['with a body packed in another way', 0, body({ text: { raw: 5, payload: new Uint8Array(9) } }), 'its body is packed in another way'],
  ])('refuses a block %s, and lets another read the range', async (_, first, block, rule) => {
    const { jobs, taken, outcome, read } = staged();
    const worker = new Connection('worker.1');
    const ticket = await taking(jobs, worker, read);
    await expect(jobs.hand(worker, ticket, first, [block])).rejects.toMatchObject({ code: 'work-wrong', facts: { rule } });
    await settled();
    expect(outcome.error).toMatchObject({ code: 'work-undone' });
    expect(taken).toEqual([]);
    expect(jobs.capacity).toBe(0);
  });

  it('refuses a block that does not stand on the one before', async () => {
    const { jobs, taken, read } = staged();
    const worker = new Connection('worker.1');
    const ticket = await taking(jobs, worker, read);
    await jobs.hand(worker, ticket, 0, blocks(10));
    const stranger = blockAt(11, { parentHash: hashOf(77) });
    const consistent = { ...stranger, observed: { ...stranger.observed, header: { ...stranger.observed.header, parentHash: hashOf(77) } } };
    await expect(jobs.hand(worker, ticket, 1, [consistent])).rejects.toMatchObject({ code: 'work-wrong', facts: { rule: 'it does not stand on the one before it' } });
    expect(taken).toEqual([10]);
  });

  it('passes on what the node refused with, and keeps a worker for itself that fails otherwise', async () => {
    const { jobs, clock, outcome, read } = staged();
    const worker = new Connection('worker.1');
    jobs.done(worker, await taking(jobs, worker, read), 0, toErrorMessage(new NodeRefused('node', 'throttled', {})));
    await settled();
    expect(outcome.error).toBeInstanceOf(NodeRefused);
    expect(jobs.capacity).toBe(2);
    jobs.done(worker, await taking(jobs, worker, read), 0, toErrorMessage(new Error('its disk is full')));
    await settled();
    expect(outcome.error).toMatchObject({ code: 'work-undone' });
    expect(jobs.capacity).toBe(0);
    await clock.advance(1_000);
    expect(jobs.capacity).toBe(2);
  });

  it('takes for a trouble of the worker what it is told about its keys', async () => {
    for (const meaning of ['throttled', 'exhausted', 'revoked'] as const) {
      const { jobs, outcome, read } = staged({ ...PLACE, metered: true });
      const worker = new Connection('worker.1');
      jobs.done(worker, await taking(jobs, worker, read), 0, toErrorMessage(new NodeRefused('node', meaning, {})));
      await settled();
      expect([outcome.error, jobs.capacity]).toMatchObject([{ code: 'work-undone' }, 0]);
    }
  });

  it('tells a worker of a range that nobody wants any more', async () => {
    const { jobs, wanted, read } = staged();
    const worker = new Connection('worker.1');
    const ticket = await taking(jobs, worker, read);
    wanted.abort(new Error('enough'));
    expect(jobs.beat(worker, [ticket])).toEqual([ticket]);
  });
});
