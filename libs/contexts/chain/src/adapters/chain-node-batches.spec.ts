import { systemClock } from '#platform/kernel';
import { uncounted } from '../ports/chain-node-metrics.port.ts';
import { NodeAnswerInvalid } from '../ports/chain-node.errors.ts';
import { BatchSizer, askAll } from './chain-node-batches.ts';
import type { RpcCall, RpcReply } from './chain-node-transport.ts';

const MANY = 50;
const TOO_MANY = { status: undefined, code: -32600, text: 'batch size too large', waitMs: undefined };
const TOO_LARGE = { status: 413, code: undefined, text: '', waitMs: undefined };
const blockAndReceipts = (number: number): RpcCall[] => ['eth_getBlockByNumber', 'eth_getBlockReceipts'].map((method) => ({ method, params: [number] }));

/** A provider that takes so many calls in one request. */
class Provider {
  readonly sizes: number[] = [];
  readonly #limit: number;
  readonly #refusal: typeof TOO_MANY | typeof TOO_LARGE;
  readonly #sizer = new BatchSizer();

  constructor(limit: number, refusal: typeof TOO_MANY | typeof TOO_LARGE) {
    this.#limit = limit;
    this.#refusal = refusal;
  }

  ask(calls: readonly RpcCall[]): Promise<readonly unknown[]> {
    const send = async (asked: readonly RpcCall[]): Promise<RpcReply> => {
      this.sizes.push(asked.length);
      if (this.sizes.length > MANY) throw new Error(`${MANY} requests and no end`);
      if (asked.length > this.#limit) return { kind: 'refused', refusal: this.#refusal, bytes: 10 };
      return { kind: 'answers', answers: asked.map(({ method, params }) => ({ ok: true, result: `${method} ${String(params[0])}` })), bytes: 5 };
    };
    const transport = { url: 'http://node', label: 'node', pushes: false, send, heads: () => undefined as never, close: async () => undefined };
    return askAll({ transport, sizer: this.#sizer, metrics: uncounted, clock: systemClock }, 'blocks+receipts', calls, 2).then(({ answers }) => answers);
  }
}

describe('a provider that takes one call in a request', () => {
  it.each([
    ['says that the batch is too large', TOO_MANY],
    ['answers 413', TOO_LARGE],
  ])('and %s is asked for a block and its receipts apart', async (_how, refusal) => {
    const provider = new Provider(1, refusal);
    const answers = await provider.ask([...blockAndReceipts(1), ...blockAndReceipts(2)]);
    expect(answers).toMatchObject([{ result: 'eth_getBlockByNumber 1' }, { result: 'eth_getBlockReceipts 1' }, { result: 'eth_getBlockByNumber 2' }, { result: 'eth_getBlockReceipts 2' }]);
    provider.sizes.length = 0;
    await provider.ask(blockAndReceipts(3));
    expect(provider.sizes).toEqual([1, 1]);
  });

  it('that refuses even the one call says so, and is not asked for ever', async () => {
    await expect(new Provider(0, TOO_LARGE).ask(blockAndReceipts(1))).rejects.toMatchObject({ code: 'node-refused', facts: { meaning: 'split' } });
  });
});

describe('dense blocks after sparse ones', () => {
  const MB = 1_000_000;
  const many = Array.from({ length: 300 }, (_, number) => blockAndReceipts(number)).flat();
  const sizer = new BatchSizer();
  for (let time = 0; time < 100; time += 1) sizer.took('blocks+receipts', 1_000, 300_000);

  function ask(send: (calls: readonly RpcCall[]) => Promise<RpcReply>, enough?: number): ReturnType<typeof askAll> {
    const transport = { url: 'http://node', label: 'node', pushes: false, send, heads: () => undefined as never, close: async () => undefined };
    return askAll({ transport, sizer, metrics: uncounted, clock: systemClock }, 'blocks+receipts', many, 2, undefined, enough);
  }
  const dense = (calls: readonly RpcCall[]): RpcReply => ({ kind: 'answers', answers: calls.map((_, place) => ({ ok: true, result: place })), bytes: calls.length * MB });

  it('are read up to a limit, asked for in smaller parts, and end the ask when enough has come', async () => {
    const sizes: number[] = [];
    const { answers, bytes } = await ask(async (calls) => {
      sizes.push(calls.length);
      if (calls.length > 25) throw new NodeAnswerInvalid('node', 'too large', { limitBytes: 25 * MB });
      return dense(calls);
    }, 9 * MB);
    expect(bytes).toBeLessThanOrEqual(25 * MB);
    expect(answers.length).toBe(sizes.at(-1));
    expect(answers.length % 2).toBe(0);
    expect(sizes.length).toBeLessThan(6);
    await ask(async (calls) => (expect(calls.length).toBeLessThanOrEqual(10), dense(calls)), 9 * MB);
  });
});

describe('a provider that takes three calls in a request', () => {
  it('gets blocks with their receipts whole', async () => {
    const provider = new Provider(3, TOO_MANY);
    await provider.ask([...blockAndReceipts(1), ...blockAndReceipts(2), ...blockAndReceipts(3)]);
    expect(provider.sizes.slice(-3)).toEqual([2, 2, 2]);
  });
});

describe('trouble after some of the answers', () => {
  const OVER = { status: 429, code: undefined, text: 'no budget', waitMs: 60_000 };
  const four = [1, 2].flatMap(blockAndReceipts);
  const ask = (refused: readonly number[], enough?: number): Promise<readonly unknown[]> => {
    const send = async (asked: readonly RpcCall[]): Promise<RpcReply> => ({ kind: 'answers', answers: asked.map((call, at) => (refused.includes(at) ? { ok: false, refusal: OVER } : { ok: true, result: call.method })), bytes: 4 });
    const transport = { url: 'http://node', label: 'node', pushes: false, send, heads: () => undefined as never, close: async () => undefined };
    return askAll({ transport, sizer: new BatchSizer(), metrics: uncounted, clock: systemClock }, 'blocks+receipts', four, 2, undefined, enough).then(({ answers }) => answers);
  };

  it('leaves whole blocks that came before it, where an ask may end early', async () => {
    expect(await ask([2], 1_000)).toHaveLength(2);
    expect(await ask([3], 1_000)).toHaveLength(2);
    expect(await ask([], 1_000)).toHaveLength(4);
  });

  it('is told where nothing whole came before it, or all was asked for', async () => {
    await expect(ask([1, 2], 1_000)).rejects.toMatchObject({ meaning: 'throttled', waitMs: 60_000 });
    await expect(ask([2])).rejects.toMatchObject({ meaning: 'throttled', waitMs: 60_000 });
  });
});
