import type { Signature } from 'ethers';
import { Transaction, Wallet, keccak256, toBeHex, zeroPadValue } from 'ethers';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import type { Hex, RpcBlock, RpcReceipt } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import { bloomOf } from '../../libs/contexts/chain/src/domain/verification/bloom.ts';
import type { VerificationCrypto } from '../../libs/contexts/chain/src/domain/verification/crypto.ts';
import { hexOf } from '../../libs/contexts/chain/src/domain/verification/hex.ts';
import { checkBlock } from '../../libs/contexts/chain/src/domain/verification/verify-block.ts';
import type { RecordedBlock } from './recorded-chain.ts';
import { RecordedChain, recordBlock } from './recorded-chain.ts';

export interface Generated {
  readonly seed: number;
  readonly blocks: number;
  readonly transactionsPerBlock: number;
  readonly chainId?: bigint;
  readonly logsPerCall?: number;
}

const ZERO = `0x${'00'.repeat(32)}`;
const EMPTY_UNCLES = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347';
/** Signing costs a millisecond: beyond so many the transactions come again. */
const MOST_SIGNED = 2_000;

/** A chain whose every hash and root is right: the same seed always gives the same. */
export async function generateChain(options: Generated): Promise<RecordedChain> {
  const chainId = options.chainId ?? 424242n;
  const make = await blockMaker({ ...options, chainId });
  return new RecordedChain(chainId, make(ZERO, 0, options.blocks));
}

/** Another branch on top of `parent`, with other contents. */
export async function generateBranch(options: Omit<Generated, 'blocks'>, parent: RecordedBlock, blocks: number): Promise<RecordedBlock[]> {
  const make = await blockMaker({ ...options, chainId: options.chainId ?? 424242n });
  return [...make(parent.hash, parent.number + 1, blocks)];
}

type Fields = Record<string, unknown>;

async function blockMaker(options: Omit<Generated, 'blocks'> & { chainId: bigint }): Promise<(parent: string, from: number, count: number) => Generator<RecordedBlock>> {
  const crypto = { keccak256: await createKeccak256() };
  const wallet = new Wallet(keccak256(toBeHex(options.seed + 1, 32)));
  const signed: { fields: Fields; logs: Fields[] }[] = [];
  const next = (at: number): { fields: Fields; logs: Fields[] } => {
    const place = at % MOST_SIGNED;
    return (signed[place] ??= signTransaction(wallet, options.chainId, place, options.logsPerCall ?? 3));
  };
  return function* make(parent, from, count) {
    let parentHash = parent;
    for (let number = from; number < from + count; number += 1) {
      const picked = Array.from({ length: number === 0 ? 0 : options.transactionsPerBlock }, (_, at) => next(number * options.transactionsPerBlock + at));
      const { block, receipts } = sealBlock(header(options, parentHash, number), picked, crypto);
      parentHash = block.hash;
      yield recordBlock(block, receipts);
    }
  };
}

function header({ seed }: { seed: number }, parentHash: string, number: number): Fields {
  return {
    parentHash,
    sha3Uncles: EMPTY_UNCLES,
    miner: `0x${'11'.repeat(20)}`,
    stateRoot: keccak256(toBeHex(seed * 1_000_000 + number, 32)),
    transactionsRoot: ZERO,
    receiptsRoot: ZERO,
    logsBloom: `0x${'00'.repeat(256)}`,
    difficulty: '0x0',
    number: `0x${number.toString(16)}`,
    gasLimit: '0x1c9c380',
    gasUsed: '0x0',
    timestamp: `0x${(1_700_000_000 + number * 12).toString(16)}`,
    extraData: '0x',
    mixHash: ZERO,
    nonce: '0x0000000000000000',
    baseFeePerGas: '0x7',
    withdrawalsRoot: ZERO,
    withdrawals: [],
    uncles: [],
    size: '0x400',
  };
}

/** Of three: a transfer, a call with logs, a deploy. */
function signTransaction(wallet: Wallet, chainId: bigint, nonce: number, logsPerCall: number): { fields: Fields; logs: Fields[] } {
  const kind = nonce % 10 === 9 ? 'deploy' : nonce % 3 === 0 ? 'transfer' : 'call';
  const to = zeroPadValue(toBeHex(0xc0ffee + (nonce % 50)), 20);
  const data = kind === 'transfer' ? '0x' : keccak256(toBeHex(nonce, 32)) + '00'.repeat(68);
  const gasPart = { maxFeePerGas: 100n, maxPriorityFeePerGas: 1n, gasLimit: 90_000n };
  const unsigned = Transaction.from({ type: 2, chainId, nonce, to: kind === 'deploy' ? null : to, value: BigInt(nonce), data, ...gasPart });
  const signature: Signature = wallet.signingKey.sign(unsigned.unsignedHash);
  unsigned.signature = signature;
  const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
  const fields = {
    hash: unsigned.hash,
    type: '0x2',
    chainId: hex(chainId),
    nonce: hex(nonce),
    from: wallet.address.toLowerCase(),
    to: kind === 'deploy' ? null : to,
    value: hex(nonce),
    gas: hex(90_000),
    gasPrice: '0x8',
    maxFeePerGas: '0x64',
    maxPriorityFeePerGas: '0x1',
    input: data,
    accessList: [],
    r: hex(BigInt(signature.r)),
    s: hex(BigInt(signature.s)),
    v: hex(signature.yParity),
    yParity: hex(signature.yParity),
  };
  const topic = (at: number): string => keccak256(toBeHex(nonce + at * 7, 32));
  const logs = kind === 'call' ? Array.from({ length: logsPerCall }, (_, at) => ({ address: to, topics: [topic(0), topic(at)], data: topic(at + 1) })) : [];
  return { fields, logs };
}

