/**
 * CPU of verification alone, for each sort of block. Run: node --conditions=source test/load/verify.bench.ts [runs]
 * Needs the fixtures (FIXTURES_DIR, default ../shared/fixtures).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import { recoverSender } from '../../libs/contexts/chain/src/adapters/noble.recover-sender.ts';
import type { FetchedBlock } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import { checkBlock, verifyBlock } from '../../libs/contexts/chain/src/domain/verification/verify-block.ts';
import { ENFORCE_ALL } from '../../libs/contexts/chain/src/domain/verification/verification-rules.ts';
import { Figures } from './figures.ts';

const RUNS = Number(process.argv[2] ?? 3);
const folder = join(resolve(process.env['FIXTURES_DIR'] ?? '../shared/fixtures'), 'evm-blocks');
const BLOCKS = [
  ['mainnet', 'ethereum/18090206'],
  ['mainnet', 'ethereum/18090213'],
  ['mainnet', 'ethereum/18090218'],
  ['mainnet', 'squid-sdk/ethereum/18000000'],
  ['optimism', 'squid-sdk/optimism/154497277'],
] as const;
const WARM_UP = 100;
const ROUNDS = 200;
const PARTS = ['header', 'transactions', 'receipts', 'withdrawals'] as const;

const keccak256 = await createKeccak256();

function read(name: string): { text: string; receipts: string } {
  return { text: readFileSync(join(folder, `${name}.block.json`), 'utf8'), receipts: readFileSync(join(folder, `${name}.receipts.json`), 'utf8') };
}

/** Parsed anew for each round, as in life: no text is flat or hashed from the round before. */
function fresh(source: { text: string; receipts: string }): FetchedBlock {
  const block = JSON.parse(source.text) as { result?: FetchedBlock['block'] };
  const receipts = JSON.parse(source.receipts) as { result?: NonNullable<FetchedBlock['receipts']> };
  return {
    block: block.result ?? (block as unknown as FetchedBlock['block']),
    receipts: receipts.result ?? (receipts as unknown as NonNullable<FetchedBlock['receipts']>),
    bytes: source.text.length + source.receipts.length,
  };
}

/** CPU of this thread as the mean of all rounds: other work on the machine does not count there. */
class Stopwatch {
  #rounds = 0;
  #cpuMicros = 0;

  time(round: number, work: () => unknown): void {
    const cpu = process.threadCpuUsage();
    work();
    if (round < WARM_UP) return;
    this.#rounds += 1;
    const { user, system } = process.threadCpuUsage(cpu);
    this.#cpuMicros += user + system;
  }

  get cpuMs(): number {
    return this.#cpuMicros / 1000 / this.#rounds;
  }
}

const rules = { mainnet: ENFORCE_ALL, optimism: { ...ENFORCE_ALL, withdrawals: 'unverifiable' } } as const;
const figures = new Figures('recorded blocks, parsed anew for each round');
const ms = { unit: 'ms', lowerIsBetter: true } as const;

function verification(): void {
  for (const [chain, name] of BLOCKS) {
    const source = read(name);
    const total = new Stopwatch();
    const parts = { header: new Stopwatch(), transactions: new Stopwatch(), receipts: new Stopwatch(), withdrawals: new Stopwatch() };
    for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
      const fetched = fresh(source);
      total.time(round, () => verifyBlock(fetched, rules[chain], { keccak256 }));
      const again = fresh(source);
      for (const part of PARTS) parts[part].time(round, () => checkBlock(again, { keccak256 }, undefined, [part]));
    }
    const { block, bytes } = fresh(source);
    const about = { ...ms, source: `recorded block ${Number(block.number)} of ${chain}, ${block.transactions.length} transactions, ${Math.round(bytes / 1024)} KB` };
    figures.add(`verify.${name}.cpu`, total.cpuMs, about);
    for (const part of PARTS) figures.add(`verify.${name}.${part}.cpu`, parts[part].cpuMs, about);
  }
}

function senders(): void {
  const sample = fresh(read('ethereum/18090206'));
  const watch = new Stopwatch();
  for (let seed = 0; seed < 2 * WARM_UP; seed += 1) watch.time(seed, () => checkBlock(sample, { keccak256, recoverSender }, { count: 1, seed }, ['senders']));
  figures.add('verify.recover-sender.cpu', watch.cpuMs, ms);
}

for (let run = 0; run < RUNS && existsSync(folder); run += 1) {
  verification();
  senders();
}
figures.print();
