/**
 * CPU of verification, one JSON line per sort of block. Run: node --conditions=source test/load/verify.bench.ts
 * Needs the fixtures (FIXTURES_DIR, default ../shared/fixtures).
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import { recoverSender } from '../../libs/contexts/chain/src/adapters/ethers.recover-sender.ts';
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
const ROUNDS = 300;

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

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

const rules = { mainnet: ENFORCE_ALL, optimism: { ...ENFORCE_ALL, withdrawals: 'unverifiable' } } as const;
for (const [chain, name] of BLOCKS) {
  const source = read(name);
  const timings: number[] = [];
  const perPart: Record<string, number[]> = { header: [], transactions: [], receipts: [], withdrawals: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const fetched = fresh(source);
    const start = performance.now();
    verifyBlock(fetched, rules[chain], { keccak256 });
    timings.push(performance.now() - start);
    const again = fresh(source);
    for (const part of ['header', 'transactions', 'receipts', 'withdrawals'] as const) {
      const from = performance.now();
      checkBlock(again, { keccak256 }, undefined, [part]);
      perPart[part]?.push(performance.now() - from);
    }
  }
  const { block, bytes } = fresh(source);
  print({
    bench: 'verify',
    chain,
    block: Number(block.number),
    transactions: block.transactions.length,
    kilobytes: Math.round(bytes / 1024),
    medianMs: round3(median(timings.slice(50))),
    partsMs: Object.fromEntries(Object.entries(perPart).map(([part, values]) => [part, round3(median(values.slice(50)))])),
  });
}

const sample = fresh(read('ethereum/18090206'));
const started = performance.now();
for (let seed = 0; seed < 100; seed += 1) checkBlock(sample, { keccak256, recoverSender }, { count: 1, seed }, ['senders']);
print({ bench: 'recover-sender', medianMs: round3((performance.now() - started) / 100) });


function round3(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
