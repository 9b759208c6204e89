/**
 * Room on disk as a share of the JSON that the nodes answered: the log and the read models beside it, each as the files
 * are once everything is folded back. `node --conditions=source test/load/disk.bench.ts [runs]`. With `DETAIL=1` also
 * what each table takes.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ActorSystem } from '../../libs/platform/actors/src/index.ts';
import { openSqliteEventReader, openSqliteEventStore } from '../../libs/platform/event-store/src/index.ts';
import { systemClock } from '../../libs/platform/kernel/src/index.ts';
import { ProjectionRunner } from '../../libs/platform/projections/src/index.ts';
import { SqliteReadStore, SqliteReadWriter } from '../../libs/platform/read-store/src/index.ts';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import { defineChainActors } from '../../libs/contexts/chain/src/application/chain-actors.ts';
import { observe } from '../../libs/contexts/chain/src/domain/observe.ts';
import type { FetchedBlock } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import { CHAIN_EXPLORER } from '../../libs/contexts/chain/src/projections/chain-explorer.projection.ts';
import { projections } from '../../libs/contexts/chain/src/projections/index.ts';
import { Figures } from './figures.ts';

const RUNS = Number(process.argv[2] ?? 1);
const VERIFIED = { header: 'verified', transactions: 'verified', receipts: 'verified', senders: 'verified' } as const;
const CHAIN = '1';
const FIRST = 18_000_000;
const ACCOUNTS = 20_000;
const hex = (bytes: number): string => `0x${randomBytes(bytes).toString('hex')}`;
const quantity = (value: number | bigint): string => `0x${value.toString(16)}`;
const accounts = Array.from({ length: ACCOUNTS }, () => hex(20));
const someone = (): string => accounts[Math.floor(Math.random() * ACCOUNTS)] as string;

interface Texts {
  readonly block: string;
  readonly receipts: string;
}
type Maker = (number: number, hash: string, parentHash: string) => Texts;

const EMPTY_ROOT = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';
const rootOf = (count: number): string => (count === 0 ? EMPTY_ROOT : hex(32));

/** Nothing in it repeats that would not on a live chain: hashes, signatures and amounts are random. */
const transfers =
  (count: number): Maker =>
  (number, hash, parentHash) => {
    const place = { blockHash: hash, blockNumber: quantity(number) };
    const made = Array.from({ length: count }, (_, index) => transfer(place, index));
    const header = { parentHash, sha3Uncles: '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347', miner: `0x${'11'.repeat(20)}`, stateRoot: hex(32), transactionsRoot: rootOf(count), receiptsRoot: rootOf(count), logsBloom: `0x${'0'.repeat(512)}`, difficulty: '0x0', number: quantity(number), gasLimit: '0x1c9c380', gasUsed: quantity(count * 21_000), timestamp: quantity(1_700_000_000 + number * 12), extraData: '0x', mixHash: hex(32), nonce: '0x0000000000000000', baseFeePerGas: quantity(7_000_000_000 + number), withdrawalsRoot: EMPTY_ROOT, withdrawals: [], uncles: [], size: quantity(600 + count * 120), hash };
    return { block: JSON.stringify({ ...header, transactions: made.map(({ transaction }) => transaction) }), receipts: JSON.stringify(made.map(({ receipt }) => receipt)) };
  };

function transfer(place: { blockHash: string; blockNumber: string }, index: number): { transaction: object; receipt: object } {
  const [from, to, hash] = [someone(), someone(), hex(32)];
  const at = { ...place, transactionIndex: quantity(index) };
  const fees = { gas: '0x5208', gasPrice: '0x1a13b8600', maxFeePerGas: '0x2540be400', maxPriorityFeePerGas: '0x3b9aca00' };
  const transaction = { type: '0x2', chainId: '0x1', nonce: quantity(Math.floor(Math.random() * 500)), to, from, value: quantity(BigInt(hex(7))), input: '0x', accessList: [], ...fees, v: '0x1', yParity: '0x1', r: hex(32), s: hex(32), hash, ...at };
  const receipt = { type: '0x2', status: '0x1', cumulativeGasUsed: quantity((index + 1) * 21_000), logs: [], logsBloom: `0x${'0'.repeat(512)}`, gasUsed: '0x5208', effectiveGasPrice: '0x1a13b8600', from, to, contractAddress: null, transactionHash: hash, ...at };
  return { transaction, receipt };
}

