import { Transaction, Wallet, keccak256, toBeHex } from 'ethers';
import type { TransactionLike } from 'ethers';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import type { RpcBlock, RpcReceipt } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import { bloomOf } from '../../libs/contexts/chain/src/domain/verification/bloom.ts';
import type { VerificationCrypto } from '../../libs/contexts/chain/src/domain/verification/crypto.ts';
import { hexOf } from '../../libs/contexts/chain/src/domain/verification/hex.ts';
import { transactionOf } from './execution-apis-chain.ts';
import { contractAddress, sealed } from './generated-chain.ts';
import { RecordedChain, recordBlock } from './recorded-chain.ts';

type Fields = Record<string, unknown>;

const CHAIN_ID = 424242n;
const WALLET = new Wallet(keccak256(toBeHex(77, 32)));
const ZERO = `0x${'00'.repeat(32)}`;
const GAS_PER_BLOB = 131_072;
/** Signing is slow: after so many blocks the transactions come again. */
const BODIES = 4;

/** A chain after Prague of which every block but the first has every field: all types of transactions, logs, withdrawals, blobs. */
export async function generateRichChain(blocks: number): Promise<RecordedChain> {
  const crypto = { keccak256: await createKeccak256() };
  const chain = new RecordedChain(CHAIN_ID);
  const made = [];
  const bodies = Array.from({ length: Math.min(BODIES, blocks) }, (_, body) => unsigned(body).map(signed));
  for (let number = 0, parentHash = ZERO; number < blocks; number += 1) {
    const { block, receipts } = sealBlock(parentHash, number, number === 0 ? [] : bodies[number % BODIES]!, crypto);
    parentHash = block.hash;
    made.push(recordBlock(block, receipts));
  }
  chain.switchTo(made);
  return chain;
}

/** One of each: a legacy call, one with an access list, a deploy, a blob transaction, a set code, and a transfer that is reverted. */
function unsigned(body: number): readonly TransactionLike[] {
  const first = body * 6;
  const to = address(body);
  const fees = { maxFeePerGas: 100n, maxPriorityFeePerGas: 3n, gasLimit: 90_000n, chainId: CHAIN_ID };
  const accessList = [{ address: address(1), storageKeys: [word(first + 1), word(first + 2)] }, { address: address(2), storageKeys: [] }];
  const blobVersionedHashes = [word(first + 3), word(first + 4)].map((hash) => `0x01${hash.slice(4)}`);
  const authorizationList = [0, 1].map((at) => WALLET.authorizeSync({ address: address(at + 3), nonce: first + at, chainId: CHAIN_ID }));
  return [
    { type: 0, chainId: CHAIN_ID, nonce: first, to, value: 5n, data: word(first), gasLimit: 90_000n, gasPrice: 12n },
    { type: 1, chainId: CHAIN_ID, nonce: first + 1, to, value: 6n, data: word(first + 5), gasLimit: 90_000n, gasPrice: 12n, accessList },
    { type: 2, ...fees, nonce: first + 2, to: null, value: 7n, data: word(first + 6), accessList },
    { type: 3, ...fees, nonce: first + 3, to, value: 8n, data: word(first + 7), maxFeePerBlobGas: 30n, blobVersionedHashes, accessList },
    { type: 4, ...fees, nonce: first + 4, to, value: 9n, data: word(first + 8), authorizationList, accessList },
    { type: 2, ...fees, nonce: first + 5, to, value: 10n, data: '0x' },
  ];
}

/** As a node writes it, but for its place. */
function signed(one: TransactionLike, index: number): Fields {
  const transaction = Transaction.from(one);
  transaction.signature = WALLET.signingKey.sign(transaction.unsignedHash);
  return transactionOf(transaction.serialized, header(ZERO, 0), index);
}

function sealBlock(parentHash: string, number: number, body: readonly Fields[], crypto: VerificationCrypto): { block: RpcBlock; receipts: RpcReceipt[] } {
  const head = header(parentHash, number);
  const transactions = body.map((one): Fields => ({ ...one, blockHash: ZERO, blockNumber: head['number'], blockTimestamp: head['timestamp'] }));
  let logIndex = 0;
  const receipts = transactions.map((one, index) => {
    const { hash: transactionHash, type, from, to, blockHash, blockNumber, transactionIndex, blockTimestamp } = one;
    const place = { blockHash, blockNumber, blockTimestamp, transactionHash, transactionIndex };
    const logs = index === 5 ? [] : [0, 1].map((at) => ({ address: address(at), topics: [word(at), word(index)], data: word(number + at), ...place, logIndex: hex(logIndex++), removed: false }));
    const status = index === 5 ? '0x0' : '0x1';
    const gas = { gasUsed: hex(21_000 + index), cumulativeGasUsed: hex(21_000 * (index + 1) + (index * (index + 1)) / 2), effectiveGasPrice: one['gasPrice'] };
    const blobs = type === '0x3' ? { blobGasUsed: hex(2 * GAS_PER_BLOB), blobGasPrice: '0x1' } : {};
    return {
      ...{ blockHash, blockNumber, transactionHash, transactionIndex, type, from, to, status, ...gas, ...blobs, logs },
      contractAddress: to === null ? contractAddress(one) : null,
      logsBloom: hexOf(bloomOf(logs as never, crypto.keccak256)),
    };
  });
  const block = {
    ...head,
    transactions,
    gasUsed: receipts.at(-1)?.cumulativeGasUsed ?? '0x0',
    logsBloom: hexOf(bloomOf(receipts.flatMap(({ logs }) => logs) as never, crypto.keccak256)),
  };
  return sealed(block as unknown as RpcBlock, receipts as unknown as RpcReceipt[], crypto);
}

function header(parentHash: string, number: number): Fields {
  const quantities = { difficulty: '0x0', number: hex(number), gasLimit: '0x1c9c380', timestamp: hex(1_750_000_000 + number * 12), baseFeePerGas: '0x9', blobGasUsed: hex(2 * GAS_PER_BLOB), excessBlobGas: '0x20000' };
  return {
    ...{ hash: ZERO, parentHash, miner: address(9), stateRoot: word(number), transactionsRoot: ZERO, receiptsRoot: ZERO, withdrawalsRoot: ZERO, ...quantities },
    sha3Uncles: '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347',
    extraData: '0xc0ffee',
    mixHash: word(number + 1),
    nonce: '0x0000000000000000',
    parentBeaconBlockRoot: word(number + 2),
    requestsHash: word(number + 3),
    withdrawals: [0, 1].map((at) => ({ index: hex(2 * number + at), validatorIndex: hex(700 + at), address: address(at + 7), amount: hex(31_000_000 + at) })),
    uncles: [],
    size: '0x400',
  };
}

function address(seed: number): string {
  return `0x${word(seed).slice(26)}`;
}

function word(seed: number): string {
  return keccak256(toBeHex(seed, 32));
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
