import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { systemClock } from '#platform/kernel';
import { startAnvil } from '../../../../../test/load/anvil-process.ts';
import type { AnvilProcess } from '../../../../../test/load/anvil-process.ts';
import { generateChain } from '../../../../../test/load/generated-chain.ts';
import type { RecordedChain } from '../../../../../test/load/recorded-chain.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';
import { SwiftClock } from '../../../../../test/simulation/swift-clock.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';
import { uncounted } from '../ports/chain-node-metrics.port.ts';
import { connectChainNode } from './connect.chain-node.ts';

const LIMITS = { requestTimeoutMs: 1_500, connectTimeoutMs: 1_000, pingEveryMs: 200, maxReconnectWaitMs: 200 };
const opened: ChainNode[] = [];

function connect(url: string, receipts = true, metrics: ChainNodeMetrics = uncounted, limits: Partial<typeof LIMITS> = {}): ChainNode {
  const node = connectChainNode(url, { clock: systemClock, metrics, receipts, limits: { ...LIMITS, ...limits } });
  opened.push(node);
  return node;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((node) => node.close()));
});

describe.each(['http', 'ws'] as const)('a real node over %s', (protocol) => {
  let anvil: AnvilProcess;
  let node: ChainNode;

  beforeAll(async () => {
    anvil = await startAnvil();
    await anvil.sendTransfers(3);
    await anvil.mine(5);
  });
  afterAll(() => anvil.stop());
  beforeEach(() => {
    node = connect(protocol === 'http' ? anvil.url : anvil.wsUrl);
  });

  it('tells its chain and its head', async () => {
    expect(await node.chainId()).toBe(31337n);
    expect(await node.headNumber()).toBeGreaterThanOrEqual(5);
  });

  it('gives a block with its receipts, by number and by hash the same', async () => {
    const [byNumber] = await node.blocks([1]);
    const byHash = await node.blockByHash(byNumber!.block.hash);
    expect(byHash!.block).toEqual(byNumber!.block);
    expect(byHash!.receipts).toEqual(byNumber!.receipts);
    expect(byNumber!.block.transactions.length).toBeGreaterThan(0);
    expect(byNumber!.receipts!.map((receipt) => receipt.transactionHash)).toEqual(byNumber!.block.transactions.map((tx) => tx.hash));
  });

  it('says null for what is not there', async () => {
    const nowhere = `0x${'ab'.repeat(32)}` as const;
    expect(await node.blockByHash(nowhere)).toBeNull();
    expect(await node.header(nowhere)).toBeNull();
    expect(await node.blocks([2, 1_000_000])).toEqual([expect.anything(), null]);
    expect(await node.headers([1_000_000, 1])).toEqual([null, expect.objectContaining({ number: '0x1' })]);
  });

  it('announces heads by push, or stays silent', async () => {
    const stop = new AbortController();
    const heads = node.heads(stop.signal)[Symbol.asyncIterator]();
    const first = heads.next();
    await new Promise((resolve) => setTimeout(resolve, 150));
    await anvil.mine(1);
    if (node.pushes) {
      const { value } = (await first) as { value: { hash: string } };
      expect(value.hash).toBe((await node.header('latest'))!.hash);
    } else {
      setTimeout(() => stop.abort(), 200);
      expect(await first).toEqual({ done: true, value: undefined });
    }
    stop.abort();
    expect(protocol === 'ws').toBe(node.pushes);
  });
});

