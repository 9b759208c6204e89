import type { Decider } from '#platform/kernel';
import { unreachable } from '#platform/kernel';
import type { BlockBodyCommand } from './chain.commands.ts';
import { ChainRefusal } from './chain.errors.ts';
import type { BlockBodyEvent } from './chain.events.ts';
import { blockTime, kindOf } from './observe.ts';
import { cut, fitsOneEvent } from './oversize.ts';
import type { FetchedBlock, Hex } from './rpc-types.ts';
import type { Keccak256 } from './verification/crypto.ts';
import { bytesOf, hexOf } from './verification/hex.ts';

/** A transaction of which some events are written and others not: a crash came between two appends. */
interface OpenTransaction {
  readonly inputs: { readonly written: number; readonly all: number };
  readonly logs: { readonly written: number; readonly all: number };
}

/** Linked backwards, so that a block of ten thousand transactions is not copied for each of them. */
interface BegunTransactions {
  readonly hash: Hex;
  readonly count: number;
  readonly before: BegunTransactions | undefined;
}

export type BlockBody =
  | { readonly status: 'absent' }
  /** Only the last one begun may be open. */
  | { readonly status: 'partial'; readonly begun: BegunTransactions; readonly open: OpenTransaction | undefined }
  | { readonly status: 'complete'; readonly count: number; readonly digest: string };

/** The body of one block. Goes on from any prefix of its events, with the answer of any provider. */
export function blockBodyDecider(keccak256: Keccak256): Decider<BlockBody, BlockBodyCommand, BlockBodyEvent> {
  return {
    initialState: () => ({ status: 'absent' }),
    decide: (command, body) => (body.status === 'complete' ? [] : missingEvents(command.chainId, command.fetched, body, keccak256)),
    evolve,
  };
}

function missingEvents(chainId: string, fetched: FetchedBlock, body: Exclude<BlockBody, { status: 'complete' }>, keccak256: Keccak256): BlockBodyEvent[] {
  const { transactions } = fetched.block;
  if (transactions.length === 0) return [];
  const begun = body.status === 'partial' ? hashesOf(body.begun) : [];
  const stranger = begun.findIndex((hash, index) => transactions[index]?.hash !== hash);
  if (stranger !== -1) throw new BodyDiffers(fetched, stranger);
  const occurred = occurredOf(fetched);
  const events: BlockBodyEvent[] = [];
  if (body.status === 'partial' && body.open !== undefined) events.push(...restOf(chainId, fetched, begun.length - 1, occurred, body.open));
  for (let index = begun.length; index < transactions.length; index += 1) events.push(...eventsOf(chainId, fetched, index, occurred, false));
  events.push({
    type: 'BlockCompleted',
    data: { chainId, ...place(fetched), count: transactions.length, digest: digestOf(transactions, keccak256) },
    ...occurred,
    naturalKey: fetched.block.hash,
  });
  return events;
}

function restOf(chainId: string, fetched: FetchedBlock, index: number, occurred: Occurred, { inputs, logs }: OpenTransaction): BlockBodyEvent[] {
  const events = eventsOf(chainId, fetched, index, occurred, true);
  if (events.length !== 1 + inputs.all + logs.all) throw new BodyDiffers(fetched, index);
  return events.slice(1 + inputs.written + logs.written);
}

/** One event for a transaction, more where it is too large for one; `pieces` when it was begun in pieces before. */
function eventsOf(chainId: string, fetched: FetchedBlock, index: number, occurred: Occurred, pieces: boolean): BlockBodyEvent[] {
  const transaction = fetched.block.transactions[index]!;
  const receipt = fetched.receipts?.[index];
  const kind = kindOf(transaction, receipt);
  const common = { chainId, ...place(fetched), index };
  const time = { ...occurred, naturalKey: transaction.hash };
  if (!pieces && fitsOneEvent(transaction, receipt)) {
    return [{ type: 'TxFetched', data: { ...common, kind, transaction, ...(receipt === undefined ? {} : { receipt }) }, ...time }];
  }
  const parts = cut(transaction, receipt);
  const continued = { input: parts.inputs.length, logs: parts.logs.length };
  const first = { ...common, kind, transaction: parts.transaction, ...(parts.receipt === undefined ? {} : { receipt: parts.receipt }), continued };
  return [
    { type: 'TxFetched', data: first, ...time },
    ...parts.inputs.map((part, n): BlockBodyEvent => ({ type: 'TxInputContinued', data: { ...common, part: n + 1, ...part }, ...time })),
    ...parts.logs.map((part, n): BlockBodyEvent => ({ type: 'TxLogsContinued', data: { ...common, part: n + 1, ...part }, ...time })),
  ];
}

function evolve(body: BlockBody, event: BlockBodyEvent): BlockBody {
  switch (event.type) {
    case 'TxFetched': {
      const { transaction, continued } = event.data;
      const open = continued && { inputs: { written: 0, all: continued.input }, logs: { written: 0, all: continued.logs } };
      const before = body.status === 'partial' ? body.begun : undefined;
      return { status: 'partial', begun: { hash: transaction.hash, count: (before?.count ?? 0) + 1, before }, open: stillOpen(open) };
    }
    case 'TxInputContinued':
      if (body.status !== 'partial' || body.open === undefined) return body;
      return { ...body, open: stillOpen({ ...body.open, inputs: { ...body.open.inputs, written: event.data.part } }) };
    case 'TxLogsContinued':
      if (body.status !== 'partial' || body.open === undefined) return body;
      return { ...body, open: stillOpen({ ...body.open, logs: { ...body.open.logs, written: event.data.part } }) };
    case 'BlockCompleted':
      return { status: 'complete', count: event.data.count, digest: event.data.digest };
    default:
      return unreachable(event);
  }
}

function stillOpen(open: OpenTransaction | undefined): OpenTransaction | undefined {
  if (open === undefined) return undefined;
  return open.inputs.written === open.inputs.all && open.logs.written === open.logs.all ? undefined : open;
}

/** From the first to the last. */
function hashesOf(begun: BegunTransactions): readonly Hex[] {
  const hashes: Hex[] = new Array<Hex>(begun.count);
  for (let at: BegunTransactions | undefined = begun; at !== undefined; at = at.before) hashes[at.count - 1] = at.hash;
  return hashes;
}

function place({ block }: FetchedBlock): { readonly blockNumber: number; readonly blockHash: Hex } {
  return { blockNumber: Number(block.number), blockHash: block.hash };
}

interface Occurred {
  readonly occurredAt?: string;
}

function occurredOf({ block }: FetchedBlock): Occurred {
  const occurredAt = blockTime(block.timestamp);
  return occurredAt === undefined ? {} : { occurredAt };
}

/** Keccak-256 over the hashes of the transactions in order, as they follow each other in bytes. */
export function digestOf(transactions: readonly { readonly hash: Hex }[], keccak256: Keccak256): string {
  const bytes = new Uint8Array(transactions.length * 32);
  transactions.forEach(({ hash }, index) => bytes.set(bytesOf(hash), index * 32));
  return hexOf(keccak256(bytes));
}

/** Another answer for the same block hash tells of other transactions than those already written. */
class BodyDiffers extends ChainRefusal {
  constructor({ block }: FetchedBlock, index: number) {
    super(
      'body-differs',
      'This answer does not go on where the stored body of the block stopped',
      { block: block.hash, number: block.number, index, transaction: block.transactions[index]?.hash ?? 'absent' },
      'Two providers tell different bodies under one block hash, which only happens where the chain can not be verified: use one of them.',
    );
  }
}
