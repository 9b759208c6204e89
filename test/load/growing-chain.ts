import { computeAddress, keccak256 as hashOf, toBeHex } from 'ethers';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import type { Hex, RpcBlock, RpcReceipt, RpcTransaction } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import type { Keccak256 } from '../../libs/contexts/chain/src/domain/verification/crypto.ts';
import { hexOf } from '../../libs/contexts/chain/src/domain/verification/hex.ts';
import { RlpWriter } from '../../libs/contexts/chain/src/domain/verification/rlp.ts';
import { writeSigningPayload, writeTransaction } from '../../libs/contexts/chain/src/domain/verification/transaction-encoding.ts';
import { orderedTrieRoot } from '../../libs/contexts/chain/src/domain/verification/trie.ts';
import { generateChain, headerHash } from './generated-chain.ts';
import { FIRST_NUMBER, LazyChain } from './lazy-chain.ts';
import { QUICK, quickSignature } from './quick-signature.ts';
import type { RecordedBlock } from './recorded-chain.ts';
import { type Place, TextTemplate } from './text-template.ts';

export interface Growing {
  readonly seed: number;
  readonly blocks: number;
  readonly transactionsPerBlock: number;
  readonly logsPerCall?: number;
  /** Left out: some hundred. */
  readonly recipient?: Hex;
}

type Transaction = RpcTransaction & { nonce: Hex; from: Hex; s: Hex };

const CHAIN_ID = 424242n;
const MOST_TEMPLATES = 40;
const MOST_SIGNED = 2_000;
const SENDERS = 500;
/** So that every nonce is as long as any other. */
const FIRST_NONCE = 0x10000000;
const FIRST_TIME = 0x60000000;
const SECONDS_PER_BLOCK = 3;
const WORD = 32;
const writer = new RlpWriter();

/**
 * A long chain of which everything recomputes and no transaction comes twice: each has a nonce, a signature and a hash
 * of its own, by one of some hundred senders. What calls emit comes again. Made once in full (some 20 µs a transaction),
 * of which hashes and signatures stay in memory; a block's text is put together when it is asked for.
 */
export async function growingChain(options: Growing): Promise<LazyChain> {
  const { seed, blocks, transactionsPerBlock: perBlock } = options;
  const keccak256 = await createKeccak256();
  const count = Math.min(MOST_TEMPLATES, Math.floor(MOST_SIGNED / Math.max(1, perBlock)));
  const patterns = await generateChain({ seed, blocks: count + 1, transactionsPerBlock: perBlock, chainId: CHAIN_ID, ...(options.logsPerCall !== undefined && { logsPerCall: options.logsPerCall }) });
  const templates = patterns.blocks().slice(1).map((block) => template(block, options));
  const genesis = patterns.at(0) as RecordedBlock;
  const senders = Array.from({ length: SENDERS }, (_, n) => senderOf(seed, n));
  const [hashes, roots, stored] = [Buffer.alloc(blocks * WORD), Buffer.alloc(blocks * WORD), Buffer.alloc(blocks * perBlock * 2 * WORD)];
  let parentHash: string = genesis.hash;
  for (let place = 0; place < blocks; place += 1) {
    const { header, transactions } = templates[place % count] as (typeof templates)[number];
    for (const [index, transaction] of transactions.entries()) {
      const { key, address } = senders[senderAt(place, index)] as (typeof senders)[number];
      Object.assign(transaction, { nonce: hex(FIRST_NONCE + place * perBlock + index), from: address });
      transaction.s = quickSignature(signingHash(transaction, keccak256), key);
      stored.write(transaction.s.slice(2), (place * perBlock + index) * 2 * WORD, 'hex');
    }
    const transactionsRoot = rootOf(transactions, keccak256, (index, hash) => stored.set(hash, ((place * perBlock + index) * 2 + 1) * WORD));
    parentHash = headerHash({ ...header, ...placed(place), parentHash, transactionsRoot, stateRoot: transactionsRoot }, { keccak256 });
    hashes.write(parentHash.slice(2), place * WORD, 'hex');
    roots.write(transactionsRoot.slice(2), place * WORD, 'hex');
  }
  const word = (from: Buffer, at: number): string => `0x${from.toString('hex', at * WORD, (at + 1) * WORD)}`;
  return new LazyChain(CHAIN_ID, genesis, hashes, (place, hash, parent) => {
    const { number, timestamp } = placed(place);
    const values = [hash, number, parent, timestamp, word(roots, place)];
    for (let index = 0; index < perBlock; index += 1) {
      const at = place * perBlock + index;
      values.push(hex(FIRST_NONCE + at), (senders[senderAt(place, index)] as (typeof senders)[number]).address, word(stored, at * 2), word(stored, at * 2 + 1));
    }
    const { block, receipts } = templates[place % count] as (typeof templates)[number];
    return { block: block.filled(values), receipts: receipts.filled(values) };
  });
}

