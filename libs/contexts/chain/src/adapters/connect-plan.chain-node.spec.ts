import { systemClock } from '#platform/kernel';
import { RecordingPurse } from '../../../../../test/keys/recording-purse.ts';
import { testTariff } from '../../../../../test/keys/tariffs.ts';
import { generateBranch, generateChain } from '../../../../../test/load/generated-chain.ts';
import type { RecordedChain } from '../../../../../test/load/recorded-chain.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';
import { verifiedBlock } from '../application/block-check.ts';
import type { RawAnswer } from '../domain/raw/raw-block.ts';
import type { FetchedBlock } from '../domain/rpc-types.ts';
import { ENFORCE_ALL } from '../domain/verification/verification-rules.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import { connectPlan } from './connect-plan.chain-node.ts';
import { createKeccak256 } from './hash-wasm.keccak.ts';
import { recoverSender } from './noble.recover-sender.ts';
import type { ChainPlan, ProviderKeys } from './provider-keys.ts';

const BLOCKS = 40;
const TRANSACTIONS = 3;

let chain: RecordedChain;
let nodes: { readonly blocks: ReplayNode; readonly receipts: ReplayNode };
let purse: RecordingPurse;
let plan: ChainNode;
let requests: [string, number | undefined][];

beforeAll(async () => {
  chain = await generateChain({ seed: 5, blocks: BLOCKS, transactionsPerBlock: TRANSACTIONS });
});
beforeEach(async () => {
  nodes = { blocks: await ReplayNode.start(chain), receipts: await ReplayNode.start(chain) };
  purse = new RecordingPurse([]);
  requests = [];
});
afterEach(async () => {
  await plan.close();
  await Promise.all([nodes.blocks.close(), nodes.receipts.close()]);
  expect(purse.outcomes.filter((one) => one.startsWith('settled'))).toEqual([]);
});

/** One key each: what is asked of which provider is asked on it. */
class TwoPurses extends RecordingPurse {
  override async acquire(...[ask, signal]: Parameters<RecordingPurse['acquire']>) {
    return super.acquire({ ...ask, key: ask.provider }, signal);
  }
}

function connect(more: Partial<ChainPlan> = {}, tariffs: Parameters<typeof testTariff>[1] = {}): ChainNode {
  const at = (provider: 'blocks' | 'receipts'): ProviderKeys => ({ tariff: testTariff(provider, tariffs), keys: [{ alias: provider, httpUrl: `${nodes[provider].url}/v3/planted-secret`, wsUrl: nodes[provider].wsUrl }] });
  purse = new TwoPurses(['blocks', 'receipts']);
  const log = { debug: () => undefined, info: () => undefined };
  const metrics = { call: () => undefined, request: (...[, calls, , , over]: [string, number, number, number, number?]) => void requests.push([`${calls} calls`, over]) };
  plan = connectPlan({ name: 'blocks and receipts', blocks: at('blocks'), receipts: at('receipts'), receiptsBy: 'block', ...more }, { purse, clock: systemClock, metrics, log, chainId: '1', limits: { requestTimeoutMs: 2_000 } });
  return plan;
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);
const expectWhole = (blocks: readonly (FetchedBlock | null)[], wanted: readonly number[]): void => {
  expect(blocks.map((one) => Number(one?.block.number))).toEqual(wanted);
  for (const one of blocks) expect(one?.receipts?.map(({ blockHash }) => blockHash)).toEqual(one?.block.transactions.map(() => one.block.hash));
};

