import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import type { RpcBlock } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import { headerHash } from './generated-chain.ts';
import { FIRST_NUMBER, LazyChain } from './lazy-chain.ts';
import { recordBlock } from './recorded-chain.ts';
import { TextTemplate } from './text-template.ts';

/** Those of the fixtures that have their receipts: 133 to 150 transactions, 558 to 954 KB. */
const RECORDED = ['18090206', '18090213', '18090218'];
const FIRST_TIME = 0x64fb0000;

/**
 * Real blocks of mainnet again and again, as one long chain in which everything recomputes: number, time, parent and so
 * the block's hash are put in, the bodies and their roots are as they were. Their transactions therefore come again.
 */
export async function mainnetChain(fixtures: string, blocks: number): Promise<LazyChain> {
  const folder = join(fixtures, 'evm-blocks', 'ethereum');
  const crypto = { keccak256: await createKeccak256() };
  const genesis = recordBlock(resultOf(join(folder, '0.block.json')), []);
  const sources = RECORDED.map((name) => {
    const block = resultOf(join(folder, `${name}.block.json`));
    const { hash, parentHash, number, timestamp, transactions: _, ...rest } = block;
    const places = [{ value: hash }, { value: number, under: ['number', 'blockNumber'] }, { value: parentHash, under: ['parentHash'] }, { value: timestamp, under: ['timestamp'] }];
    return {
      header: { ...rest, transactions: [] },
      block: new TextTemplate(JSON.stringify(block), places),
      receipts: new TextTemplate(JSON.stringify(resultOf(join(folder, `${name}.receipts.json`))), places),
    };
  });
  const source = (place: number): (typeof sources)[number] => sources[place % sources.length] as (typeof sources)[number];
  const [number, timestamp] = [(place: number): string => hex(FIRST_NUMBER + place), (place: number): string => hex(FIRST_TIME + place * 12)];
  const hashes = Buffer.alloc(blocks * 32);
  let parentHash: string = genesis.hash;
  for (let place = 0; place < blocks; place += 1) {
    parentHash = headerHash({ ...source(place).header, parentHash, number: number(place), timestamp: timestamp(place) }, crypto);
    hashes.write(parentHash.slice(2), place * 32, 'hex');
  }
  return new LazyChain(1n, genesis, hashes, (place, hash, parent) => {
    const values = [hash, number(place), parent, timestamp(place)];
    return { block: source(place).block.filled(values), receipts: source(place).receipts.filled(values) };
  });
}

function resultOf(path: string): Record<string, unknown> & RpcBlock {
  const parsed = JSON.parse(readFileSync(path, 'utf8')) as { result?: RpcBlock };
  return (parsed.result ?? parsed) as Record<string, unknown> & RpcBlock;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
