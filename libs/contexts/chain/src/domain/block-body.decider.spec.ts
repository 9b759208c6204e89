import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describeWithFixtures, given } from '#platform/testing';
import { createKeccak256 } from '../adapters/hash-wasm.keccak.ts';
import type { BlockBody } from './block-body.decider.ts';
import { blockBodyDecider, digestOf } from './block-body.decider.ts';
import type { BlockBodyCommand } from './chain.commands.ts';
import type { BlockBodyEvent } from './chain.events.ts';
import { observe } from './observe.ts';
import { jsonBytes } from './oversize.ts';
import { reassembleBody, storedBlock } from './reassemble.ts';
import type { FetchedBlock, Hex, RpcBlock, RpcLog, RpcReceipt, RpcTransaction } from './rpc-types.ts';
import type { Keccak256 } from './verification/crypto.ts';
import { ENFORCE_ALL } from './verification/verification-rules.ts';
import { verifyBlock } from './verification/verify-block.ts';
import type { Decider } from '#platform/kernel';

let keccak256: Keccak256;
let decider: Decider<BlockBody, BlockBodyCommand, BlockBodyEvent>;
beforeAll(async () => {
  keccak256 = await createKeccak256();
  decider = blockBodyDecider(keccak256);
});

const hash = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`;
const address: Hex = `0x${'ab'.repeat(20)}`;
interface Size {
  readonly input?: number;
  readonly logs?: readonly number[];
  readonly accessList?: number;
}

function fetchedOf(sizes: readonly Size[]): FetchedBlock {
  const place = { blockHash: hash(1), blockNumber: '0x7' as Hex };
  const transactions = sizes.map(
    ({ input = 0, accessList = 0 }, index): RpcTransaction => ({
      type: '0x1',
      hash: hash(100 + index),
      transactionIndex: `0x${index.toString(16)}`,
      ...place,
      from: address,
      to: address,
      accessList: Array.from({ length: accessList }, (_, n) => ({ address, storageKeys: [hash(n)] })),
      input: `0x${'5a'.repeat(input)}`,
      value: '0x0',
      note: 'ü€😀"\\ kept',
    }),
  );
  const receipts = sizes.map(({ logs = [] }, index): RpcReceipt => ({
    transactionHash: hash(100 + index),
    transactionIndex: `0x${index.toString(16)}`,
    ...place,
    logs: logs.map((bytes, n): RpcLog => ({ address, topics: [hash(n)], data: `0x${'c3'.repeat(bytes)}`, logIndex: `0x${n.toString(16)}`, removed: false })),
    status: '0x1',
  }));
  const block: RpcBlock = { hash: hash(1), parentHash: hash(0), number: '0x7', timestamp: '0x65920080', transactions };
  return { block, receipts, bytes: 0 };
}

const record = (fetched: FetchedBlock): BlockBodyCommand => ({ type: 'RecordBody', chainId: '1', fetched });
const stateAfter = (events: readonly BlockBodyEvent[]): BlockBody => events.reduce(decider.evolve, decider.initialState());
const decide = (fetched: FetchedBlock, events: readonly BlockBodyEvent[] = []): readonly BlockBodyEvent[] => decider.decide(record(fetched), stateAfter(events), { now: 0 });
/** As it is written and read again. */
const stored = (events: readonly BlockBodyEvent[]): readonly BlockBodyEvent[] => JSON.parse(JSON.stringify(events)) as BlockBodyEvent[];

function expectWhole(fetched: FetchedBlock, events: readonly BlockBodyEvent[]): void {
  const body = reassembleBody(stored(events));
  expect(JSON.stringify(body.transactions.map(({ transaction }) => transaction))).toBe(JSON.stringify(fetched.block.transactions));
  expect(JSON.stringify(body.transactions.map(({ receipt }) => receipt))).toBe(JSON.stringify(fetched.receipts));
  expect(body.completed).toEqual({ count: fetched.block.transactions.length, digest: digestOf(fetched.block.transactions, keccak256) });
}

describe('the body of a block', () => {
  it('is an event for each transaction, and one that says it is whole', () => {
    const fetched = fetchedOf([{}, { logs: [32] }]);
    const [first, second] = fetched.block.transactions;
    const common = { chainId: '1', blockNumber: 7, blockHash: hash(1) };
    const occurredAt = '2024-01-01T00:00:00.000Z';
    given(decider, [])
      .when(record(fetched))
      .then([
        { type: 'TxFetched', data: { ...common, index: 0, kind: 'transfer', transaction: first!, receipt: fetched.receipts![0]! }, occurredAt, naturalKey: hash(100) },
        { type: 'TxFetched', data: { ...common, index: 1, kind: 'transfer', transaction: second!, receipt: fetched.receipts![1]! }, occurredAt, naturalKey: hash(101) },
        { type: 'BlockCompleted', data: { ...common, count: 2, digest: digestOf([first!, second!], keccak256) }, occurredAt, naturalKey: hash(1) },
      ]);
  });

  it('has no events when it is empty, and none a second time', () => {
    given(decider, []).when(record(fetchedOf([]))).then([]);
    const fetched = fetchedOf([{}, {}]);
    given(decider, [...decide(fetched)]).when(record(fetched)).then([]);
  });

  it('is kept without receipts where the chain is captured without', () => {
    const events = decide({ ...fetchedOf([{}]), receipts: undefined });
    expect(events[0]!.data).not.toHaveProperty('receipt');
  });

  it('is not continued with other transactions under the same hash', () => {
    const begun = decide(fetchedOf([{}, {}])).slice(0, 1);
    const { block, receipts } = fetchedOf([{}, {}]);
    const other = { ...block, transactions: block.transactions.map((transaction) => ({ ...transaction, hash: hash(999) })) };
    given(decider, [...begun]).when(record({ block: other, receipts, bytes: 0 })).thenThrows('body-differs', { index: 0 });
  });

  it('goes on from any place where a crash left it, whoever answers now', () => {
    const fetched = fetchedOf([{}, { input: 300_000, logs: [10, 900_000, 500] }, { accessList: 3_000 }, {}]);
    const another = {
      ...fetched,
      block: { ...fetched.block, transactions: fetched.block.transactions.map((transaction) => ({ ...transaction, blockTimestamp: '0x65920080' })) },
    };
    const all = decide(fetched);
    expect(all.length).toBeGreaterThan(12);
    for (let written = 0; written <= all.length; written += 1) {
      const events = [...all.slice(0, written), ...decide(fetched, all.slice(0, written))];
      expectWhole(fetched, events);
      const rest = decide(another, all.slice(0, written));
      expect(rest.map(({ type }) => type)).toEqual(all.slice(written).map(({ type }) => type));
      const body = reassembleBody([...all.slice(0, written), ...rest]);
      expect(body.transactions[1]!.transaction.input).toBe(fetched.block.transactions[1]!.input);
      expect(body.transactions[1]!.receipt!.logs).toEqual(fetched.receipts![1]!.logs);
    }
  });
});

describe('a transaction that is too large for one event', () => {
  it('is finished by an answer that has the fields in another order', () => {
    const fetched = fetchedOf([{ accessList: 4_000 }]);
    const turned = {
      ...fetched,
      block: { ...fetched.block, transactions: fetched.block.transactions.map(({ accessList, ...rest }) => ({ accessList: (accessList as object[]).map((entry) => Object.fromEntries(Object.entries(entry).reverse())), ...rest })) },
    } as FetchedBlock;
    const begun = decide(fetched).slice(0, 6);
    const [whole] = reassembleBody(stored([...begun, ...decide(turned, begun)])).transactions;
    expect(whole!.transaction['accessList']).toEqual(fetched.block.transactions[0]!['accessList']);
  });

  const LIMIT = 256 * 1024;

  it('is continued, and comes back to the letter: 21 MB of logs, input of 2 MB, one log of 5 MB', () => {
    for (const sizes of [
      [{ logs: Array.from({ length: 1_200 }, () => 8_500) }],
      [{ input: 1_000_000 }],
      [{ logs: [100, 2_500_000, 100] }],
      [{ logs: Array.from({ length: 40_000 }, () => 0) }],
      [{ accessList: 20_000, input: 500_000, logs: [400_000] }],
    ] satisfies Size[][]) {
      const fetched = fetchedOf(sizes);
      const events = decide(fetched);
      expect(Math.max(...events.map(jsonBytes))).toBeLessThan(LIMIT);
      expectWhole(fetched, events);
    }
  });

  it('never makes an event of 256 KB, whatever its shape', () => {
    const size = fc.record({ input: fc.nat(200_000), logs: fc.array(fc.nat(150_000), { maxLength: 12 }), accessList: fc.nat(2_500) });
    fc.assert(
      fc.property(fc.array(size, { maxLength: 3 }), (sizes) => {
        const fetched = fetchedOf(sizes);
        const events = decide(fetched);
        for (const event of events) expect(jsonBytes(event)).toBeLessThan(LIMIT);
        if (sizes.length > 0) expectWhole(fetched, events);
      }),
      { numRuns: 40 },
    );
  });

  it('counts bytes as UTF-8 does', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => expect(jsonBytes(value)).toBe(Buffer.byteLength(JSON.stringify(value)))));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => expect(jsonBytes(value)).toBe(Buffer.byteLength(JSON.stringify(value)))));
  });
});

describeWithFixtures('what was stored of real blocks', (fixtures) => {
  const dir = join(fixtures, 'evm-blocks');
  const load = <T>(name: string): T => JSON.parse(readFileSync(join(dir, name), 'utf8')) as T;

  it.each(['ethereum/18090206', 'ethereum/18090213', 'squid-sdk/ethereum/18000000', 'squid-sdk/ethereum/1000000', 'squid-sdk/optimism/154497277'])('%s verifies again from events alone', (name) => {
    const fetched: FetchedBlock = { block: load<RpcBlock>(`${name}.block.json`), receipts: load<RpcReceipt[]>(`${name}.receipts.json`), bytes: 0 };
    const rules = name.includes('optimism') ? ({ ...ENFORCE_ALL, withdrawals: 'unverifiable' } as const) : ENFORCE_ALL;
    const verification = verifyBlock(fetched, rules, { keccak256 });
    const observed = JSON.parse(JSON.stringify(observe('1', fetched, verification))) as ReturnType<typeof observe>;
    const events = decide(fetched);
    expectWhole(fetched, events);
    for (const event of events) expect(jsonBytes(event)).toBeLessThan(256 * 1024);
    const again = storedBlock(observed, reassembleBody(stored(events)));
    expect(verifyBlock(again, rules, { keccak256 })).toEqual(verification);
    expect({ ...again.block, transactions: [] }).toEqual({ ...fetched.block, transactions: [] });
  });

  it('finds what was changed in the store', () => {
    const fetched: FetchedBlock = { block: load<RpcBlock>('ethereum/18090206.block.json'), receipts: load<RpcReceipt[]>('ethereum/18090206.receipts.json'), bytes: 0 };
    const observed = observe('1', fetched, verifyBlock(fetched, ENFORCE_ALL, { keccak256 }));
    const body = reassembleBody(decide(fetched));
    const transactions = body.transactions.map((one, index) => (index === 3 ? { ...one, transaction: { ...one.transaction, value: '0x1' } } : one));
    expect(() => verifyBlock(storedBlock(observed, { ...body, transactions }), ENFORCE_ALL, { keccak256 })).toThrow('does not recompute');
    expect(() => verifyBlock(storedBlock(observed, { ...body, transactions: body.transactions.slice(1) }), ENFORCE_ALL, { keccak256 })).toThrow('does not recompute');
  });
});