describe.each(['http', 'ws'] as const)('a node that misbehaves, over %s', (protocol) => {
  let stub: ReplayNode;
  let chain: RecordedChain;

  beforeEach(async () => {
    chain = await generateChain({ seed: 7, blocks: 30, transactionsPerBlock: 4 });
    stub = await ReplayNode.start(chain);
  });
  afterEach(() => stub.close());
  const url = (node = stub): string => (protocol === 'http' ? node.url : node.wsUrl);

  it.each([
    ['that is not JSON', { kind: 'raw', body: '<html>502 Bad Gateway</html>' }, 'node-answer-invalid'],
    ['that is cut off', { kind: 'truncate', keep: 300 }, 'node-answer-invalid'],
    ['of 10 MB that is none', { kind: 'raw', body: `{"jsonrpc":"2.0","id":1,"resul":"${'x'.repeat(10_000_000)}"}` }, 'node-answer-invalid'],
    ['that never comes', { kind: 'mute' }, 'node-unreachable'],
    ['whose connection is cut', { kind: 'cut' }, 'node-unreachable'],
    ['that is an empty array', { kind: 'raw', body: '[]' }, undefined],
  ] as const)('throws for an answer %s', async (_what, does, code) => {
    stub.faults.add({ method: 'eth_getBlockByNumber', does });
    const asked = connect(url()).blocks([3]);
    await expect(asked).rejects.toMatchObject({ code: code ?? expect.stringMatching(/^node-/), retryable: true });
  });

  it('is used again after it was mute', async () => {
    stub.faults.add({ does: { kind: 'mute' }, times: 1 });
    const node = connect(url());
    await expect(node.chainId()).rejects.toMatchObject({ code: 'node-unreachable' });
    expect(await node.chainId()).toBe(chain.chainId);
  });

  it('is waited for when it is only slow', async () => {
    stub.faults.add({ does: { kind: 'delay', ms: 300 }, times: 1 });
    expect(await connect(url()).headNumber()).toBe(29);
  });

  it('is null where block or receipts lag, never an error and never an empty block', async () => {
    stub.faults.add({ method: 'eth_getBlockReceipts', does: { kind: 'null' }, times: 1 });
    stub.faults.add({ method: 'eth_getBlockReceipts', does: { kind: 'edit', edit: () => [] }, times: 1 });
    stub.faults.add({ method: 'eth_getBlockReceipts', does: { kind: 'error', code: -32603, message: 'Block 5 not processed yet' }, times: 1 });
    const node = connect(url());
    expect(await node.blocks([5])).toEqual([null]);
    expect(await node.blocks([5])).toEqual([null]);
    expect(await node.blocks([5])).toEqual([null]);
    expect((await node.blocks([5]))[0]?.receipts).toHaveLength(4);
  });

  it.each([
    ['-39001', -39001, 'Unknown block'],
    ['"safe block not found"', -32000, 'safe block not found'],
  ])('has no safe block when it says %s', async (_how, code, message) => {
    stub.faults.add({ does: { kind: 'error', code, message } });
    expect(await connect(url()).header('safe')).toBeNull();
  });

  it.each([
    ['that the tag is no number', -32602, 'invalid argument 0: hex string without 0x prefix'],
    ['that it does not offer this', -32601, 'method not supported'],
  ])('has no final block when it says %s, and is not asked at once again', async (_how, code, message) => {
    stub.faults.add({ method: 'eth_getBlockByNumber', when: ({ params }) => params[0] === 'finalized', does: { kind: 'error', code, message } });
    const node = connect(url());
    expect([await node.header('finalized'), await node.header('finalized')]).toEqual([null, null]);
    expect(stub.calls.get('eth_getBlockByNumber')).toBe(1);
    expect(await node.header('latest')).not.toBeNull();
  });

  it('asks again for the rest of a partial answer and learns the size', async () => {
    await stub.close();
    stub = await ReplayNode.start(chain, { maxAnswerBytes: 30_000 });
    const node = connect(url());
    const numbers = Array.from({ length: 30 }, (_, number) => number);
    const blocks = await node.blocks(numbers);
    expect(blocks.map((one) => Number(one?.block.number))).toEqual(numbers);
    expect(stub.calls.get('eth_getBlockByNumber')).toBeLessThan(90);
  });

  it.each(['first-id', 'no-id'] as const)('halves a batch that it refuses by an error with %s', async (batchRefusal) => {
    await stub.close();
    stub = await ReplayNode.start(chain, { maxBatch: 10, batchRefusal });
    const node = connect(url());
    const numbers = Array.from({ length: 30 }, (_, number) => number);
    expect((await node.blocks(numbers)).every((one) => one !== null)).toBe(true);
    const before = stub.requests;
    await node.blocks(numbers);
    // Learnt: no refused request any more.
    expect(stub.requests - before).toBeLessThanOrEqual(12);
  });

  it('is asked again for items that it left out', async () => {
    stub.faults.add({ method: 'eth_getBlockByNumber', when: ({ params }) => params[0] === '0x4', does: { kind: 'omit' }, times: 1 });
    const blocks = await connect(url()).blocks([3, 4, 5]);
    expect(blocks.map((one) => one?.block.number)).toEqual(['0x3', '0x4', '0x5']);
  });

  it('waits as told when a single item of a batch is throttled', async () => {
    stub.faults.add({ method: 'eth_getBlockReceipts', when: ({ params }) => params[0] === '0x4', does: { kind: 'error', code: 429, message: 'compute units per second' }, times: 1 });
    const blocks = await connect(url()).blocks([3, 4, 5]);
    expect(blocks.every((one) => one !== null)).toBe(true);
    expect(stub.calls.get('eth_getBlockByNumber')).toBe(3);
  });

  it('gets receipts in one batch where it has no eth_getBlockReceipts, and is remembered for it', async () => {
    await stub.close();
    stub = await ReplayNode.start(chain, { blockReceipts: false });
    const node = connect(url());
    const first = await node.blocks([1, 2, 3]);
    expect(first.map((one) => one?.receipts?.length)).toEqual([4, 4, 4]);
    const before = stub.requests;
    await node.blocks([4, 5]);
    expect(stub.requests - before).toBe(2);
    expect(stub.calls.get('eth_getBlockReceipts')).toBe(3);
  });

  it('is asked by hash when block and receipts come from different branches', async () => {
    const other = `0x${'cd'.repeat(32)}`;
    stub.faults.add({ method: 'eth_getBlockReceipts', times: 1, does: { kind: 'edit', edit: (list) => list.map((one) => ({ ...(one as object), blockHash: other })) } });
    const [fetched] = await connect(url()).blocks([6]);
    expect(fetched?.receipts?.[0]?.blockHash).toBe(fetched?.block.hash);
    expect(stub.calls.get('eth_getBlockByHash')).toBe(1);
  });

  it('is refused when it gives another block than was asked for', async () => {
    stub.faults.add({ method: 'eth_getBlockByHash', does: { kind: 'edit', edit: (block) => ({ ...block, hash: `0x${'ee'.repeat(32)}`, transactions: [] }) } });
    await expect(connect(url(), false).blockByHash(chain.at(3)!.hash)).rejects.toMatchObject({ code: 'node-answer-invalid' });
  });

  it('says so when history is pruned', async () => {
    stub.faults.add({ does: { kind: 'error', code: 4444, message: 'pruned history unavailable' } });
    await expect(connect(url()).blocks([1])).rejects.toMatchObject({ code: 'history-pruned' });
  });

  it('makes one request for many blocks and counts every call', async () => {
    const counted: string[] = [];
    const node = connect(url(), true, { call: (_node, method, result) => counted.push(`${method} ${result}`), request: () => undefined });
    await node.blocks(Array.from({ length: 20 }, (_, number) => number));
    expect(stub.requests).toBe(1);
    expect(counted).toHaveLength(40);
    expect(new Set(counted)).toEqual(new Set(['eth_getBlockByNumber ok', 'eth_getBlockReceipts ok']));
  });
});

