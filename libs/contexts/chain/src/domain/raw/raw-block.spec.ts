import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChainfoldError } from '#platform/kernel';
import { describeWithFixtures } from '#platform/testing';
import { executionApisChain } from '../../../../../../test/load/execution-apis-chain.ts';
import { generateChain } from '../../../../../../test/load/generated-chain.ts';
import { asciiText } from '../../adapters/ascii-text.ts';
import { recoverSender } from '../../adapters/noble.recover-sender.ts';
import { createKeccak256 } from '../../adapters/hash-wasm.keccak.ts';
import { verifiedBlock } from '../../application/block-check.ts';
import { blockBodyDecider } from '../block-body.decider.ts';
import { normaliseBlock, normaliseReceipts } from '../normalise.ts';
import type { FetchedBlock } from '../rpc-types.ts';
import { ENFORCE_ALL } from '../verification/part-rules.ts';
import type { RawAnswer } from './raw-block.ts';
import { RawBlockReader } from './raw-block.ts';
import { observeRaw, rawBody } from './raw-body.ts';

const CHAIN = '1';
let crypto: { readonly keccak256: Awaited<ReturnType<typeof createKeccak256>>; readonly recoverSender: typeof recoverSender };
let reader: RawBlockReader;

beforeAll(async () => {
  crypto = { keccak256: await createKeccak256(), recoverSender };
  reader = new RawBlockReader(crypto, asciiText);
});

/** What is recorded of a block, as text: undefined where it is not taken. */
function fromBytes(raw: RawAnswer, number: number, sender: boolean): readonly string[] | undefined {
  const block = reader.read(raw, ENFORCE_ALL, number, sender);
  if (block === undefined) return undefined;
  return [JSON.stringify(observeRaw(CHAIN, block)), ...rawBody(CHAIN, block, crypto.keccak256).map(({ json: pieces, ...fact }) => {
    const json = Buffer.concat(pieces.map((piece) => Buffer.from(piece))).toString();
    return JSON.stringify({ ...fact, data: JSON.parse(json) as unknown }) + json;
  })];
}