/** A block with marks where each copy differs. What calls emit is bound by the receipts root, which so stays as it is. */
function template(made: RecordedBlock, { recipient }: Growing) {
  const [block, receipts] = [JSON.parse(made.block.toString()) as RpcBlock, JSON.parse(made.receipts.toString()) as RpcReceipt[]];
  const [hash, parentHash, root] = [mark('b'), mark('c'), mark('d')];
  const place = { blockHash: hash, blockNumber: placed(0).number };
  const transactions = block.transactions.map((transaction, index): Transaction => {
    // The address of a deployed contract would follow from the nonce: a call instead.
    const to = recipient ?? transaction.to ?? someone('e', index);
    const own = { hash: mark('1', index), s: mark('2', index), nonce: hex(FIRST_NONCE + index), from: someone('f', index), to };
    return { ...transaction, ...own, ...QUICK, ...place };
  });
  const told = receipts.map((receipt, index) => {
    const { hash: transactionHash, from, to } = transactions[index] as Transaction;
    return { ...receipt, transactionHash, from, to, contractAddress: null, ...place, logs: receipt.logs.map((log) => ({ ...log, transactionHash, ...place })) };
  });
  const header = { ...block, ...placed(0), hash, parentHash, transactionsRoot: root, stateRoot: root, transactions: [] };
  const places: Place[] = [
    { value: hash },
    { value: header.number, under: ['number', 'blockNumber'] },
    { value: parentHash },
    { value: header.timestamp, under: ['timestamp'] },
    { value: root },
    ...transactions.flatMap((transaction) => [{ value: transaction.nonce, under: ['nonce'] }, { value: transaction.from }, { value: transaction.s }, { value: transaction.hash }]),
  ];
  return { header, transactions, block: new TextTemplate(JSON.stringify({ ...header, transactions }), places), receipts: new TextTemplate(JSON.stringify(told), places) };
}

/** Stays out of the way of every other text of a block. */
function mark(sort: string, index = 0): Hex {
  return `0x${sort.repeat(56)}${index.toString(16).padStart(8, '0')}`;
}

function someone(sort: string, index: number): Hex {
  return `0x${sort.repeat(32)}${index.toString(16).padStart(8, '0')}`;
}

function placed(place: number): { readonly number: Hex; readonly timestamp: Hex } {
  return { number: hex(FIRST_NUMBER + place), timestamp: hex(FIRST_TIME + place * SECONDS_PER_BLOCK) };
}

function senderOf(seed: number, n: number): { readonly key: bigint; readonly address: Hex } {
  const key = hashOf(toBeHex(seed * 1_000_000 + n + 1, WORD));
  return { key: BigInt(key), address: computeAddress(key).toLowerCase() as Hex };
}

/** Spread, so that the rows of an address lie far apart. */
function senderAt(place: number, index: number): number {
  return (place * 31 + index * 17) % SENDERS;
}

function signingHash(transaction: RpcTransaction, keccak256: Keccak256): Uint8Array {
  writer.reset();
  writeSigningPayload(writer, transaction);
  return keccak256(writer.since(0));
}

/** `each` gets the hash of every transaction. */
function rootOf(transactions: readonly RpcTransaction[], keccak256: Keccak256, each: (index: number, hash: Uint8Array) => void): Hex {
  writer.reset();
  const write = (index: number): void => {
    const before = writer.size;
    writeTransaction(writer, transactions[index] as RpcTransaction, 2);
    each(index, keccak256(writer.since(before)));
  };
  return hexOf(orderedTrieRoot(writer, transactions.length, write, keccak256));
}

function hex(value: number): Hex {
  return `0x${value.toString(16)}`;
}
