import { decodeRlp, keccak256, toBeHex, Transaction } from 'ethers';
import { readFileSync } from 'node:fs';
import type { FetchedBlock, Hex, RpcBlock, RpcTransaction } from '../../libs/contexts/chain/src/domain/rpc-types.ts';

/** Blocks that were recorded as RLP, in the JSON form in which a node would answer them. Decoded by ethers, not by the product. */
type Item = string | readonly Item[];

const HEADER = [
  'parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'logsBloom', '#difficulty', '#number', '#gasLimit',
  '#gasUsed', '#timestamp', 'extraData', 'mixHash', 'nonce', '#baseFeePerGas', 'withdrawalsRoot', '#blobGasUsed', '#excessBlobGas',
  'parentBeaconBlockRoot', 'requestsHash',
];
const FEE_MARKET = ['#chainId', '#nonce', '#maxPriorityFeePerGas', '#maxFeePerGas', '#gas', 'to', '#value', 'input', 'accessList'];
const SIGNATURE = ['#yParity', '#r', '#s'];
const TRANSACTION: Record<number, readonly string[]> = {
  0: ['#nonce', '#gasPrice', '#gas', 'to', '#value', 'input', '#v', '#r', '#s'],
  1: ['#chainId', '#nonce', '#gasPrice', '#gas', 'to', '#value', 'input', 'accessList', ...SIGNATURE],
  2: [...FEE_MARKET, ...SIGNATURE],
  3: [...FEE_MARKET, '#maxFeePerBlobGas', 'blobVersionedHashes', ...SIGNATURE],
  4: [...FEE_MARKET, 'authorizationList', ...SIGNATURE],
};

/** Concatenated blocks of one file. */
export function blocksOf(file: string): FetchedBlock[] {
  const bytes = readFileSync(file);
  const blocks: FetchedBlock[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + itemLength(bytes, at);
    blocks.push({ block: blockOf(`0x${bytes.subarray(at, end).toString('hex')}`), receipts: undefined, bytes: end - at });
    at = end;
  }
  return blocks;
}

export function blockOf(rlp: string): RpcBlock {
  const [header, transactions, uncles, withdrawals] = decodeRlp(rlp) as unknown as readonly [Item[], Item[], Item[][], Item[][] | undefined];
  const block = { ...named(HEADER, header), hash: keccak256(encode(header)) } as unknown as RpcBlock;
  return {
    ...block,
    transactions: transactions.map((item, index) => transactionOf(item, block, index)),
    uncles: uncles.map((uncle) => keccak256(encode(uncle))),
    ...(withdrawals === undefined ? {} : { withdrawals: withdrawals.map((item) => named(['#index', '#validatorIndex', 'address', '#amount'], item)) }),
  } as RpcBlock;
}

function transactionOf(item: Item, block: RpcBlock, index: number): RpcTransaction {
  const raw = typeof item === 'string' ? item : encode(item);
  const type = typeof item === 'string' ? Number(item.slice(0, 4)) : 0;
  const fields = (typeof item === 'string' ? decodeRlp(`0x${item.slice(4)}`) : item) as Item[];
  const transaction = named(TRANSACTION[type]!, fields);
  return {
    ...transaction,
    to: transaction['to'] === '0x' ? null : transaction['to'],
    type: toBeHexQuantity(type),
    hash: keccak256(raw) as Hex,
    from: Transaction.from(raw).from!.toLowerCase() as Hex,
    blockHash: block.hash,
    blockNumber: block.number,
    transactionIndex: toBeHexQuantity(index),
  } as unknown as RpcTransaction;
}

function named(fields: readonly string[], items: readonly Item[]): Record<string, unknown> {
  const entries = items.map((item, at): [string, unknown] => {
    const field = fields[at]!;
    if (field === 'accessList') return [field, (item as Item[][]).map(([address, storageKeys]) => ({ address, storageKeys }))];
    if (field === 'authorizationList') return [field, (item as Item[][]).map((one) => named(['#chainId', 'address', '#nonce', ...SIGNATURE], one))];
    return field.startsWith('#') ? [field.slice(1), toBeHexQuantity(item as string)] : [field, item];
  });
  return Object.fromEntries(entries);
}

function toBeHexQuantity(value: string | number): Hex {
  const hex = value === '0x' ? '0x0' : toBeHex(value).replace(/^0x0+(?=.)/, '0x');
  return hex as Hex;
}

function encode(item: Item): string {
  if (typeof item === 'string') {
    const bytes = (item.length - 2) / 2;
    return bytes === 1 && Number(item) < 0x80 ? item : `0x${prefix(bytes, 0x80)}${item.slice(2)}`;
  }
  const payload = item.map((one) => encode(one).slice(2)).join('');
  return `0x${prefix(payload.length / 2, 0xc0)}${payload}`;
}

function prefix(length: number, offset: number): string {
  if (length < 56) return toBeHex(offset + length).slice(2);
  const size = toBeHex(length).slice(2);
  return toBeHex(offset + 55 + size.length / 2).slice(2) + size;
}

function itemLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0xf8) return 1 + first - 0xc0;
  let length = 0;
  for (let n = 1; n <= first - 0xf7; n += 1) length = length * 256 + bytes[at + n]!;
  return 1 + (first - 0xf7) + length;
}
