import type { AppendText } from '#platform/event-store';
import { MAX_BYTES_PER_APPEND, MAX_EVENTS_PER_APPEND } from '#platform/event-store';
import { type JsonValue, parseStreamName } from '#platform/kernel';
import { errorMessage } from '#platform/workers';
import { z } from 'zod';
import { BLOCK_PARTS, type ObservedBlock } from '../domain/chain.events.ts';
import type { ReadBlock } from '../ports/block-reader.port.ts';
import type { ReadingJob } from '../ports/reading-board.port.ts';
import { WorkWrong } from './reading-jobs.errors.ts';

/** What crosses between the owner's board and its workers. The owner believes nothing of it that it did not look at. */
const MOST_BLOCKS_PER_JOB = 250;
const MOST_BLOCKS_PER_MESSAGE = 64;
const MOST_APPENDS = 2_000;
const MOST_SLOTS = 16;
const MOST_WAIT_MS = 10_000;
/** The text of an append is its events and their envelopes. */
const MOST_RAW_BYTES = 2 * MAX_BYTES_PER_APPEND;
/** What is shorter is not packed. */
const MOST_TEXT_CHARS = 4_000;

const whole = z.int().min(0);
const hex = z.string().regex(/^0x[0-9a-f]*$/);
const hash = z.string().regex(/^0x[0-9a-f]{64}$/);
const decimal = z.string().regex(/^[1-9]\d{0,77}$/);
const ticket = z.string().regex(/^[0-9a-f-]{36}$/);
const json = z.json() as unknown as z.ZodType<JsonValue>;

export const takeMessage = z.strictObject({ slots: z.int().min(1).max(MOST_SLOTS), waitMs: whole.max(MOST_WAIT_MS) });

const rule = z.enum(['enforce', 'unverifiable', 'off']);
const job = z.strictObject({
  ticket,
  place: z.strictObject({ chain: z.string().min(1).max(200), node: whole }),
  request: z.strictObject({
    chainId: decimal,
    numbers: z.array(whole).min(1).max(MOST_BLOCKS_PER_JOB),
    rules: z.strictObject({ header: rule, transactions: rule, receipts: rule, withdrawals: rule, senders: rule }),
  }),
}) satisfies z.ZodType<ReadingJob>;
export const takeAnswer = z.strictObject({ job: job.nullable() });

const verdicts = z.partialRecord(z.enum(BLOCK_PARTS), z.enum(['verified', 'unverifiable']));
const observed = z.strictObject({
  chainId: decimal,
  number: whole,
  hash,
  parentHash: hash,
  header: z.looseObject({ hash, parentHash: hash, number: hex, timestamp: hex }).catchall(json),
  transactionCount: whole.max(1_000_000),
  kinds: z.strictObject({ transfer: whole, call: whole, deploy: whole }),
  verification: verdicts,
  receipts: z.boolean(),
}) as unknown as z.ZodType<ObservedBlock>;

const appendHead = z.strictObject({
  stream: z.string().max(200),
  expected: z.int().min(-1),
  count: z.int().min(1).max(MAX_EVENTS_PER_APPEND),
  types: z.string().max(1_000).regex(/^\["\w+"(?:,"\w+")*\]$/),
  /** Where it is short; otherwise it is packed: so long before, and the next attachment. */
  text: z.union([z.string().max(MOST_TEXT_CHARS), z.strictObject({ raw: z.int().min(1).max(MOST_RAW_BYTES) })]),
});
const wireBlock = z.strictObject({ observed, bytes: whole, body: z.array(appendHead).max(MOST_APPENDS) });
export const handMessage = z.strictObject({ ticket, first: whole.max(MOST_BLOCKS_PER_JOB), blocks: z.array(wireBlock).min(1).max(MOST_BLOCKS_PER_MESSAGE) });
export const doneMessage = z.strictObject({ ticket, blocks: whole.max(MOST_BLOCKS_PER_JOB), error: errorMessage.exactOptional() });
export const beatMessage = z.strictObject({ tickets: z.array(ticket).max(MOST_SLOTS) });
export const beatAnswer = z.strictObject({ gone: z.array(ticket).max(MOST_SLOTS) });
export const nothing = z.looseObject({});

export interface WrittenBlocks {
  readonly blocks: readonly object[];
  readonly attachments: readonly Uint8Array[];
}

export function writeBlocks(blocks: readonly ReadBlock[]): WrittenBlocks {
  const attachments: Uint8Array[] = [];
  const written = blocks.map(({ observed: head, bytes, body }) => ({
    observed: head,
    bytes,
    body: body.map(({ text, ...append }) => {
      if (typeof text === 'string') return { ...append, text };
      attachments.push(text.payload);
      return { ...append, text: { raw: text.raw } };
    }),
  }));
  return { blocks: written, attachments };
}

/** Throws `work-wrong` where texts and attachments do not fit each other. */
export function readBlocks(blocks: z.output<typeof handMessage>['blocks'], attachments: readonly Uint8Array<ArrayBuffer>[]): readonly ReadBlock[] {
  let used = 0;
  const read = blocks.map(({ observed: head, bytes, body }) => ({
    observed: head,
    bytes,
    body: body.map(({ stream, text, ...append }): AppendText => {
      if (typeof text === 'string') return { ...append, stream: parseStreamName(stream), text };
      const payload = attachments[used];
      used += 1;
      if (payload === undefined) throw new WorkWrong('a packed text did not come with it');
      return { ...append, stream: parseStreamName(stream), text: { raw: text.raw, payload } };
    }),
  }));
  if (used !== attachments.length) throw new WorkWrong('more came with it than it needs');
  return read;
}