/** The same by way of objects; undefined where it is refused. */
function fromObjects(raw: RawAnswer, number: number, sender: boolean): readonly string[] | undefined {
  try {
    const block = normaliseBlock(JSON.parse(Buffer.from(raw.block).toString()));
    if (Number(block.number) !== number) return undefined;
    const fetched: FetchedBlock = { block, receipts: normaliseReceipts(JSON.parse(Buffer.from(raw.receipts).toString()), block), bytes: 0 };
    const observed = verifiedBlock(CHAIN, fetched, ENFORCE_ALL, crypto, sender ? 1 : 0);
    const bodies = blockBodyDecider(crypto.keccak256);
    const facts = bodies.decide({ type: 'RecordBody', chainId: CHAIN, fetched }, bodies.initialState(), { now: 0 });
    return [JSON.stringify(observed), ...facts.map(({ type, naturalKey, occurredAt, data }) => JSON.stringify({ type, naturalKey, occurredAt, data }) + JSON.stringify(data))];
  } catch (error) {
    if (error instanceof ChainfoldError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const asBytes = (block: unknown, receipts: unknown): RawAnswer => ({ block: Buffer.from(JSON.stringify(block)), receipts: Buffer.from(JSON.stringify(receipts)) });

/** One character after the other is another one, at every `step`th place. */
function* changed({ block, receipts }: RawAnswer, step: number): Generator<RawAnswer> {
  const replacements = 'a0"9,{z:f';
  for (const part of ['block', 'receipts'] as const) {
    const bytes = { block, receipts }[part];
    for (let at = 0; at < bytes.length; at += step) {
      const instead = replacements.charCodeAt(at % replacements.length);
      if (bytes[at] === instead) continue;
      const copy = Buffer.from(bytes);
      copy[at] = instead;
      yield { block, receipts, [part]: copy };
    }
  }
}

/** Every change is either left to the objects, or they say the very same of it. Gives how many were taken. */
function takenOf(changes: Iterable<RawAnswer>, number: number): number {
  let taken = 0;
  for (const raw of changes) {
    const said = fromBytes(raw, number, false);
    if (said === undefined) continue;
    taken += 1;
    expect(said).toEqual(fromObjects(raw, number, false));
  }
  return taken;
}

describe('a block read from the bytes of its JSON', () => {
  it('is recorded to the letter as by way of objects', async () => {
    for (const block of (await generateChain({ seed: 3, blocks: 6, transactionsPerBlock: 150 })).blocks()) {
      const said = fromBytes(block, block.number, block.number % 2 === 0);
      expect(said).toBeDefined();
      expect(said).toEqual(fromObjects(block, block.number, block.number % 2 === 0));
    }
  });

  it('is not taken where one character is another one, unless nothing binds that character', async () => {
    const block = (await generateChain({ seed: 4, blocks: 2, transactionsPerBlock: 4 })).at(1)!;
    const taken = takenOf(changed(block, 1), block.number);
    // `size`, `gasPrice`, `effectiveGasPrice`, `removed` and names of fields that may be missing.
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan((block.block.length + block.receipts.length) / 10);
  });

  it('takes no hash of a transaction that does not follow from it, though all repeat it', async () => {
    const { block, receipts, number } = (await generateChain({ seed: 4, blocks: 2, transactionsPerBlock: 3 })).at(1)!;
    const { transactions } = JSON.parse(block.toString()) as { transactions: { hash: string }[] };
    const lie = (text: Buffer): Buffer => Buffer.from(text.toString().replaceAll(transactions[1]!.hash, `0x${'ab'.repeat(32)}`));
    expect(fromBytes({ block, receipts }, number, false)).toBeDefined();
    expect(fromBytes({ block: lie(block), receipts: lie(receipts) }, number, false)).toBeUndefined();
  });

  it('leaves to the parser what it would write otherwise, or somewhere else', async () => {
    const { block, receipts, number } = (await generateChain({ seed: 4, blocks: 2, transactionsPerBlock: 3 })).at(1)!;
    const text = block.toString();
    const put = (json: string): string => text.replace('"size":"0x400"', json);
    const odd: Record<string, string> = {
      space: put('"size": "0x400"'),
      'a line break at the end': `${text}\n`,
      'something behind it': `${text.slice(0, -1)}},{}`,
      'an escape': put('"size":"\\u0030x400"'),
      'other than ASCII': put('"size":"ä"'),
      'a control character': put('"size":"\u0001"'),
      'a fraction': put('"size":1.50'),
      'an exponent': put('"size":1e3'),
      'a number above 2^53': put('"size":9007199254740993'),
      'a number below zero': put('"size":-0'),
      'a leading zero': put('"size":01'),
      'a key twice': put('"size":"0x400","size":"0x401"'),
      'a key twice where nobody looks': put('"size":"0x400","extra":{"a":1,"b":{"a":2},"a":3}'),
      'a key that counts': put('"size":"0x400","12":"0x1"'),
      'upper-case hex': put('"size":"0xAB"'),
      'upper-case x': put('"size":"0X12"'),
      'deep nesting': put(`"size":${'['.repeat(40)}${']'.repeat(40)}`),
      'a literal cut short': put('"size":tru'),
      'an open text': text.slice(0, -2),
      nothing: '',
    };
    for (const [name, json] of Object.entries(odd)) expect([name, fromBytes({ block: Buffer.from(json), receipts }, number, false)]).toEqual([name, undefined]);
    expect(fromBytes({ block: Buffer.from(put('"size":"0x400","new":{"a":[true,false,null,12,"Text"]}')), receipts }, number, false)).toBeDefined();
  });

  it('is left to the objects where a part is not enforced, or it is another block than the one asked for', async () => {
    const block = (await generateChain({ seed: 4, blocks: 2, transactionsPerBlock: 3 })).at(1)!;
    expect(reader.read(block, { ...ENFORCE_ALL, receipts: 'unverifiable' }, 1, false)).toBeUndefined();
    expect(reader.read(block, ENFORCE_ALL, 2, false)).toBeUndefined();
  });

  it('survives somebody who makes up the names of fields', async () => {
    const { block, receipts, number } = (await generateChain({ seed: 4, blocks: 2, transactionsPerBlock: 3 })).at(1)!;
    const names = Array.from({ length: 5_000 }, (_, at) => `,"k${at}":1`).join('');
    expect(fromBytes({ block: Buffer.from(`${block.toString().slice(0, -1)}${names}}`), receipts }, number, false)).toBeUndefined();
    expect(fromBytes({ block: Buffer.from(block.toString().replace('"size"', '"another"')), receipts }, number, false)).toBeDefined();
  });
});

describeWithFixtures('real blocks read from the bytes of their JSON', (fixtures) => {
  interface Row {
    readonly block: string;
    readonly receipts: string | null;
  }
  const dir = join(fixtures, 'evm-blocks');
  const rows = (JSON.parse(readFileSync(join(dir, 'INDEX.json'), 'utf8')) as { blocks: Row[] }).blocks;
  const json = (file: string): unknown => {
    const parsed = JSON.parse(readFileSync(join(dir, file), 'utf8')) as { result?: unknown };
    return parsed.result ?? parsed;
  };

  it.each(rows.filter(({ receipts }) => receipts !== null && !receipts.includes('*')).map((row) => [row.block, row] as const))('%s is recorded as by way of objects, or left to them', (_name, { block, receipts }) => {
    const parsed = json(block) as { number: string };
    const raw = asBytes(parsed, json(receipts!));
    const said = fromBytes(raw, Number(parsed.number), true);
    if (said !== undefined) expect(said).toEqual(fromObjects(raw, Number(parsed.number), true));
    if (block.startsWith('ethereum/') && fromObjects(raw, Number(parsed.number), true) !== undefined) expect(said).toBeDefined();
  });

  it('takes every block of the execution-apis chain but the one that must be cut, all types of transactions among them', () => {
    const left: number[] = [];
    for (const block of executionApisChain(fixtures).chain.blocks()) {
      const said = fromBytes(block, block.number, true);
      if (said === undefined) left.push(block.receipts.length);
      else expect(said).toEqual(fromObjects(block, block.number, true));
    }
    expect(left).toEqual([expect.any(Number)]);
    expect(left[0]).toBeGreaterThan(20_000_000);
  });

  it('takes no character for another one, whatever the type of the transaction', () => {
    const types = new Set<string>();
    for (const block of executionApisChain(fixtures).chain.blocks()) {
      const found = (JSON.parse(block.block.toString()) as { transactions: { type: string }[] }).transactions.map(({ type }) => type);
      if (block.block.length + block.receipts.length > 24_000 || found.every((type) => types.has(type))) continue;
      for (const type of found) types.add(type);
      takenOf(changed(block, 7), block.number);
    }
    expect([...types].sort()).toEqual(['0x0', '0x1', '0x2', '0x3', '0x4']);
  });
});