/** Real blocks again and again, with hashes of their own each time. */
function mainnet(folder: string): Maker {
  const sources = ['18090206', '18090213', '18090218'].map((name) => ({
    block: resultOf(readFileSync(join(folder, `${name}.block.json`), 'utf8')),
    receipts: resultOf(readFileSync(join(folder, `${name}.receipts.json`), 'utf8')),
  }));
  return (number, hash, parentHash) => {
    const source = sources[number % sources.length] as Texts;
    const block = JSON.parse(source.block) as { hash: string; parentHash: string; number: string; transactions: { hash: string }[] };
    const renamed = new Map([[block.hash, hash], [block.parentHash, parentHash], ...block.transactions.map((transaction): [string, string] => [transaction.hash, hex(32)])]);
    const rename = (text: string): string => text.replace(/0x[0-9a-f]{64}(?=")/g, (found) => renamed.get(found) ?? found).replaceAll(`"${block.number}"`, `"${quantity(number)}"`);
    return { block: rename(source.block), receipts: rename(source.receipts) };
  };
}

function resultOf(text: string): string {
  const parsed = JSON.parse(text) as { result?: unknown };
  return JSON.stringify(parsed.result ?? parsed);
}

async function capture(directory: string, blocks: number, make: Maker): Promise<{ raw: number; transactions: number }> {
  const store = await openSqliteEventStore({ directory });
  const keccak = await createKeccak256();
  const actors = defineChainActors(new ActorSystem({ store, clock: systemClock }), keccak);
  let raw = 0;
  let transactions = 0;
  let parent = `0x${'00'.repeat(32)}`;
  await actors.chains.tell(CHAIN, { type: 'StartChain', chainId: CHAIN, genesisHash: hex(32) as `0x${string}`, firstBlock: FIRST });
  for (let number = FIRST; number < FIRST + blocks; ) {
    const observed = [];
    for (let many = 0; many < 50 && number < FIRST + blocks; many += 1, number += 1) {
      const hash = hex(32);
      const texts = make(number, hash, parent);
      raw += texts.block.length + texts.receipts.length;
      const fetched = { block: JSON.parse(texts.block), receipts: JSON.parse(texts.receipts), bytes: 0 } as FetchedBlock;
      transactions += fetched.block.transactions.length;
      if (fetched.block.transactions.length > 0) await actors.bodies.tell(`${CHAIN}.${hash}`, { type: 'RecordBody', chainId: CHAIN, fetched });
      observed.push(observe(CHAIN, fetched, VERIFIED));
      parent = hash;
    }
    await actors.chains.tell(CHAIN, { type: 'ObserveBlocks', blocks: observed });
  }
  await store.close();
  return { raw, transactions };
}

async function project(directory: string, file: string): Promise<{ rows: number; seconds: number }> {
  const reader = openSqliteEventReader({ directory });
  const store = new SqliteReadWriter(file, systemClock);
  const reads = new SqliteReadStore(file);
  const runner = new ProjectionRunner({ reader, store, projections, clock: systemClock, onProgress: (name, position) => reads.advanced(name, position) });
  const started = performance.now();
  await runner.start();
  await reads.waitFor(CHAIN_EXPLORER, await reader.head(), 600_000, systemClock);
  const seconds = (performance.now() - started) / 1000;
  const rows = (await runner.status()).reduce((sum, { rowsWritten }) => sum + rowsWritten, 0);
  await runner.close();
  reads.close();
  store.close();
  await reader.close();
  return { rows, seconds };
}

/** The largest tables and indexes, from the pages of the file; the tool counts them where SQLite was built with dbstat. */
function detail(file: string): void {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = db.prepare('SELECT name, sum(pgsize) AS bytes, sum(unused) AS unused FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 12').all();
    for (const row of rows) console.error(`  ${String(row['name'])} ${Math.round(Number(row['bytes']) / 1024)} KiB, unused ${Math.round(Number(row['unused']) / 1024)} KiB`);
  } finally {
    db.close();
  }
}

const sizeOf = (directory: string): number => readdirSync(directory, { recursive: true, withFileTypes: true }).reduce((sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0), 0);
const figures = new Figures('blocks told to the log without verification: random transfers, empty ones, or real ones of mainnet with new hashes');
function figure(bench: string, value: number, unit: string, target?: number, lowerIsBetter = true): void {
  figures.add(bench, value, { unit, lowerIsBetter, ...(target !== undefined && { target }) });
}

async function measure(name: string, blocks: number, make: Maker): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
  const [log, file] = [join(directory, 'log'), join(directory, 'read.db')];
  mkdirSync(log);
  try {
    const { raw, transactions } = await capture(log, blocks, make);
    const logBytes = sizeOf(log);
    const { rows, seconds } = await project(log, file);
    const readBytes = statSync(file).size;
    figure(`disk.${name}.log`, logBytes / raw, 'of raw JSON', 0.2);
    figure(`disk.${name}.read-models`, readBytes / raw, 'of raw JSON');
    figure(`disk.${name}.both`, (logBytes + readBytes) / raw, 'of raw JSON', 0.6);
    figure(`disk.${name}.projected`, rows / seconds, 'rows/s', undefined, false);
    if (process.env['DETAIL'] !== undefined) {
      console.error(`${name}: ${blocks} blocks, ${transactions} transactions, raw ${raw}, ${seconds.toFixed(2)} s`);
      detail(file);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const folder = join(resolve(process.env['FIXTURES_DIR'] ?? '../shared/fixtures'), 'evm-blocks', 'ethereum');
for (let run = 0; run < RUNS; run += 1) {
  await measure('transfers-40', 600, transfers(40));
  await measure('empty', 10_000, transfers(0));
  if (existsSync(folder)) await measure('mainnet', 60, mainnet(folder));
}
figures.print();
