import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithFixtures } from '#platform/testing';
import { BlockShapeInvalid } from './chain.errors.ts';
import { normaliseBlock, normaliseHeader, normaliseReceipts } from './normalise.ts';
import { blockTime, kindOf, observe } from './observe.ts';
import type { Hex, RpcBlock, RpcTransaction } from './rpc-types.ts';

type Json = Record<string, unknown>;
const word = (digit: string): Hex => `0x${digit.repeat(64)}`;
const address = (digit: string): Hex => `0x${digit.repeat(40)}`;
const transaction = (over: Json = {}): Json => ({ hash: word('1'), blockHash: word('a'), blockNumber: '0x10', transactionIndex: '0x0', from: address('2'), to: address('3'), input: '0x', ...over });
const block = (over: Json = {}, transactions: unknown[] = [transaction()]): Json => ({ hash: word('a'), parentHash: word('b'), number: '0x10', timestamp: '0x64', transactions, ...over });
const log = (over: Json = {}): Json => ({ address: address('2'), topics: [word('c')], data: '0x00', ...over });
const receipt = (over: Json = {}): Json => ({ transactionHash: word('1'), blockHash: word('a'), transactionIndex: '0x0', logs: [log()], ...over });
const refusal = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    if (error instanceof BlockShapeInvalid) return [error.code, error.facts['path']];
    throw error;
  }
  return 'accepted';
};
const invalid = (path: string): unknown[] => ['node-answer-invalid', path];

describe('a block at the edge', () => {
  it('is written in lower case, and otherwise kept to the letter, unknown fields too', () => {
    const answered = block({ hash: `0x${'A'.repeat(64)}`, miner: `0x${'Ab'.repeat(20)}`, l1BatchNumber: null, extra: { deep: ['0XAB', 'Hello', '0xHello', 1, true] } });
    const expected = block({ miner: `0x${'ab'.repeat(20)}`, l1BatchNumber: null, extra: { deep: ['0xab', 'Hello', '0xHello', 1, true] } });
    expect(normaliseBlock(answered)).toEqual(expected);
  });

  it.each([
    ['null', null, 'block'],
    ['a list', [], 'block'],
    ['text', '0x', 'block'],
    ['no hash', block({ hash: undefined }), 'block.hash'],
    ['a short hash', block({ hash: '0xaa' }), 'block.hash'],
    ['a hash that is a number', block({ hash: 7 }), 'block.hash'],
    ['a hash of other letters', block({ hash: word('g') }), 'block.hash'],
    ['no parent', block({ parentHash: null }), 'block.parentHash'],
    ['a number beyond 2^53', block({ number: '0x20000000000000' }), 'block.number'],
    ['a decimal number', block({ number: '16' }), 'block.number'],
    ['an empty quantity', block({ number: '0x' }), 'block.number'],
    ['no timestamp', block({ timestamp: undefined }), 'block.timestamp'],
    ['no transactions', block({ transactions: undefined }), 'block.transactions'],
    ['transactions null', block({ transactions: null }), 'block.transactions'],
    ['hashes in place of transactions', block({}, [word('1')]), 'block.transactions[0]'],
    ['a transaction null', block({}, [null]), 'block.transactions[0]'],
    ['a transaction of another block', block({}, [transaction({ blockHash: word('f') })]), 'block.transactions[0].blockHash'],
    ['a transaction of another number', block({}, [transaction({ blockNumber: '0x11' })]), 'block.transactions[0].blockNumber'],
    ['a transaction out of order', block({}, [transaction({ transactionIndex: '0x1' })]), 'block.transactions[0].transactionIndex'],
    ['an empty receiver', block({}, [transaction({ to: '' })]), 'block.transactions[0].to'],
    ['a receiver of no bytes', block({}, [transaction({ to: '0x' })]), 'block.transactions[0].to'],
    ['no sender', block({}, [transaction({ from: null })]), 'block.transactions[0].from'],
    ['half a byte of input', block({}, [transaction({ input: '0x0' })]), 'block.transactions[0].input'],
    ['no input', block({}, [transaction({ input: undefined })]), 'block.transactions[0].input'],
  ])('is refused with %s', (_what, answered, path) => {
    expect(refusal(() => normaliseBlock(answered))).toEqual(invalid(path));
  });

  it('takes types of unknown shape as they are', () => {
    const batch = transaction({ type: '0x76', calls: [{ to: address('3'), input: '0x' }] });
    delete batch['input'];
    delete batch['to'];
    expect(refusal(() => normaliseBlock(block({}, [batch])))).toBe('accepted');
  });

  it('is refused when it is nested without end, and is not fooled by the names of prototypes', () => {
    const deep = JSON.parse('{"x":'.repeat(2_000) + '1' + '}'.repeat(2_000)) as Json;
    expect(refusal(() => normaliseHeader(block({ deep })))).toEqual(invalid('block'));
    const named = JSON.parse(JSON.stringify(block()).replace('{', '{"__proto__":"0xAB",')) as Json;
    expect(JSON.stringify(normaliseHeader(named))).toContain('"__proto__":"0xab"');
  });
});

