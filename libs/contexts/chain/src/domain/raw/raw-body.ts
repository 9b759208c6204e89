import type { BlockBodyEvent, ObservedBlock } from '../chain.events.ts';
import { digestOf } from '../block-body.decider.ts';
import { blockTime } from '../observe.ts';
import type { Keccak256 } from '../verification/crypto.ts';
import type { RawBlock } from './raw-block.ts';

/** An event of a body whose data is JSON already, in pieces. */
export interface RawFact {
  readonly type: BlockBodyEvent['type'];
  readonly json: readonly (string | Uint8Array)[];
  readonly naturalKey: string;
  readonly occurredAt?: string;
}

/** As `observe` has it. */
export function observeRaw(chainId: string, { block, verification, transactions }: RawBlock): ObservedBlock {
  const { transactions: _, ...header } = block;
  const kinds = { transfer: 0, call: 0, deploy: 0 };
  for (const { kind } of transactions) kinds[kind] += 1;
  return { chainId, number: Number(block.number), hash: block.hash, parentHash: block.parentHash, header, transactionCount: transactions.length, kinds, verification, receipts: true };
}

/** As `blockBodyDecider` decides a body of which nothing stands yet: the same events to the letter. */
export function rawBody(chainId: string, { block, transactions }: RawBlock, keccak256: Keccak256): readonly RawFact[] {
  if (transactions.length === 0) return [];
  const place = { chainId, blockNumber: Number(block.number), blockHash: block.hash };
  const beginning = JSON.stringify(place).slice(0, -1);
  const occurredAt = blockTime(block.timestamp);
  const occurred = occurredAt === undefined ? {} : { occurredAt };
  const facts: RawFact[] = transactions.map(({ hash, kind, transaction, receipt }, index) => ({
    type: 'TxFetched',
    json: [`${beginning},"index":${index},"kind":"${kind}","transaction":`, transaction, ',"receipt":', receipt, '}'],
    naturalKey: hash,
    ...occurred,
  }));
  const completed = { ...place, count: transactions.length, digest: digestOf(transactions, keccak256) };
  facts.push({ type: 'BlockCompleted', json: [JSON.stringify(completed)], naturalKey: block.hash, ...occurred });
  return facts;
}
