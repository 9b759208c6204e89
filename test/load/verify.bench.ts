/**
 * CPU of verification, one JSON line per sort of block. Run: node --conditions=source test/load/verify.bench.ts
 * Needs the fixtures (FIXTURES_DIR, default ../shared/fixtures).
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import { recoverSender } from '../../libs/contexts/chain/src/adapters/noble.recover-sender.ts';
import type { FetchedBlock } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import { checkBlock, verifyBlock } from '../../libs/contexts/chain/src/domain/verification/verify-block.ts';
import { ENFORCE_ALL } from '../../libs/contexts/chain/src/domain/verification/verification-rules.ts';

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

/** CPU of this thread as the mean of all rounds, for other work on the machine does not count there; and the median by the wall. */
class Stopwatch {
  readonly #walls: number[] = [];
  #cpuMicros = 0;

  time(round: number, work: () => unknown): void {
    const cpu = process.threadCpuUsage();
    const wall = performance.now();
    work();
    if (round < WARM_UP) return;
    this.#walls.push(performance.now() - wall);
    const { user, system } = process.threadCpuUsage(cpu);
    this.#cpuMicros += user + system;
  }

  get cpuMs(): number {
    return round3(this.#cpuMicros / 1000 / this.#walls.length);
  }

  get medianMs(): number {
    return round3(this.#walls.toSorted((a, b) => a - b)[this.#walls.length >> 1] ?? 0);
  }
}

const rules = { mainnet: ENFORCE_ALL, optimism: { ...ENFORCE_ALL, withdrawals: 'unverifiable' } } as const;
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
  print({
    bench: 'verify',
    chain,
    block: Number(block.number),
    transactions: block.transactions.length,
    kilobytes: Math.round(bytes / 1024),
    cpuMs: total.cpuMs,
    medianMs: total.medianMs,
    partsCpuMs: Object.fromEntries(PARTS.map((part) => [part, parts[part].cpuMs])),
  });
}

const sample = fresh(read('ethereum/18090206'));
const senders = new Stopwatch();
for (let seed = 0; seed < 2 * WARM_UP; seed += 1) senders.time(seed, () => checkBlock(sample, { keccak256, recoverSender }, { count: 1, seed }, ['senders']));
print({ bench: 'recover-sender', cpuMs: senders.cpuMs, medianMs: senders.medianMs });


function round3(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
