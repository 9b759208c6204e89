import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '#platform/kernel';
import { AnvilEmbeddedNode, DEMO_ACCOUNTS, DEMO_CHAIN_ID, DEMO_MNEMONIC } from '../adapters/anvil.embedded-node.ts';
import { recoverSender } from '../adapters/noble.recover-sender.ts';
import { createKeccak256 } from '../adapters/hash-wasm.keccak.ts';
import type { RpcBlock, RpcReceipt } from '../domain/rpc-types.ts';
import { ENFORCE_ALL } from '../domain/verification/verification-rules.ts';
import { verifyBlock } from '../domain/verification/verify-block.ts';
import type { EmbeddedNodeLog } from '../ports/embedded-node.port.ts';
import { DemoTrafficProcess } from './demo-traffic.process.ts';

type Block = { number: string; hash: string; timestamp: string; transactions: { hash: string; type: string; to: string | null; input: string }[] };
type Receipt = { status: string; contractAddress: string | null; logs: { topics: string[] }[]; gasUsed: string; blobGasUsed?: string };

describe('the demo traffic', () => {
  let dir: string;
  let node: AnvilEmbeddedNode;
  let traffic: DemoTrafficProcess;
  let warnings: string[];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'chainfold-demo-'));
    warnings = [];
  });
  afterEach(async () => {
    await traffic.stop();
    await node.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('shows every transaction type, kind and outcome within 80 blocks, none of it refused', async () => {
    await begin({ reorgEverySeconds: 0 });
    await reach(80);
    const blocks = await chain(80);
    const transactions = blocks.flatMap((block) => block.transactions);
    const receipts = (await Promise.all(blocks.map((block) => one('eth_getBlockReceipts', block.hash)))).flat() as Receipt[];
    expect(receipts).toHaveLength(transactions.length);
    await expectVerified(blocks);
    expect([...new Set(transactions.map((transaction) => transaction.type))].sort()).toEqual(['0x0', '0x1', '0x2', '0x3', '0x4']);
    expect(transactions.filter((transaction) => transaction.to === null).length).toBeGreaterThan(2);
    expect(transactions.filter((transaction) => transaction.to !== null && transaction.input === '0x').length).toBeGreaterThan(20);
    expect(receipts.filter((receipt) => receipt.status === '0x0').length).toBeGreaterThan(5);
    expect(receipts.some((receipt) => receipt.blobGasUsed !== undefined && Number(receipt.blobGasUsed) > 0)).toBe(true);
    expect(new Set(receipts.flatMap((receipt) => receipt.logs.map((log) => log.topics[0]))).size).toBeGreaterThanOrEqual(3);
    const sizes = blocks.map((block) => block.transactions.length);
    expect(Math.min(...sizes)).toBe(0);
    expect(Math.max(...sizes)).toBeGreaterThan(20);
    expect(warnings).toEqual([]);
  });

  /** The node keeps blobs in its blocks and binds them in the root, which is no reason to stop at the first of them. */
  async function expectVerified(blocks: readonly Block[]): Promise<void> {
    const crypto = { keccak256: await createKeccak256(), recoverSender };
    for (const { hash } of blocks) {
      const block = (await one('eth_getBlockByHash', hash, true)) as RpcBlock;
      const receipts = (await one('eth_getBlockReceipts', hash)) as RpcReceipt[];
      expect(verifyBlock({ block, receipts, bytes: 0 }, ENFORCE_ALL, crypto).transactions).toBe('verified');
    }
  }

  it('reorganizes near the head only, so that what was finalized stays', async () => {
    await begin({ reorgEverySeconds: 0.15 });
    await reach(45);
    const early = (await chain(45)).map((block) => block.hash);
    await reach(100);
    const later = (await chain(45)).map((block) => block.hash);
    expect(reorgs).toBeGreaterThan(1);
    expect(later.slice(0, 41)).toEqual(early.slice(0, 41));
    expect(warnings).toEqual([]);
  });

  it('goes on as before when somebody else reorganizes the chain under it', async () => {
    await begin({ reorgEverySeconds: 0 });
    await reach(20);
    await node.request([{ method: 'anvil_reorg', params: [5, []] }]);
    const head = await headNumber();
    await reach(head + 20);
    const sent = (await chain(head + 20)).slice(head + 5).flatMap((block) => block.transactions);
    expect(sent.length).toBeGreaterThan(40);
  });

  it('goes on from where the chain is after a restart', async () => {
    await begin({ reorgEverySeconds: 0 });
    await reach(15);
    await traffic.stop();
    await node.stop();
    await begin({ reorgEverySeconds: 0 });
    const resumed = await headNumber();
    await reach(resumed + 15);
    const sent = (await chain(resumed + 15)).slice(resumed + 1).flatMap((block) => block.transactions);
    expect(sent.length).toBeGreaterThan(30);
    expect(warnings).toEqual([]);
  });

  let reorgs = 0;
  async function begin(options: { reorgEverySeconds: number }): Promise<void> {
    reorgs = 0;
    const log: EmbeddedNodeLog = {
      debug: () => undefined,
      info: (_fields, message) => (reorgs += message === 'demo reorg' ? 1 : 0),
      warn: (fields, message) => warnings.push(`${message} ${JSON.stringify(fields)}`),
    };
    node = new AnvilEmbeddedNode({ dir }, log, systemClock);
    await node.start();
    traffic = new DemoTrafficProcess(
      node,
      { mnemonic: DEMO_MNEMONIC, accounts: DEMO_ACCOUNTS, chainId: BigInt(DEMO_CHAIN_ID), seed: 1, pace: 0.01, ...options },
      log,
      systemClock,
    );
    traffic.start();
  }

  async function reach(number: number): Promise<void> {
    while ((await headNumber()) < number) await delay(50);
  }

  async function headNumber(): Promise<number> {
    return Number(await one('eth_blockNumber'));
  }

  async function chain(upTo: number): Promise<Block[]> {
    const calls = Array.from({ length: upTo + 1 }, (_unused, number) => ({ method: 'eth_getBlockByNumber', params: [`0x${number.toString(16)}`, true] }));
    return (await node.request(calls)).map((outcome) => (outcome.ok ? (outcome.result as Block) : (undefined as never)));
  }

  async function one(method: string, ...params: (string | boolean)[]): Promise<unknown> {
    const [outcome] = await node.request([{ method, params }]);
    return outcome?.ok === true ? outcome.result : outcome?.message;
  }
});
