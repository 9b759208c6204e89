import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describeWithFixtures } from '#platform/testing';
import { blocksOf } from '../../../../../../test/recorded/rlp-blocks.ts';
import { recoverSender } from '../../adapters/noble.recover-sender.ts';
import { createKeccak256 } from '../../adapters/hash-wasm.keccak.ts';
import { BlockMismatch } from '../chain.errors.ts';
import type { FetchedBlock, RpcBlock, RpcReceipt, RpcTransaction } from '../rpc-types.ts';
import type { VerificationCrypto } from './crypto.ts';
import { bytesOf, hexOf } from './hex.ts';
import { RlpWriter } from './rlp.ts';
import { typeOf, writeTransaction } from './transaction-encoding.ts';
import { ENFORCE_ALL, probeRules } from './verification-rules.ts';
import { checkBlock, verifyBlock } from './verify-block.ts';

let crypto: VerificationCrypto;
beforeAll(async () => {
  crypto = { keccak256: await createKeccak256(), recoverSender };
});

const json = <T>(file: string): T => {
  const parsed = JSON.parse(readFileSync(file, 'utf8')) as { result?: T };
  return parsed.result ?? (parsed as T);
};
const whole = (dir: string, name: string): FetchedBlock => ({
  block: json<RpcBlock>(join(dir, `${name}.block.json`)),
  receipts: json<readonly RpcReceipt[]>(join(dir, `${name}.receipts.json`)),
  bytes: 0,
});

function mismatchOf(fetched: FetchedBlock): { part: unknown; field: unknown } {
  try {
    verifyBlock(fetched, ENFORCE_ALL, crypto);
  } catch (error) {
    if (error instanceof BlockMismatch) return { part: error.facts['part'], field: error.facts['field'] };
    throw error;
  }
  return { part: 'none', field: 'none' };
}

