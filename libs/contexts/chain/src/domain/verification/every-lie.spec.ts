import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithFixtures } from '#platform/testing';
import { executionApisChain } from '../../../../../../test/load/execution-apis-chain.ts';
import { generateRichChain } from '../../../../../../test/load/rich-chain.ts';
import type { Answers, Tampering } from '../../../../../../test/load/tampering.ts';
import { isNamed, NOT_COMMITTED, tamperings } from '../../../../../../test/load/tampering.ts';
import { createKeccak256 } from '../../adapters/hash-wasm.keccak.ts';
import { BlockMismatch, BlockShapeInvalid } from '../chain.errors.ts';
import { normaliseBlock, normaliseReceipts } from '../normalise.ts';
import type { VerificationCrypto } from './crypto.ts';
import { ENFORCE_ALL } from './part-rules.ts';
import { verifyBlock } from './verify-block.ts';

/** Of chains of OP: what their nodes add, and the signature that a deposit does not have. */
const NOT_COMMITTED_OF_OP: readonly string[] = [
  ...['block.size', 'transaction(0x2).gasPrice'],
  ...['gasPrice', 'v', 'r', 's', 'yParity', 'depositReceiptVersion'].map((field) => `transaction(0x7e).${field}`),
  ...['effectiveGasPrice', 'blobGasUsed', 'daFootprintGasScalar', 'l1BaseFeeScalar', 'l1BlobBaseFee', 'l1BlobBaseFeeScalar', 'l1Fee', 'l1GasPrice', 'l1GasUsed'].flatMap((field) =>
    ['0x0', '0x2', '0x7e'].map((type) => `receipt(${type}).${field}`),
  ),
].map((field) => `${field} changed`);

/** What may be missing beside the above: it is told elsewhere too, or follows from the rest. */
const TOLD_ELSEWHERE: readonly string[] = [
  // Of OpenEthereum, always empty.
  'block.sealFields',
  ...['transaction(0x0).type', 'transaction(0x0).chainId', 'transaction(0x2).to', 'receipt(0x0).type'],
  // An access list only where it is empty.
  ...['0x1', '0x2', '0x3', '0x4'].flatMap((type) => ['v', 'yParity', 'accessList'].map((field) => `transaction(${type}).${field}`)),
  ...['0x0', '0x1', '0x2', '0x3', '0x4'].flatMap((type) => [
    `transaction(${type}).blockTimestamp`,
    ...['blockNumber', 'from', 'to', 'contractAddress', 'logsBloom'].map((field) => `receipt(${type}).${field}`),
  ]),
  'receipt(0x3).blobGasUsed',
  ...['blockHash', 'blockNumber', 'blockTimestamp', 'transactionHash', 'transactionIndex', 'logIndex', 'removed'].map((field) => `log.${field}`),
];

let crypto: VerificationCrypto;
beforeAll(async () => {
  crypto = { keccak256: await createKeccak256() };
});

/** What the error names; undefined where the answers are believed. As capturing reads them: the shape first, then all parts. */
function refusalOf({ block: told, receipts: list }: Answers, rules = ENFORCE_ALL): string | undefined {
  try {
    const block = normaliseBlock(told);
    verifyBlock({ block, receipts: normaliseReceipts(list, block), bytes: 0 }, rules, crypto);
    return undefined;
  } catch (error) {
    if (error instanceof BlockMismatch) return error.facts['field'] as string;
    if (error instanceof BlockShapeInvalid) return (error.facts['path'] as string).replace(/^block\./, '');
    throw error;
  }
}

function tampered(answers: Answers, lie: Tampering): Answers {
  return { ...answers, [lie.answer]: lie.tell(answers[lie.answer]) };
}

