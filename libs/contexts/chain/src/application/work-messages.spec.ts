import { streamName } from '#platform/kernel';
import type { ObservedBlock } from '../domain/chain.events.ts';
import type { ReadBlock } from '../ports/block-reader.port.ts';
import { handMessage, readBlocks, takeAnswer, takeMessage, writeBlocks } from './work-messages.ts';

const TICKET = '3f0e1c9a-0000-4000-8000-000000000000';
const HASH = `0x${'a'.repeat(64)}` as const;
const STREAM = streamName('block', `1.${HASH}`);
const observed = {
  chainId: '1',
  number: 10,
  hash: HASH,
  parentHash: HASH,
  header: { hash: HASH, parentHash: HASH, number: '0xa', timestamp: '0x1', extraData: '0x', mixHash: HASH },
  transactionCount: 2,
  kinds: { transfer: 1, call: 1, deploy: 0 },
  verification: { header: 'verified', senders: 'unverifiable' },
  receipts: true,
} as unknown as ObservedBlock;
const block: ReadBlock = {
  observed,
  bytes: 1_000,
  body: [
    { stream: STREAM, expected: -1, count: 2, types: '["TxFetched"]', text: '[{},{}]' },
    { stream: STREAM, expected: 1, count: 1, types: '["BlockCompleted"]', text: { raw: 9_000, payload: new Uint8Array([1, 2, 3]) } },
  ],
};

const crossed = (): { ticket: string; first: number; blocks: any[] } => JSON.parse(JSON.stringify({ ticket: TICKET, first: 0, blocks: writeBlocks([block]).blocks }));

describe('what crosses between board and workers', () => {
  it('is a block as it was read, its packed texts as bytes', () => {
    const attachments = writeBlocks([block]).attachments as Uint8Array<ArrayBuffer>[];
    expect(readBlocks(handMessage.parse(crossed()).blocks, attachments)).toEqual([block]);
  });

  it('is refused where packed texts are missing, or more came than is named', () => {
    const { blocks } = handMessage.parse(crossed());
    expect(() => readBlocks(blocks, [])).toThrow(expect.objectContaining({ code: 'work-wrong' }));
    expect(() => readBlocks(blocks, [new Uint8Array(3), new Uint8Array(3)])).toThrow(expect.objectContaining({ code: 'work-wrong' }));
  });

  it.each<[string, (message: ReturnType<typeof crossed>) => void]>([
    ['no ticket', (message) => (message.ticket = '../../etc/passwd')],
    ['a place below zero', (message) => (message.first = -1)],
    ['no block', (message) => (message.blocks = [])],
    ['more blocks than a message may hold', (message) => (message.blocks = Array.from({ length: 65 }, () => message.blocks[0]))],
    ['a hash that is none', (message) => (message.blocks[0].observed.hash = '0x12')],
    ['a number that is not whole', (message) => (message.blocks[0].observed.number = 1.5)],
    ['a field that a block has not', (message) => (message.blocks[0].observed.admin = true)],
    ['a verdict that nobody gives', (message) => (message.blocks[0].observed.verification.header = 'trusted')],
    ['types that are no list', (message) => (message.blocks[0].body[0].types = '["a"],"b":["c"]')],
    ['a revision below the beginning', (message) => (message.blocks[0].body[0].expected = -2)],
    ['a long text that is not packed', (message) => (message.blocks[0].body[0].text = 'x'.repeat(4_001))],
    ['a packed text that unpacks to more than fits', (message) => (message.blocks[0].body[1].text.raw = 2 ** 40)],
    ['more appends than a block has', (message) => (message.blocks[0].body = Array.from({ length: 2_001 }, () => message.blocks[0].body[0]))],
  ])('is refused with %s', (_, spoil) => {
    const message = crossed();
    spoil(message);
    expect(handMessage.safeParse(message).success).toBe(false);
  });

  it('holds what a worker may take within bounds, and what an owner may give', () => {
    expect(takeMessage.safeParse({ slots: 17, waitMs: 1 }).success).toBe(false);
    expect(takeMessage.safeParse({ slots: 1, waitMs: 3_600_000 }).success).toBe(false);
    const job = { ticket: TICKET, place: { chain: 'main', node: 0 }, request: { chainId: '1', numbers: [1], rules: { header: 'enforce', transactions: 'off', receipts: 'off', withdrawals: 'off', senders: 'off' } } };
    expect(takeAnswer.safeParse({ job }).success).toBe(true);
    expect(takeAnswer.safeParse({ job: { ...job, place: { ...job.place, url: 'http://elsewhere' } } }).success).toBe(false);
  });
});