describe('over HTTP', () => {
  it.each([
    [429, { 'retry-after': '7' }, 'Too Many Requests', { code: 'node-refused', meaning: 'throttled', waitMs: 7_000 }],
    [402, {}, '{"error":{"code":402,"message":"Payment Required"}}', { code: 'node-refused', meaning: 'exhausted' }],
    [401, {}, 'Unauthorized', { code: 'node-refused', meaning: 'revoked', retryable: false }],
    [503, {}, '', { code: 'node-refused', meaning: 'down', retryable: true }],
  ])('status %i is understood', async (status, headers, body, expected) => {
    const stub = await ReplayNode.start(await generateChain({ seed: 1, blocks: 1, transactionsPerBlock: 0 }));
    stub.faults.add({ does: { kind: 'status', status, body, headers } });
    await expect(connect(stub.url).chainId()).rejects.toMatchObject(expected);
    await stub.close();
  });

  it('a key that an answer repeats is not told, not even in part', async () => {
    const stub = await ReplayNode.start(await generateChain({ seed: 1, blocks: 1, transactionsPerBlock: 0 }));
    const key = '0123456789abcdef0123456789abcdef';
    stub.faults.add({ does: { kind: 'status', status: 200, body: `${'x'.repeat(60)}${key} is no JSON`, headers: {} } });
    const error = await connect(`${stub.url}/v3/${key}`).chainId().catch((refusal: unknown) => refusal);
    await stub.close();
    expect(error).toMatchObject({ code: 'node-answer-invalid' });
    expect(JSON.stringify((error as { facts: object }).facts)).not.toContain(key.slice(0, 8));
  });

  it('more than is read of one answer is asked for in smaller parts', async () => {
    const stub = await ReplayNode.start(await generateChain({ seed: 1, blocks: 24, transactionsPerBlock: 0 }));
    const extraData = `0x${'ab'.repeat(750_000)}`;
    stub.faults.add({ method: 'eth_getBlockByNumber', does: { kind: 'edit', edit: (block) => ({ ...block, extraData }) } });
    // Thirty megabytes are made and sent: on a busy machine that takes a while.
    const node = connect(stub.url, true, uncounted, { requestTimeoutMs: 20_000 });
    const got = await node.blocks(Array.from({ length: 20 }, (_, number) => number));
    expect(got[0]?.block['extraData']).toBe(extraData);
    expect(got.filter((one) => one !== null).length).toBeLessThan(17);
    expect(got).toHaveLength(20);
    await stub.close();
  });

  it('413 halves the batch', async () => {
    const stub = await ReplayNode.start(await generateChain({ seed: 1, blocks: 8, transactionsPerBlock: 0 }));
    stub.faults.add({ does: { kind: 'status', status: 413, body: 'Request Entity Too Large' }, times: 1 });
    expect((await connect(stub.url).blocks([1, 2, 3, 4])).every((one) => one !== null)).toBe(true);
    await stub.close();
  });

  it('a key in the address is shown nowhere', async () => {
    const node = connect('http://user:pa55word@127.0.0.1:1/v3/0123456789abcdefSECRET?key=TOPSECRET');
    const error = await node.chainId().then(() => new Error('it must fail'), (thrown: unknown) => thrown) as Error & { facts?: object };
    expect(JSON.stringify([node.label, error.message, error.facts, String(error.cause)])).not.toMatch(/SECRET|pa55word/);
    expect(node.label).toBe('http://127.0.0.1:1/v3/…?…');
  });
});