/** Tells each lie of its kind about so many places of each block at most; gives the kinds that were believed. */
function believed(honest: readonly Answers[], wanted: (lie: Tampering) => boolean, most: number, rules = ENFORCE_ALL): string[] {
  const kinds = new Map<string, number>();
  const found = new Set<string>();
  for (const answers of honest) {
    expect(refusalOf(answers, rules)).toBeUndefined();
    for (const lie of tamperings(answers)) {
      const kind = `${lie.field} ${lie.how}`;
      const told = kinds.get(kind) ?? 0;
      if (told >= most || !wanted(lie)) continue;
      kinds.set(kind, told + 1);
      const named = refusalOf(tampered(answers, lie), rules);
      if (named === undefined) found.add(kind);
      else if (!isNamed(lie, named)) throw new Error(`${kind} at ${lie.place} is refused as ${named}`);
    }
  }
  return [...found].sort();
}

const isLeftOut = ({ how }: Tampering): boolean => how === 'left out';
const isChange = (lie: Tampering): boolean => !isLeftOut(lie);
const answersOf = ({ block, receipts }: { block: Buffer; receipts: Buffer }): Answers => ({ block: JSON.parse(block.toString()) as unknown, receipts: JSON.parse(receipts.toString()) as unknown });

describe('a block after Prague with every field there is', () => {
  let answers: Answers;
  beforeAll(async () => {
    answers = answersOf((await generateRichChain(2)).at(1)!);
  });

  it('has transactions of all types, logs, withdrawals and all fields of the header', () => {
    const kinds = new Set([...tamperings(answers)].map(({ field }) => field));
    const some = ['block.requestsHash', 'withdrawal.amount', 'transaction(0x4).authorizationList[].yParity', 'transaction(0x1).accessList[].storageKeys[]', 'transaction(0x3).blobVersionedHashes[]', 'receipt(0x2).contractAddress', 'log.topics[]'];
    expect([...kinds]).toEqual(expect.arrayContaining(some));
    expect(kinds.size).toBeGreaterThan(200);
  });

  it('is refused, and the field named, when one thing at any place is changed, but for what nothing commits to', () => {
    const possible = NOT_COMMITTED.filter((kind) => !/uncles|totalDifficulty/.test(kind));
    expect(believed([answers], isChange, Number.POSITIVE_INFINITY)).toEqual([...possible].sort());
  });
});

describeWithFixtures('blocks that nodes answered', (fixtures) => {
  const dir = join(fixtures, 'evm-blocks');
  const recorded = (name: string): Answers => {
    const [block, receipts] = ['block', 'receipts'].map((what) => {
      const json = JSON.parse(readFileSync(join(dir, `${name}.${what}.json`), 'utf8')) as { result?: unknown };
      return json.result ?? json;
    });
    return { block, receipts };
  };
  // The newest first, for they have the most fields.
  const ofEveryFork = executionApisChain(fixtures).chain.blocks().toReversed().map(answersOf);
  const mainnet = ['squid-sdk/ethereum/18000000', 'ethereum/18090213', 'squid-sdk/ethereum/4369999', 'squid-sdk/ethereum/1000000', 'squid-sdk/hyperliquid/50000'].map(recorded);

  it('of every fork are refused when one byte of any field, or any list, is changed, but for what nothing commits to', () => {
    expect(believed([...mainnet, ...ofEveryFork], isChange, 2)).toEqual([...NOT_COMMITTED].sort());
  });

  it('of every fork are refused when a field is left out that is told nowhere else', () => {
    const may = [...NOT_COMMITTED.filter((kind) => / changed$/.test(kind)).map((kind) => kind.replace(/(?:\[\])? changed$/, '')), ...TOLD_ELSEWHERE];
    const missed = believed([...mainnet, ...ofEveryFork], isLeftOut, 2).map((kind) => kind.replace(' left out', ''));
    expect(missed.filter((field) => !may.includes(field))).toEqual([]);
  });

  it('of OP are refused likewise, but for what their nodes add', () => {
    const found = believed([recorded('squid-sdk/optimism/154497277')], isChange, 2, { ...ENFORCE_ALL, withdrawals: 'off' });
    expect(found).toEqual(found.filter((kind) => NOT_COMMITTED_OF_OP.includes(kind)));
  });
});
