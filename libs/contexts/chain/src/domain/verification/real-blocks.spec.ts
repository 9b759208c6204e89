import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithFixtures } from '#platform/testing';
import { recoverSender } from '../../adapters/noble.recover-sender.ts';
import { createKeccak256 } from '../../adapters/hash-wasm.keccak.ts';
import type { FetchedBlock, RpcBlock, RpcReceipt } from '../rpc-types.ts';
import type { VerificationCrypto } from './crypto.ts';
import type { BlockReport } from './part-report.ts';
import { checkBlock } from './verify-block.ts';

interface IndexRow {
  readonly block: string;
  readonly receipts: string | null;
  readonly txs: number;
  readonly verified: { readonly [check: string]: boolean | string | null };
}

let crypto: VerificationCrypto;
beforeAll(async () => {
  crypto = { keccak256: await createKeccak256(), recoverSender };
});

const STABLE = 'squid-sdk/stable-testnet/42767022';
/** The root recomputes, but something that it does not bind is wrong. Each has its own test below. */
const BEYOND_THE_ROOT = new Set(['squid-sdk/cronos/6541.block.json', `${STABLE}.block.json`]);

/** The recorded files are pretty printed or wrapped in an envelope, and a few write hex in upper case. */
function parsed<T>(file: string): T {
  const json = JSON.parse(readFileSync(file, 'utf8').replace(/"0x[0-9a-fA-F]*"/g, (hex) => hex.toLowerCase())) as { result?: T };
  return json.result ?? (json as T);
}

function polygonReceipts(dir: string, block: RpcBlock): readonly RpcReceipt[] {
  const receipts = readdirSync(join(dir, 'polygon'))
    .filter((name) => name.startsWith('eth_getTransactionReceipt'))
    .map((name) => parsed<RpcReceipt>(join(dir, 'polygon', name)));
  return block.transactions.map((transaction) => receipts.find((receipt) => receipt.transactionHash === transaction.hash)!);
}

function fetched(dir: string, row: Pick<IndexRow, 'block' | 'receipts'>): FetchedBlock {
  const block = parsed<RpcBlock>(join(dir, row.block));
  const transactions = Array.isArray(block.transactions) ? block.transactions : [];
  const complete = { ...block, transactions };
  const receipts = row.receipts === null ? undefined : row.receipts.includes('*') ? polygonReceipts(dir, complete) : parsed<readonly RpcReceipt[]>(join(dir, row.receipts));
  return { block: complete, receipts, bytes: 0 };
}

const said = (report: BlockReport, part: keyof BlockReport): boolean | null => {
  const found = report[part];
  if (found === undefined || found.outcome === 'unverifiable') return null;
  return found.outcome === 'verified';
};

describeWithFixtures('blocks of real networks', (fixtures) => {
  const dir = join(fixtures, 'evm-blocks');
  const rows = (JSON.parse(readFileSync(join(dir, 'INDEX.json'), 'utf8')) as { blocks: IndexRow[] }).blocks;
  /** INDEX.json says null or text where the file does not hold enough to tell. */
  const expected = (check: boolean | string | null | undefined): boolean | null => (typeof check === 'boolean' ? check : null);

  it.each(rows.map((row) => [row.block, row] as const))('%s recomputes exactly where its index says so', (_name, row) => {
    const report = checkBlock(fetched(dir, row), crypto);
    if (row.verified['block_hash'] !== null) expect([report.header, said(report, 'header')]).toEqual([report.header, expected(row.verified['block_hash'])]);
    expect([report.transactions, said(report, 'transactions')]).toEqual([report.transactions, expected(row.verified['transactions_root'])]);
    if (row.verified['withdrawals_root'] !== null) expect(said(report, 'withdrawals')).toBe(expected(row.verified['withdrawals_root']));
    if (row.receipts !== null && !BEYOND_THE_ROOT.has(row.block)) {
      expect([report.receipts, said(report, 'receipts')]).toEqual([report.receipts, row.verified['receipts_root']]);
    }
  });

  it('finds logs that are not counted through the block (Stable), though their root recomputes', () => {
    const report = checkBlock(fetched(dir, { block: `${STABLE}.block.json`, receipts: `${STABLE}.receipts.json` }), crypto);
    expect(report.receipts).toEqual({ outcome: 'mismatched', field: 'receipts[1].logs[0].logIndex', expected: '0x4', actual: '0x0' });
  });

  it('refuses a block of Cronos that came with fewer receipts than transactions, though their root recomputes', () => {
    const report = checkBlock(fetched(dir, { block: 'squid-sdk/cronos/6541.block.json', receipts: 'squid-sdk/cronos/6541.receipts.json' }), crypto);
    expect(report.receipts).toEqual({ outcome: 'mismatched', field: 'receipts', expected: '1 of them', actual: '0 of them' });
  });

  it.each(rows.filter((row) => row.txs > 0 && row.txs < 60).map((row) => [row.block, row] as const))('%s was signed by the senders it names', (_name, row) => {
    const { senders } = checkBlock(fetched(dir, row), crypto, { count: 3, seed: 1 }, ['senders']);
    if (senders !== undefined && !row.block.includes('bittensor')) expect(senders).toEqual({ outcome: 'verified' });
  });
});