describe('verification', () => {
  it('hashes as Ethereum does', () => {
    expect(hexOf(crypto.keccak256(new Uint8Array()))).toBe('0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
  });
});

describeWithFixtures('answers with one thing falsified (op-service)', (fixtures) => {
  const dir = join(fixtures, 'evm-blocks/op-service/blocks');
  const refused: Record<string, { part: string; field: unknown }> = {
    'post-shanghai-bad-receipts-hash': { part: 'header', field: 'hash' },
    'post-shanghai-bad-transactions-hash': { part: 'header', field: 'hash' },
    'post-shanghai-bad-transactions-nil': { part: 'transactions', field: 'transactions[0]' },
    'post-shanghai-bad-transactions': { part: 'transactions', field: expect.stringMatching(/^transactions/) },
    'post-shanghai-bad-withdrawals-hash': { part: 'header', field: 'hash' },
    'post-shanghai-bad-withdrawals-nil': { part: 'withdrawals', field: 'withdrawals[0]' },
    'post-shanghai-bad-withdrawals': { part: 'withdrawals', field: expect.stringMatching(/^withdrawals/) },
    'pre-shanghai-bad-receipts-hash': { part: 'header', field: 'hash' },
    'pre-shanghai-bad-transactions-hash': { part: 'header', field: 'hash' },
    'pre-shanghai-bad-transactions': { part: 'transactions', field: expect.stringMatching(/^transactions/) },
    'post-shanghai-success': { part: 'none', field: 'none' },
    'pre-shanghai-success': { part: 'none', field: 'none' },
  };

  it('covers every file of the folder', () => {
    const names = readdirSync(dir).filter((name) => name.endsWith('_data.json'));
    expect(names.map((name) => name.replace('_data.json', '')).sort()).toEqual(Object.keys(refused).sort());
  });

  it.each(Object.entries(refused))('%s fails in the check it should', (name, expected) => {
    const block = json<RpcBlock>(join(dir, `${name}_data.json`));
    const fetched = { block, receipts: undefined, bytes: 0 };
    const report = checkBlock(fetched, crypto)[expected.part as 'header'];
    if (expected.part !== 'none') expect(report).toMatchObject({ outcome: 'mismatched', field: expected.field });
    // The first part that fails is told of; where the header is not the one that was asked for, its transactions say so too.
    expect(mismatchOf(fetched).part === 'none').toBe(expected.part === 'none');
  });

  it('refuses falsified headers alone', () => {
    const headers = join(fixtures, 'evm-blocks/op-service/headers');
    for (const name of readdirSync(headers).filter((file) => file.endsWith('_data.json'))) {
      const block = json<RpcBlock>(join(headers, name));
      const { fail = false } = json<{ fail?: boolean }>(join(headers, name.replace('_data', '_metadata')));
      const { header } = checkBlock({ block: { ...block, transactions: [] }, receipts: undefined, bytes: 0 }, crypto, undefined, ['header']);
      expect([name, header?.outcome]).toEqual([name, fail ? 'mismatched' : 'verified']);
    }
  });
});

describeWithFixtures('the chain of execution-apis, every fork from Frontier to Osaka', (fixtures) => {
  const dir = join(fixtures, 'execution-apis');
  const blocks = blocksOf(join(dir, 'chain.rlp'));

  it('recomputes in all 54 blocks, with the senders of all types', () => {
    const types = new Set<number>();
    for (const fetched of blocks) {
      const verdicts = verifyBlock(fetched, ENFORCE_ALL, crypto, { count: 2, seed: Number(fetched.block.number) });
      expect([...new Set(Object.values(verdicts))]).toEqual(['verified']);
      fetched.block.transactions.forEach((transaction) => types.add(typeOf(transaction)));
    }
    expect(blocks).toHaveLength(54);
    expect([...types].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('recomputes the receipts that a node answered in the recorded conversations', () => {
    const receipts = readdirSync(join(dir, 'eth_getBlockReceipts')).flatMap((name) =>
      readFileSync(join(dir, 'eth_getBlockReceipts', name), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('<< '))
        .map((line) => (JSON.parse(line.slice(3)) as { result?: RpcReceipt[] }).result ?? []),
    );
    const answered = receipts.filter((list) => list.length > 0);
    expect(answered.length).toBeGreaterThanOrEqual(3);
    for (const list of answered) {
      const block = blocks.find(({ block: { hash } }) => hash === list[0]!.blockHash)!.block;
      expect(checkBlock({ block, receipts: list, bytes: 0 }, crypto).receipts).toEqual({ outcome: 'verified' });
    }
  });
});

describeWithFixtures('blocks of other files of the fixtures', (fixtures) => {
  it.each(['besu-fork/common', 'besu-fork/fork-outdated', 'besu-fork/fork-upgraded', 'besu-mainnet/1000', 'besu-mainnet/block_4400000', 'besu-mainnet/block_4400001', 'besu-mainnet/block_4400002', 'besu-mainnet/badpow'])(
    '%s recomputes',
    (name) => {
      for (const fetched of blocksOf(join(fixtures, 'evm-chains', `${name}.blocks`))) {
        expect(new Set(Object.values(verifyBlock(fetched, ENFORCE_ALL, crypto)))).toEqual(new Set(['verified']));
      }
    },
  );

  it('recomputes the hash of single transactions with odd fields where their index says so', () => {
    const samples = JSON.parse(readFileSync(join(fixtures, 'evm-blocks/odd-fields/samples.json'), 'utf8')) as { samples?: unknown };
    const list = (samples.samples ?? samples) as { kind: string; body: RpcTransaction; hash_recomputes: boolean | null }[];
    const transactions = list.filter(({ kind }) => kind === 'transaction');
    const writer = new RlpWriter();
    const recomputes = transactions.map(({ body }) => {
      writer.rewind(0);
      writeTransaction(writer, { ...body, input: body.input ?? body['data'] }, typeOf(body));
      return hexOf(crypto.keccak256(writer.since(0))) === body.hash;
    });
    expect(recomputes).toEqual(transactions.map(({ hash_recomputes }) => hash_recomputes));
  });
});

describeWithFixtures('one thing changed', (fixtures) => {
  const dir = join(fixtures, 'evm-blocks');

  function changed(fetched: FetchedBlock, path: string, at: number): { fetched: FetchedBlock; from: string; to: string } {
    const copy = structuredClone(fetched) as unknown as Record<string, unknown>;
    const keys = path.split('.');
    const last = keys.pop()!;
    const holder = keys.reduce<Record<string, unknown>>((value, key) => value[key] as Record<string, unknown>, copy);
    const from = holder[last] as string;
    const place = 2 + (at % (from.length - 2));
    const to = from.slice(0, place) + (from[place] === '7' ? '5' : '7') + from.slice(place + 1);
    holder[last] = to;
    return { fetched: copy as unknown as FetchedBlock, from, to };
  }

  it('names what was changed, and what was expected', () => {
    const fetched = whole(dir, 'ethereum/18090218');
    const facts = (path: string): unknown => {
      try {
        verifyBlock(changed(fetched, path, 5).fetched, ENFORCE_ALL, crypto);
      } catch (error) {
        return (error as BlockMismatch).facts['field'];
      }
      return undefined;
    };
    expect(facts('block.stateRoot')).toBe('hash');
    expect(facts('block.transactions.7.value')).toBe('transactions[7].hash');
    expect(facts('block.transactions.7.hash')).toBe('transactions[7].hash');
    expect(facts('block.withdrawals.3.address')).toBe('withdrawalsRoot');
    expect(facts('receipts.4.cumulativeGasUsed')).toBe('receiptsRoot');
    expect(facts('receipts.4.gasUsed')).toBe('receipts[4].gasUsed');
    expect(facts('receipts.4.transactionHash')).toBe('receipts[4].transactionHash');
  });

  it('finds a falsified sender in the sample', () => {
    const fetched = whole(dir, 'squid-sdk/ethereum/1000000');
    const { block } = changed(fetched, 'block.transactions.1.from', 3).fetched;
    expect(checkBlock({ block, receipts: undefined, bytes: 0 }, crypto, { count: 2, seed: 0 }).senders).toMatchObject({ outcome: 'mismatched', field: 'transactions[1].from' });
  });

  it('finds the address of a new contract that does not follow from sender and nonce', () => {
    const fetched = whole(dir, 'ethereum/18090218');
    const transactions = fetched.block.transactions;
    const index = transactions.findIndex(({ to }) => to !== null);
    const receipts = fetched.receipts!.map((receipt, at) => (at === index ? { ...receipt, contractAddress: `0x${'11'.repeat(20)}` } : receipt));
    expect(checkBlock({ ...fetched, receipts }, crypto).receipts).toMatchObject({ field: `receipts[${index}].contractAddress` });
  });
});

describeWithFixtures('rules found by probing (verify: auto)', (fixtures) => {
  const dir = join(fixtures, 'evm-blocks');
  const load = (...names: string[]): FetchedBlock[] =>
    names.map((name) => ({ block: json<RpcBlock>(join(dir, `${name}.block.json`)), receipts: safeReceipts(name), bytes: 0 }));
  const safeReceipts = (name: string): readonly RpcReceipt[] | undefined => {
    try {
      return json<readonly RpcReceipt[]>(join(dir, `${name}.receipts.json`));
    } catch {
      return undefined;
    }
  };

  it('enforces everything on mainnet', () => {
    expect(probeRules(load('ethereum/18090206', 'ethereum/18090213', 'squid-sdk/ethereum/4369999'), crypto)).toEqual(ENFORCE_ALL);
  });

  it('is not moved by a single odd answer', () => {
    const [right, odd] = load('ethereum/18090206', 'ethereum/18090213') as [FetchedBlock, FetchedBlock];
    const falsified = { ...odd, block: { ...odd.block, hash: right.block.hash } };
    expect(probeRules([falsified], crypto)).toEqual(ENFORCE_ALL);
    expect(probeRules([falsified, right], crypto)).toEqual(ENFORCE_ALL);
  });

  it('knows Cronos by its own hashes, but still recovers its senders', () => {
    const rules = probeRules(load(...['10000', '131465', '6541', '6542', '68215', '68216'].map((number) => `squid-sdk/cronos/${number}`)), crypto);
    expect(rules).toEqual({ header: 'unverifiable', transactions: 'unverifiable', receipts: 'unverifiable', withdrawals: 'enforce', senders: 'enforce' });
  });

  it('enforces on Stable and Tempo what recomputes there; types of their own are unverifiable in their blocks only', () => {
    const stable = load('squid-sdk/stable/13683593', 'squid-sdk/stable/14692806');
    expect(probeRules(stable, crypto)).toMatchObject({ header: 'unverifiable', transactions: 'enforce' });
    const [tempo] = load('squid-sdk/tempo-mainnet/17708868') as [FetchedBlock];
    expect(verifyBlock(tempo, { ...ENFORCE_ALL, header: 'unverifiable' }, crypto)).toMatchObject({ header: 'unverifiable', transactions: 'unverifiable', receipts: 'verified' });
  });
});

describe('quantities and data in RLP', () => {
  it('writes what ethers writes, forwards or backwards', async () => {
    const { encodeRlp, toBeHex } = await import('ethers');
    fc.assert(
      fc.property(fc.array(fc.bigInt(0n, 2n ** 256n - 1n), { maxLength: 80 }), fc.uint8Array({ maxLength: 400 }), (numbers, bytes) => {
        const writer = new RlpWriter();
        writer.hexData(hexOf(bytes), 'bytes');
        for (const number of numbers.toReversed()) writer.hexQuantity(`0x${number.toString(16)}`, 'number');
        writer.list(0);
        const expected = encodeRlp([...numbers.map((number) => (number === 0n ? '0x' : toBeHex(number))), hexOf(bytes)]);
        expect(hexOf(writer.since(0))).toBe(expected);
        expect(hexOf(bytesOf(expected))).toBe(expected);
      }),
      { numRuns: 200 },
    );
  });
});