describe('receipts at the edge', () => {
  const whole = normaliseBlock(block());
  it.each([
    ['null', null, 'receipts'],
    ['one too few', [], 'receipts'],
    ['one too many', [receipt(), receipt()], 'receipts'],
    ['one that is null', [null], 'receipts[0]'],
    ['one of another transaction', [receipt({ transactionHash: word('9') })], 'receipts[0].transactionHash'],
    ['one of another block', [receipt({ blockHash: word('9') })], 'receipts[0].blockHash'],
    ['one of another place', [receipt({ transactionIndex: '0x1' })], 'receipts[0].transactionIndex'],
    ['no logs', [receipt({ logs: null })], 'receipts[0].logs'],
    ['a log null', [receipt({ logs: [null] })], 'receipts[0].logs[0]'],
    ['a log without an address', [receipt({ logs: [log({ address: '0x' })] })], 'receipts[0].logs[0].address'],
    ['a log without data', [receipt({ logs: [log({ data: undefined })] })], 'receipts[0].logs[0].data'],
    ['a short topic', [receipt({ logs: [log({ topics: ['0x1'] })] })], 'receipts[0].logs[0].topics'],
  ])('are refused with %s', (_what, answered, path) => {
    expect(refusal(() => normaliseReceipts(answered, whole))).toEqual(invalid(path));
  });

  it('may be in upper case', () => {
    const answered = [receipt({ blockHash: `0x${'A'.repeat(64)}`, logs: [log({ data: '0xAB' })] })];
    expect(normaliseReceipts(answered, whole)).toEqual([receipt({ logs: [log({ data: '0xab' })] })]);
  });
});

describe('the kind of a transaction', () => {
  const of = (over: Json, receiptOver?: Json): string => kindOf(transaction(over) as unknown as RpcTransaction, receiptOver === undefined ? undefined : (receipt(receiptOver) as never));
  it('is deploy without a receiver, call with input, transfer without', () => {
    expect(of({ to: null, input: '0x60' })).toBe('deploy');
    expect(of({ to: undefined, input: '0x60' })).toBe('deploy');
    expect(of({ to: null, input: '0x' })).toBe('deploy');
    expect(of({ input: '0x00' })).toBe('call');
    expect(of({ input: '0x' })).toBe('transfer');
  });
  it('of an unknown shape is deploy only when a contract came of it', () => {
    expect(of({ type: '0x76', to: undefined, input: undefined }, { contractAddress: null })).toBe('call');
    expect(of({ type: '0x76', to: undefined, input: undefined }, { contractAddress: address('4') })).toBe('deploy');
  });
});

describe('what a chain remembers of a block', () => {
  it('is all but the body', () => {
    const whole = normaliseBlock(block({ odd: 'kept' }, [transaction(), transaction({ hash: word('2'), transactionIndex: '0x1', to: null, input: '0x60' })]));
    expect(observe('1', { block: whole, receipts: undefined, bytes: 9 }, { header: 'verified' })).toEqual({
      chainId: '1',
      number: 16,
      hash: word('a'),
      parentHash: word('b'),
      header: { hash: word('a'), parentHash: word('b'), number: '0x10', timestamp: '0x64', odd: 'kept' },
      transactionCount: 2,
      kinds: { transfer: 1, call: 0, deploy: 1 },
      verification: { header: 'verified' },
      receipts: false,
    });
  });
  it('has the time of the block, where that is a time', () => {
    expect(blockTime('0x65920080')).toBe('2024-01-01T00:00:00.000Z');
    expect(blockTime('0xffffffffffff')).toBeUndefined();
    expect(blockTime(`0x${'f'.repeat(64)}`)).toBeUndefined();
  });
});

describeWithFixtures('answers of real nodes', (fixtures) => {
  const dir = join(fixtures, 'evm-blocks');
  const files = ['ethereum', 'optimism', 'squid-sdk/tempo-mainnet', 'squid-sdk/stable-testnet', 'squid-sdk/bittensor-testnet', 'squid-sdk/ethereum', 'squid-sdk/optimism']
    .flatMap((folder) => readdirSync(join(dir, folder)).map((name) => join(folder, name)))
    .filter((name) => name.endsWith('.block.json'));

  it.each(files)('%s passes with nothing lost or changed', (name) => {
    const text = readFileSync(join(dir, name), 'utf8');
    const json = JSON.parse(text) as Json;
    if (!Array.isArray(json['transactions'])) json['transactions'] = [];
    const before = JSON.stringify(json);
    const normalised: RpcBlock = normaliseBlock(json);
    expect(JSON.stringify(normalised).toLowerCase()).toBe(before.toLowerCase());
    expect(JSON.stringify(normalised)).not.toMatch(/"0x[0-9a-f]*[A-F]/);
  });
});