/** Fills in what is computed: roots, bloom, gas and at last the hash, which goes into everything inside. */
function sealBlock(head: Fields, picked: readonly { fields: Fields; logs: Fields[] }[], crypto: VerificationCrypto): { block: RpcBlock; receipts: RpcReceipt[] } {
  const block = { ...head, hash: ZERO, transactions: [] as Fields[] };
  const receipts: Fields[] = [];
  let gas = 0;
  let logIndex = 0;
  for (const [index, { fields, logs }] of picked.entries()) {
    const place = { blockHash: ZERO, blockNumber: head['number'], transactionIndex: `0x${index.toString(16)}` };
    const gasUsed = 21_000 + logs.length * 1_000;
    gas += gasUsed;
    block.transactions.push({ ...fields, ...place });
    receipts.push({
      ...place,
      transactionHash: fields['hash'],
      type: '0x2',
      from: fields['from'],
      to: fields['to'],
      status: '0x1',
      contractAddress: fields['to'] === null ? contractAddress(fields) : null,
      gasUsed: `0x${gasUsed.toString(16)}`,
      cumulativeGasUsed: `0x${gas.toString(16)}`,
      effectiveGasPrice: '0x8',
      logs: logs.map((log) => ({ ...log, ...place, transactionHash: fields['hash'], logIndex: `0x${(logIndex++).toString(16)}`, removed: false })),
      logsBloom: hexOf(bloomOf(logs as never, crypto.keccak256)),
    });
  }
  Object.assign(block, { gasUsed: `0x${gas.toString(16)}`, logsBloom: hexOf(bloomOf(picked.flatMap(({ logs }) => logs) as never, crypto.keccak256)) });
  return sealed(block as unknown as RpcBlock, receipts as unknown as RpcReceipt[], crypto);
}

/** The verifier says what each root must be; told so until it agrees. */
export function sealed(block: RpcBlock, receipts: RpcReceipt[], crypto: VerificationCrypto): { block: RpcBlock; receipts: RpcReceipt[] } {
  const fields = block as unknown as Fields;
  for (const part of ['transactions', 'receipts', 'withdrawals', 'header'] as const) {
    const report = checkBlock({ block, receipts, bytes: 0 }, crypto, undefined, [part])[part];
    if (report === undefined || report.outcome === 'verified') continue;
    if (report.outcome === 'unverifiable' || !/^(?:transactionsRoot|receiptsRoot|withdrawalsRoot|hash)$/.test(report.field)) throw new Error(`can not seal: ${JSON.stringify(report)}`);
    fields[report.field] = report.actual;
  }
  for (const inside of [...block.transactions, ...receipts, ...receipts.flatMap((receipt) => receipt.logs)]) (inside as unknown as { blockHash: Hex }).blockHash = block.hash;
  return { block, receipts };
}

/** Hash of a header from what else it holds. */
export function headerHash(header: Fields, crypto: VerificationCrypto): Hex {
  const block = { ...header, hash: ZERO, transactions: [] } as unknown as RpcBlock;
  const { header: report } = checkBlock({ block, receipts: undefined, bytes: 0 }, crypto, undefined, ['header']);
  if (report?.outcome !== 'mismatched' || report.field !== 'hash') throw new Error(`no hash: ${JSON.stringify(report)}`);
  return report.actual as Hex;
}

export function contractAddress(fields: Fields): string {
  const from = String(fields['from']).slice(2);
  const nonce = BigInt(String(fields['nonce']));
  const bytes = nonce === 0n ? '80' : nonce < 128n ? nonce.toString(16).padStart(2, '0') : rlpInteger(nonce);
  const list = `94${from}${bytes}`;
  return `0x${keccak256(`0x${(0xc0 + list.length / 2).toString(16)}${list}`).slice(26)}`;
}

function rlpInteger(value: bigint): string {
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return `${(0x80 + even.length / 2).toString(16)}${even}`;
}

