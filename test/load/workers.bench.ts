/**
 * A backfill of a node whose answers take their time, read by the owner of the log alone and by workers beside it: `npm run build`,
 * then `node --conditions=source test/load/workers.bench.ts [runs] [blocks]`. All processes and the node share this machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../e2e/stage/anvil-process.ts';
import { ChainfoldProcess, eventually } from '../e2e/stage/chainfold-process.ts';
import { HangingNode } from '../e2e/stage/hanging-node.ts';
import { Figures } from './figures.ts';
import { ServedChain } from './served-chain.ts';

const [, , runs = '1', blocks = '3000'] = process.argv;
const ANSWER_MS = 400;
const WORKERS = [0, 1, 2, 4];
const figures = new Figures(`a replay node in a process of its own, each answer ${ANSWER_MS} ms late`);

async function measure(count: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
  const node = await ServedChain.start({ kind: 'generated', blocks: Number(blocks), transactionsPerBlock: 10 });
  const { url, chainId, first, last } = node.served;
  const slow = await HangingNode.start(url);
  const port = await freePort();
  const started: ChainfoldProcess[] = [];
  try {
    const owner = await ChainfoldProcess.start({ RPC_URL: slow.url, DATA_DIR: directory, WORKERS_PORT: String(port) });
    started.push(owner);
    for (let one = 0; one < count; one += 1) started.push(await ChainfoldProcess.start({ RPC_URL: slow.url, OWNER: `127.0.0.1:${port}` }, 'start:worker'));
    await eventually(async () => {
      if ((await owner.metric('chainfold_chain_workers')) !== count || (await owner.api(`/chains/${chainId}`)).head === null) throw new Error('not all are there yet');
    });
    slow.slow(ANSWER_MS);
    const asked = await owner.post(`/chains/${chainId}/backfills`, { from: first, to: last - 1 });
    const backfill = asked.headers.get('location') as string;
    const { blocksPerSecond } = await eventually(async () => {
      const told = await owner.get(backfill);
      if (told.state !== 'finished') throw new Error(`only ${told.done} blocks are there`);
      return told;
    }, 600_000);
    const source = `generated blocks of 10 transactions, ${last - first} of them`;
    figures.add(`workers.${count}.durable`, Number(blocksPerSecond), { unit: 'blocks/s', lowerIsBetter: false, source });
    const byWorkers = await owner.metric('chainfold_chain_read_blocks_total', 'worker');
    figures.add(`workers.${count}.share`, byWorkers / (last - first), { unit: 'of the blocks', lowerIsBetter: false, source });
  } finally {
    for (const one of started) await one.kill();
    await slow.stop();
    await node.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

for (let run = 0; run < Number(runs); run += 1) for (const count of WORKERS) await measure(count);
figures.print();