describe('a plan of two providers', () => {
  it('asks ranges of both at once, blocks of one and receipts of the other, in the lane of the backfill', async () => {
    connect();
    expectWhole(await plan.blocks(numbers(1, 24)), numbers(1, 24));
    expect([nodes.blocks.calls, nodes.receipts.calls].map((calls) => [...calls])).toEqual([[['eth_getBlockByNumber', 24]], [['eth_getBlockReceipts', 24]]]);
    expect(new Set(purse.asks.map(({ lane }) => lane))).toEqual(new Set(['backfill']));
  });

  it('pays for nothing behind a block that is not there', async () => {
    connect();
    chain.head = 10;
    const blocks = await plan.blocks(numbers(1, 40)).finally(() => (chain.head = BLOCKS));
    expect(blocks.map((one) => one !== null)).toEqual(numbers(1, 40).map((number) => number <= 10));
    expect(nodes.blocks.calls.get('eth_getBlockByNumber')).toBeLessThan(20);
  });

  it('asks the head by its hash, in the lane of the head', async () => {
    connect();
    const { hash } = chain.at(20)!;
    expectWhole([await plan.blockByHash(hash)], [20]);
    expect([...nodes.receipts.calls]).toEqual([['eth_getBlockReceipts', 1]]);
    expect(purse.asks.map(({ lane }) => lane)).toEqual(['head', 'head']);
  });

  it('counts requests over the wire, not what was asked at once', async () => {
    connect({}, { batch: 1 });
    await plan.blocks(numbers(1, 5));
    expect(requests).toEqual([
      ['5 calls', 5],
      ['5 calls', 5],
    ]);
  });

  it('learns for each provider apart what one request may carry', async () => {
    const small = await ReplayNode.start(chain, { maxBatch: 2 });
    const usual = nodes.receipts;
    nodes = { ...nodes, receipts: small };
    connect();
    expectWhole(await plan.blocks(numbers(1, 12)), numbers(1, 12));
    nodes.blocks.requests = 0;
    await plan.blocks(numbers(13, 24));
    expect(nodes.blocks.requests).toBe(1);
    expect(small.requests).toBeGreaterThanOrEqual(12);
    await usual.close();
  });

  it('asks receipts of another block again by the hash', async () => {
    connect();
    const other = await generateBranch({ seed: 6, transactionsPerBlock: TRANSACTIONS }, chain.at(6)!, 1);
    nodes.receipts.faults.add({
      method: 'eth_getBlockReceipts',
      times: 1,
      when: ({ params }) => params[0] === '0x7',
      does: { kind: 'edit', edit: (receipts) => receipts.map((receipt) => ({ ...(receipt as object), blockHash: other[0]?.hash })) },
    });
    expectWhole(await plan.blocks(numbers(6, 8)), numbers(6, 8));
    expect(nodes.blocks.calls.get('eth_getBlockByHash')).toBe(1);
    expect(nodes.receipts.calls.get('eth_getBlockReceipts')).toBe(4);
  });

  it('does not take receipts of another block by its hash', async () => {
    connect();
    nodes.receipts.faults.add({ method: 'eth_getBlockReceipts', does: { kind: 'edit', edit: (receipts) => receipts.map((receipt) => ({ ...(receipt as object), blockHash: chain.at(3)?.hash })) } });
    await expect(plan.blocks([7])).rejects.toMatchObject({ code: 'node-answer-invalid', facts: { what: 'receipts of another block' } });
  });

  it('lets no lie about receipts pass: they do not recompute', async () => {
    connect();
    nodes.receipts.faults.add({ method: 'eth_getBlockReceipts', does: { kind: 'edit', edit: (receipts) => receipts.map((receipt, at) => (at === 1 ? { ...(receipt as object), status: '0x0' } : receipt)) } });
    const [fetched] = await plan.blocks([9]);
    const crypto = { keccak256: await createKeccak256(), recoverSender };
    expect(() => verifiedBlock('424242', fetched as FetchedBlock, ENFORCE_ALL, crypto, 0)).toThrow(expect.objectContaining({ code: 'block-mismatch' }) as Error);
    nodes.receipts.faults.clear();
    const [honest] = await plan.blocks([9]);
    expect(verifiedBlock('424242', honest as FetchedBlock, ENFORCE_ALL, crypto, 0)).toBeDefined();
  });

  it('asks receipts one by one of the other provider, where the plan says so', async () => {
    connect({ receiptsBy: 'transaction' });
    expectWhole(await plan.blocks(numbers(4, 6)), numbers(4, 6));
    expect([...nodes.receipts.calls]).toEqual([['eth_getTransactionReceipt', 3 * TRANSACTIONS]]);
    expect([...nodes.blocks.calls]).toEqual([['eth_getBlockByNumber', 3]]);
  });

  it('without receipts asks for none', async () => {
    connect({ receipts: undefined });
    const blocks = await plan.blocks(numbers(4, 6));
    expect(blocks.map((one) => one?.receipts)).toEqual([undefined, undefined, undefined]);
    expect([...nodes.receipts.calls]).toEqual([]);
  });

  it('keeps blocks that were paid for where receipts of later ones are refused', async () => {
    connect();
    nodes.receipts.faults.add({ method: 'eth_getBlockReceipts', when: ({ params }) => Number(params[0]) >= 5, does: { kind: 'error', code: -32005, message: 'daily request count exceeded' } });
    const blocks = await plan.blocks(numbers(1, 8));
    expectWhole(blocks.slice(0, 4), numbers(1, 4));
    expect(blocks.slice(4)).toEqual([null, null, null, null]);
    await expect(plan.blocks(numbers(5, 8))).rejects.toMatchObject({ code: 'node-refused', meaning: 'exhausted' });
  });

  it('never tells the address of a key', async () => {
    connect();
    nodes.blocks.faults.add({ does: { kind: 'raw', body: '<html>planted-secret</html>' } });
    const error = await plan.blocks([1]).catch((reason: unknown) => reason as Error & { facts: object });
    expect(JSON.stringify([plan.label, { ...error, message: (error as Error).message }])).not.toMatch(/planted-secret|127\.0\.0\.1/);
  });
});

it('blocks and receipts of two providers are handed over as their bytes where answers are large', async () => {
  const dense = await generateChain({ seed: 8, blocks: 14, transactionsPerBlock: 120 });
  await Promise.all([nodes.blocks.close(), nodes.receipts.close()]);
  nodes = { blocks: await ReplayNode.start(dense), receipts: await ReplayNode.start(dense) };
  connect();
  const raw: number[] = [];
  const take = (answer: RawAnswer, number: number): string => {
    const [block, receipts] = [answer.block, answer.receipts].map((bytes) => JSON.parse(Buffer.from(bytes).toString()) as unknown) as [{ number: string; hash: string }, { blockHash: string }[]];
    expect([Number(block.number), receipts.every(({ blockHash }) => blockHash === block.hash), receipts.length]).toEqual([number, true, 120]);
    raw.push(number);
    return `block ${number}`;
  };
  const taken: unknown[] = [];
  for await (const one of plan.eachBlock(numbers(1, 12), undefined, take)) taken.push(one);
  expect(raw).toEqual(numbers(1, 12));
  expect(taken).toEqual(numbers(1, 12).map((number) => `block ${number}`));
});
