import type { RpcBlock, RpcReceipt, RpcTransaction } from '../rpc-types.ts';
import type { Keccak256 } from './crypto.ts';
import { hexOf, smallQuantity } from './hex.ts';
import { Mismatched, shown } from './part-report.ts';
import type { RlpWriter } from './rlp.ts';
import { isSigned, OP_DEPOSIT, typeOf } from './transaction-encoding.ts';
import { isTimeOf } from './transactions.ts';

/** EIP-4844. */
export const GAS_PER_BLOB = 131_072;

/** What no root binds: that each receipt and log is told of its transaction and block, and logs are counted through the block. */
export function checkPlaces(block: RpcBlock, receipts: readonly RpcReceipt[]): void {
  let logs = 0;
  for (let index = 0; index < receipts.length; index += 1) {
    const receipt = receipts[index]!;
    checkPlace(block, block.transactions[index]!, receipt, index);
    checkLogs(block, receipt, index, logs);
    logs += receipt.logs.length;
  }
}

/**
 * Nor these: that gas adds up, that of blobs too, and that a new contract has the address that follows from sender and nonce. `bound`
 * receipts stand under the root; one behind them (Polygon's state sync) uses no gas.
 */
export function checkAmounts(block: RpcBlock, receipts: readonly RpcReceipt[], bound: number, writer: RlpWriter, keccak256: Keccak256): void {
  let gas = 0;
  for (let index = 0; index < bound; index += 1) {
    const receipt = receipts[index]!;
    gas = checkGas(receipt, index, gas);
    checkContract(block.transactions[index]!, receipt, index, writer, keccak256);
    checkBlobGas(block.transactions[index]!, receipt, index);
  }
  if (smallQuantity(block['gasUsed']) !== gas) throw new Mismatched('gasUsed', shown(block['gasUsed']), `0x${gas.toString(16)}`);
}

function checkPlace(block: RpcBlock, transaction: RpcTransaction | string, receipt: RpcReceipt, index: number): void {
  const path = `receipts[${index}].`;
  const hash = typeof transaction === 'string' ? transaction : transaction.hash;
  same(`${path}transactionHash`, hash, receipt.transactionHash);
  same(`${path}blockHash`, block.hash, receipt.blockHash);
  sameIfGiven(`${path}blockNumber`, block.number, receipt['blockNumber']);
  if (smallQuantity(receipt.transactionIndex) !== index) {
    throw new Mismatched(`${path}transactionIndex`, `0x${index.toString(16)}`, shown(receipt.transactionIndex));
  }
  if (typeof transaction === 'string') return;
  sameIfGiven(`${path}from`, transaction.from, receipt['from']);
  // Where the receipt of an odd type repeats more than the transaction says, there is nothing to compare with.
  if (typeof transaction.to === 'string') sameIfGiven(`${path}to`, transaction.to, receipt['to']);
  else if (transaction.to === null && typeof receipt['to'] === 'string' && isSigned(typeOf(transaction))) {
    throw new Mismatched(`${path}to`, 'null', receipt['to']);
  }
  const type = typeOf(transaction);
  if (receipt['type'] !== undefined && typeOf(receipt) !== type) throw new Mismatched(`${path}type`, shown(transaction['type']), shown(receipt['type']));
}

function checkLogs(block: RpcBlock, receipt: RpcReceipt, index: number, before: number): void {
  for (let at = 0; at < receipt.logs.length; at += 1) {
    const log = receipt.logs[at]!;
    if (log['logIndex'] !== undefined && smallQuantity(log['logIndex']) !== before + at) {
      throw new Mismatched(`receipts[${index}].logs[${at}].logIndex`, `0x${(before + at).toString(16)}`, shown(log['logIndex']));
    }
    if (log['transactionHash'] !== receipt.transactionHash) {
      sameIfGiven(`receipts[${index}].logs[${at}].transactionHash`, receipt.transactionHash, log['transactionHash']);
    }
    if (log['blockHash'] !== block.hash) sameIfGiven(`receipts[${index}].logs[${at}].blockHash`, block.hash, log['blockHash']);
    if (log['blockNumber'] !== block.number) sameIfGiven(`receipts[${index}].logs[${at}].blockNumber`, block.number, log['blockNumber']);
    if (log['transactionIndex'] !== undefined && smallQuantity(log['transactionIndex']) !== index) {
      throw new Mismatched(`receipts[${index}].logs[${at}].transactionIndex`, `0x${index.toString(16)}`, shown(log['transactionIndex']));
    }
    if (!isTimeOf(block, log['blockTimestamp'])) throw new Mismatched(`receipts[${index}].logs[${at}].blockTimestamp`, block.timestamp, shown(log['blockTimestamp']));
    // Said of logs whose block left the chain; this one is asked for as it stands.
    if (log['removed'] === true) throw new Mismatched(`receipts[${index}].logs[${at}].removed`, 'false', 'true');
  }
}

/** Gives the gas used up to and with this receipt. */
function checkGas(receipt: RpcReceipt, index: number, before: number): number {
  const cumulative = smallQuantity(receipt['cumulativeGasUsed']);
  const used = smallQuantity(receipt['gasUsed']);
  if (cumulative === undefined) throw new Mismatched(`receipts[${index}].cumulativeGasUsed`, 'a small quantity', shown(receipt['cumulativeGasUsed']));
  if (used !== cumulative - before) {
    throw new Mismatched(`receipts[${index}].gasUsed`, `0x${(cumulative - before).toString(16)}`, shown(receipt['gasUsed']));
  }
  return cumulative;
}

function checkBlobGas(transaction: RpcTransaction | string, receipt: RpcReceipt, index: number): void {
  const told = receipt['blobGasUsed'];
  if (told === undefined || told === null || typeof transaction === 'string' || typeOf(transaction) !== 3) return;
  const hashes = transaction['blobVersionedHashes'];
  const gas = Array.isArray(hashes) ? hashes.length * GAS_PER_BLOB : 0;
  if (smallQuantity(told) !== gas) throw new Mismatched(`receipts[${index}].blobGasUsed`, `0x${gas.toString(16)}`, shown(told));
}

/** The address of a new contract is keccak(rlp(sender, nonce))[12..]; nodes differ in whether they tell it of one that failed. */
function checkContract(transaction: RpcTransaction | string, receipt: RpcReceipt, index: number, writer: RlpWriter, keccak256: Keccak256): void {
  if (typeof transaction === 'string') return;
  const type = typeOf(transaction);
  const nonce = type === OP_DEPOSIT ? receipt['depositNonce'] : transaction['nonce'];
  if ((!isSigned(type) && type !== OP_DEPOSIT) || typeof nonce !== 'string') return;
  const told = receipt['contractAddress'] ?? null;
  if (typeof transaction.to === 'string') {
    if (told !== null) throw new Mismatched(`receipts[${index}].contractAddress`, 'null', shown(told));
    return;
  }
  if (told === null && receipt['status'] === '0x0') return;
  const mark = writer.size;
  writer.hexQuantity(nonce, 'nonce');
  writer.data(transaction, 'from');
  writer.list(mark);
  const address = hexOf(keccak256(writer.since(mark)).subarray(12));
  writer.rewind(mark);
  if (told !== address) throw new Mismatched(`receipts[${index}].contractAddress`, address, shown(told));
}

function same(field: string, expected: string, actual: unknown): void {
  if (actual !== expected) throw new Mismatched(field, expected, shown(actual));
}

function sameIfGiven(field: string, expected: string, actual: unknown): void {
  if (actual !== undefined && actual !== null) same(field, expected, actual);
}
