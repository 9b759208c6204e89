import { systemClock } from '#platform/kernel';
import { RecordingPurse } from '../../../../../test/keys/recording-purse.ts';
import { testTariff } from '../../../../../test/keys/tariffs.ts';
import { generateChain } from '../../../../../test/load/generated-chain.ts';
import type { RecordedChain } from '../../../../../test/load/recorded-chain.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';
import { NoBudget } from '../../../key-pool/src/domain/spending.errors.ts';
import { ENFORCE_ALL } from '../domain/verification/verification-rules.ts';
import { uncounted } from '../ports/chain-node-metrics.port.ts';
import type { ReadBlock } from '../ports/block-reader.port.ts';
import { type FromPurse, PurseForThread, PurseOverPort, type ToPurse } from './purse-over-port.ts';
import { ThreadBlockReader } from './thread.block-reader.ts';

const ASK = { provider: 'metered', cost: { units: 1 }, calls: { eth_test: 1 }, chainId: '1', lane: 'backfill' } as const;

describe('a purse in another thread', () => {
  let purse: RecordingPurse;
  let inside: PurseOverPort;
  let outside: PurseForThread;

  beforeEach(() => {
    purse = new RecordingPurse(['key-1']);
    outside = new PurseForThread(purse, (message: FromPurse) => queueMicrotask(() => inside.hear(structuredClone(message))));
    inside = new PurseOverPort((message: ToPurse) => queueMicrotask(() => outside.hear(structuredClone(message))));
  });

  it('gives permits, and each is settled once', async () => {
    const permits = await Promise.all([inside.acquire(ASK), inside.acquire(ASK)]);
    for (const permit of permits) inside.settle(permit, { kind: 'unspent' });
    await later();
    expect(purse.outcomes).toEqual(['unspent', 'unspent']);
    outside.ended();
    expect(purse.outcomes).toEqual(['unspent', 'unspent']);
  });

  it('refuses as the purse of the process does', async () => {
    purse.refuses = () => new NoBudget('metered', 432, { 'key-1': 'exhausted' });
    await expect(inside.acquire(ASK)).rejects.toMatchObject({ code: 'no-budget', kind: 'throttled', facts: { waitMs: 432, why: { 'key-1': 'exhausted' } } });
  });

  it('takes back what is no longer wanted', async () => {
    const stop = new AbortController();
    const waits = Promise.withResolvers<never>();
    purse.acquire = (_ask, signal) => {
      signal?.addEventListener('abort', () => waits.reject(signal.reason as Error));
      return waits.promise;
    };
    const asked = inside.acquire(ASK, stop.signal);
    await later();
    stop.abort(new Error('not wanted'));
    await expect(asked).rejects.toThrow('no longer wanted');
  });

  it('has in doubt what a thread held when it ended, and gives nothing to one that has', async () => {
    await inside.acquire(ASK);
    const asked = inside.acquire(ASK);
    outside.ended();
    await later();
    expect(purse.outcomes).toEqual(['unanswered', 'unspent']);
    void asked;
  });
});

describe('blocks of a plan, read in a thread', () => {
  let chain: RecordedChain;
  let node: ReplayNode;
  let purse: RecordingPurse;
  let reader: ThreadBlockReader;
  let lines: { readonly fields: object; readonly message: string }[];

  beforeAll(async () => {
    chain = await generateChain({ seed: 4, blocks: 40, transactionsPerBlock: 3 });
  });
  beforeEach(async () => {
    node = await ReplayNode.start(chain);
    purse = new RecordingPurse(['key-1', 'key-2']);
    lines = [];
    const note = (fields: object, message: string): void => void lines.push({ fields, message });
    reader = new ThreadBlockReader({ clock: systemClock, metrics: uncounted, threads: 1, spending: { purse, log: { debug: note, info: note } } });
  });
  afterEach(async () => {
    await reader.close();
    await node.close();
    expect(JSON.stringify([lines, purse.granted])).not.toMatch(/planted-secret|127\.0\.0\.1/);
  });

  const plan = () => {
    const own = { tariff: testTariff('metered'), keys: ['key-1', 'key-2'].map((alias) => ({ alias, httpUrl: `${node.url}/v3/planted-secret-${alias}` })) };
    return reader.connectPlan({ name: 'plan', blocks: own, receipts: own, receiptsBy: 'block' }, '424242');
  };
  const read = async (from: number, to: number): Promise<number[]> => {
    const taken: ReadBlock[] = [];
    const request = { chainId: '424242', numbers: Array.from({ length: to - from + 1 }, (_, at) => from + at), rules: ENFORCE_ALL };
    await reader.read(plan(), request, new AbortController().signal, (block) => void taken.push(block));
    return taken.map(({ observed }) => observed.number);
  };

  it('are paid for with permits of the process, and told in its log', async () => {
    expect(await read(1, 30)).toEqual(Array.from({ length: 30 }, (_, at) => at + 1));
    expect(purse.outcomes.length).toBe(node.requests);
    expect(new Set(purse.outcomes)).toEqual(new Set(['ok']));
    expect(new Set(purse.asks.map(({ lane }) => lane))).toEqual(new Set(['backfill']));
    expect(lines.filter(({ message }) => message === 'request')).toHaveLength(node.requests);
  });

  it('are asked again by another thread where one dies; what that one held is in doubt', async () => {
    node.faults.add({ does: { kind: 'mute' }, times: 1 });
    const reading = read(1, 10);
    while (node.requests === 0) await later();
    await reader.terminate();
    expect(await reading).toHaveLength(10);
    expect(purse.outcomes[0]).toBe('unanswered');
    expect(new Set(purse.outcomes.slice(1))).toEqual(new Set(['ok']));
  });

  it('are refused as here where there is no budget', async () => {
    purse.refuses = () => new NoBudget('metered', 5_000, { 'key-1': 'exhausted' });
    await expect(read(1, 3)).rejects.toMatchObject({ code: 'node-refused', meaning: 'exhausted', waitMs: 5_000 });
    expect(node.requests).toBe(0);
  });
});

function later(): Promise<void> {
  return new Promise((resume) => setTimeout(resume, 5));
}
