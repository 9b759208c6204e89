/**
 * Stands for the pipeline that this product replaces: for a block of n transactions n + 8 requests, one at a time, none
 * in a batch. What it asked for is known only by its number; the calls here are the plausible ones. To be compared with
 * by requests, credits and compute units: `node --conditions=source test/load/old-pipeline.ts URL FROM TO`.
 */
import { setTimeout as wait } from 'node:timers/promises';

export interface OldPipelineRun {
  readonly blocks: number;
  readonly transactions: number;
  readonly requests: number;
  readonly calls: Readonly<Record<string, number>>;
  /** Asked again after a refusal; not among the requests. */
  readonly refused: number;
}

export interface OldPipelineOptions {
  readonly url: string;
  /** Both included. */
  readonly from: number;
  readonly to: number;
  /** After a 429. */
  readonly pauseMs?: number;
}

interface Block {
  readonly hash: string;
  readonly miner: string;
  readonly transactions: readonly string[];
}

export async function runOldPipeline({ url, from, to, pauseMs = 1_000 }: OldPipelineOptions): Promise<OldPipelineRun> {
  const calls: Record<string, number> = {};
  let [requests, refused, transactions] = [0, 0, 0];
  const ask = async (method: string, ...params: readonly unknown[]): Promise<unknown> => {
    requests += 1;
    calls[method] = (calls[method] ?? 0) + 1;
    for (;;) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: requests, method, params });
      const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      if (answer.status !== 429) return ((await answer.json()) as { result?: unknown }).result;
      refused += 1;
      await wait(pauseMs);
    }
  };
  for (let number = from; number <= to; number += 1) {
    const tag = `0x${number.toString(16)}`;
    await ask('eth_blockNumber');
    await ask('eth_chainId');
    const block = (await ask('eth_getBlockByNumber', tag, false)) as Block | null | undefined;
    if (block === null || block === undefined) throw new Error(`${new URL(url).host} has no block ${number}`);
    await ask('eth_getBlockByHash', block.hash, true);
    await ask('eth_getBlockTransactionCountByHash', block.hash);
    await ask('eth_gasPrice');
    await ask('eth_getBalance', block.miner, tag);
    await ask('eth_getCode', block.miner, tag);
    for (const hash of block.transactions) await ask('eth_getTransactionReceipt', hash);
    transactions += block.transactions.length;
  }
  return { blocks: to - from + 1, transactions, requests, calls, refused };
}

if (process.argv[1] === import.meta.filename) {
  const [, , url = '', from = '', to = from] = process.argv;
  console.log(JSON.stringify(await runOldPipeline({ url, from: Number(from), to: Number(to) }), null, 2));
}
