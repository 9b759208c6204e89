import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Transaction, decodeRlp, encodeRlp, keccak256 } from 'ethers';
import type { RlpStructuredData } from 'ethers';
import type { Hash, RecordedBlock } from './recorded-chain.ts';
import { RecordedChain } from './recorded-chain.ts';
import { recordedReceipts } from '../recorded/execution-apis-receipts.ts';

type Fields = Record<string, unknown>;
const CHAIN_ID = 3503995874084926n;
const HEADER = ['parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'logsBloom', 'difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'extraData', 'mixHash', 'nonce', 'baseFeePerGas', 'withdrawalsRoot', 'blobGasUsed', 'excessBlobGas', 'parentBeaconBlockRoot', 'requestsHash'];
const QUANTITIES = new Set(['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas', 'blobGasUsed', 'excessBlobGas']);

export interface ExecutionApisChain {
  readonly chain: RecordedChain;
  /** Blocks that the node itself answered in a recorded conversation, as it answered them: some with hashes for transactions. */
  readonly recordedBlocks: ReadonlyMap<number, Fields>;
  /** Receipts that the fixtures' own node answered in a recorded conversation, by the hash of their transaction. */
  readonly recordedReceipts: ReadonlyMap<string, Fields>;
}

/** The chain of fixtures/execution-apis: its RLP, the receipts that a node of ours made of it, and what their own node answered where that was recorded. */
export function executionApisChain(fixtures: string): ExecutionApisChain {
  const dir = join(fixtures, 'execution-apis');
  const recordedBlocks = new Map<number, Fields>();
  const theirReceipts = new Map<string, Fields>();
  for (const result of recordedResults(dir, ['eth_getBlockByNumber', 'eth_getBlockByHash'])) {
    const { transactions, number } = result as { transactions?: unknown[]; number?: string };
    // The same block may be recorded with hashes only.
    const full = (transactions ?? []).every((one) => typeof one === 'object');
    if (number !== undefined && (full || !recordedBlocks.has(Number(number)))) recordedBlocks.set(Number(number), result as Fields);
  }
  for (const result of recordedResults(dir, ['eth_getBlockReceipts', 'eth_getTransactionReceipt'])) {
    for (const receipt of (Array.isArray(result) ? result : [result]) as Fields[]) theirReceipts.set(receipt['transactionHash'] as string, receipt);
  }
  const genesis = recordedBlocks.get(0);
  if (genesis === undefined) throw new Error('the genesis block is not recorded');
  const blocks = [genesis, ...[...rlpItems(readFileSync(join(dir, 'chain.rlp')))].map(blockOf)];
  const receipts = recordedReceipts();
  const recorded = blocks.map((block): RecordedBlock => {
    const number = Number(block['number']);
    return { number, hash: block['hash'] as Hash, parentHash: block['parentHash'] as Hash, block: Buffer.from(JSON.stringify(block)), receipts: Buffer.from(receipts[number] ?? 'null') };
  });
  return { chain: new RecordedChain(CHAIN_ID, recorded), recordedBlocks, recordedReceipts: theirReceipts };
}

function* recordedResults(dir: string, methods: readonly string[]): Generator {
  for (const method of methods) {
    for (const file of readdirSync(join(dir, method))) {
      for (const line of readFileSync(join(dir, method, file), 'utf8').split('\n')) {
        const result = line.startsWith('<< ') ? (JSON.parse(line.slice(3)) as { result?: unknown }).result : undefined;
        if (result !== undefined && result !== null) yield result;
      }
    }
  }
}

/** Lists that stand one behind the other. RLP: 0xf7 + n announces n bytes of length. */
function* rlpItems(file: Buffer): Generator<string> {
  for (let at = 0; at < file.length; ) {
    const first = file[at] as number;
    const lengthBytes = first > 0xf7 ? first - 0xf7 : 0;
    const length = lengthBytes === 0 ? first - 0xc0 : file.readUIntBE(at + 1, lengthBytes);
    const end = at + 1 + lengthBytes + length;
    yield `0x${file.subarray(at, end).toString('hex')}`;
    at = end;
  }
}

function blockOf(raw: string): Fields {
  const [header, transactions, uncles, withdrawals] = decodeRlp(raw) as [string[], RlpStructuredData[], RlpStructuredData[], string[][] | undefined];
  const fields: Fields = { hash: keccak256(encodeRlp(header)) };
  for (const [place, value] of header.entries()) {
    const name = HEADER[place] as string;
    fields[name] = QUANTITIES.has(name) ? quantity(value) : value;
  }
  fields['size'] = quantity(`0x${((raw.length - 2) / 2).toString(16)}`);
  fields['uncles'] = uncles.map((uncle) => keccak256(encodeRlp(uncle)));
  fields['transactions'] = transactions.map((one, index) => transactionOf(typeof one === 'string' ? one : encodeRlp(one), fields, index));
  if (withdrawals !== undefined) {
    fields['withdrawals'] = withdrawals.map(([index, validatorIndex, address, amount]) => ({ index: quantity(index), validatorIndex: quantity(validatorIndex), address, amount: quantity(amount) }));
  }
  return fields;
}

/** As geth writes it. */
export function transactionOf(raw: string, block: Fields, index: number): Fields {
  const tx = Transaction.from(raw);
  const { signature } = tx;
  if (signature === null) throw new Error('an unsigned transaction in a block');
  const type = tx.type ?? 0;
  const legacyV = signature.networkV ?? BigInt(signature.v);
  const place = { blockHash: block['hash'], blockNumber: block['number'], blockTimestamp: block['timestamp'], transactionIndex: hex(index) };
  const fields: Fields = { ...place, hash: tx.hash, type: hex(type), nonce: hex(tx.nonce), from: tx.from?.toLowerCase(), to: tx.to?.toLowerCase() ?? null, value: hex(tx.value), gas: hex(tx.gasLimit), input: tx.data };
  Object.assign(fields, { r: hex(BigInt(signature.r)), s: hex(BigInt(signature.s)), v: type === 0 ? hex(legacyV) : hex(signature.yParity) });
  if (type !== 0) Object.assign(fields, { yParity: hex(signature.yParity), accessList: (tx.accessList ?? []).map(({ address, storageKeys }) => ({ address: address.toLowerCase(), storageKeys })) });
  if (type !== 0 || signature.networkV !== null) fields['chainId'] = hex(tx.chainId);
  const fee = tx.maxFeePerGas ?? 0n;
  const tip = tx.maxPriorityFeePerGas ?? 0n;
  const base = BigInt((block['baseFeePerGas'] as string | undefined) ?? '0x0');
  fields['gasPrice'] = hex(type < 2 ? (tx.gasPrice ?? 0n) : base + tip < fee ? base + tip : fee);
  if (type >= 2) Object.assign(fields, { maxFeePerGas: hex(fee), maxPriorityFeePerGas: hex(tip) });
  if (type === 3) Object.assign(fields, { maxFeePerBlobGas: hex(tx.maxFeePerBlobGas ?? 0n), blobVersionedHashes: tx.blobVersionedHashes ?? [] });
  if (type === 4) {
    fields['authorizationList'] = (tx.authorizationList ?? []).map(({ address, nonce, chainId, signature: by }) => ({ chainId: hex(chainId), address: address.toLowerCase(), nonce: hex(nonce), yParity: hex(by.yParity), r: hex(BigInt(by.r)), s: hex(BigInt(by.s)) }));
  }
  return fields;
}

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

function quantity(bytes: string | undefined): string {
  return bytes === undefined || bytes === '0x' ? '0x0' : hex(BigInt(bytes));
}