describe('over WebSocket', () => {
  it('a cut subscription ends with an error, and a new one works', async () => {
    const chain = await generateChain({ seed: 2, blocks: 10, transactionsPerBlock: 1 });
    chain.head = 5;
    const stub = await ReplayNode.start(chain);
    const node = connect(stub.wsUrl);
    const stop = new AbortController();
    const first = node.heads(stop.signal)[Symbol.asyncIterator]().next();
    await new Promise((resolve) => setTimeout(resolve, 100));
    stub.cutConnections();
    await expect(first).rejects.toMatchObject({ code: 'node-unreachable' });
    await new Promise((resolve) => setTimeout(resolve, 250));
    const second = node.heads(stop.signal)[Symbol.asyncIterator]().next();
    await new Promise((resolve) => setTimeout(resolve, 100));
    stub.advanceTo(6);
    expect(await second).toMatchObject({ value: { number: 6 } });
    stop.abort();
    await stub.close();
  });

  it('a peer that does not even answer pings any more is given up, and its subscription ends', async () => {
    const stub = await ReplayNode.start(await generateChain({ seed: 2, blocks: 2, transactionsPerBlock: 0 }));
    const node = connect(stub.wsUrl);
    const first = node.heads(new AbortController().signal)[Symbol.asyncIterator]().next();
    await node.chainId();
    stub.goDeaf();
    await expect(first).rejects.toMatchObject({ code: 'node-unreachable' });
    await stub.close();
  });

  it('a peer that takes connections and cuts them is tried less and less often', async () => {
    const stub = await ReplayNode.start(await generateChain({ seed: 2, blocks: 2, transactionsPerBlock: 0 }));
    stub.dropsConnections = true;
    const clock = new SwiftClock(1);
    const node = connectChainNode(stub.wsUrl, { clock, metrics: uncounted, receipts: true });
    opened.push(node);
    for (let second = 0; second < 60; second += 1) {
      await expect(node.chainId()).rejects.toMatchObject({ code: 'node-unreachable' });
      clock.leap(1_000);
    }
    expect(stub.connections).toBeLessThan(15);
    await stub.close();
  });

  it('a peer that took the connection and says nothing is given up', async () => {
    const deaf: Server = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
    await expect(connect(`ws://127.0.0.1:${(deaf.address() as AddressInfo).port}`).chainId()).rejects.toMatchObject({ code: 'node-unreachable' });
    deaf.close();
  });
});
