import { given as givenOf } from '#platform/testing';
import { chainDecider } from './chain.decider.ts';
import type { ChainEvent, ObservedBlock } from './chain.events.ts';
import type { Hex } from './rpc-types.ts';

const hash = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`;
const occurredAt = '2024-01-01T00:00:00.000Z';
function block(number: number, of = number): ObservedBlock {
  const header = { hash: hash(of), parentHash: hash(number - 1), number: `0x${number.toString(16)}`, timestamp: '0x65920080' } as const;
  return { chainId: '1', number, hash: hash(of), parentHash: hash(number - 1), header, transactionCount: 0, kinds: { transfer: 0, call: 0, deploy: 0 }, verification: { header: 'verified' }, receipts: true };
}
const observed = (number: number): ChainEvent => ({ type: 'BlockObserved', data: block(number), naturalKey: hash(number), occurredAt });
const requested = (from: number, to: number): ChainEvent => ({ type: 'BackfillRequested', data: { chainId: '1', from, to } });
const completed = (from: number, to: number): ChainEvent => ({ type: 'BackfillCompleted', data: { chainId: '1', from, to } });
const cancelled = (from: number, to: number): ChainEvent => ({ type: 'BackfillCancelled', data: { chainId: '1', from, to, reason: 'pruned' } });
const started: ChainEvent = { type: 'ChainStarted', data: { chainId: '1', genesisHash: hash(0), firstBlock: 5 } };
const stopped: ChainEvent = { type: 'ChainStopped', data: { chainId: '1', code: 'reorg-below-finalized', reason: 'fork' } };
const upTo = (last: number): ChainEvent[] => [started, ...Array.from({ length: last - 4 }, (_, n) => observed(5 + n))];

const decider = chainDecider({ window: 8 });
const given = (...events: ChainEvent[]): ReturnType<typeof givenOf<ReturnType<typeof decider.initialState>, Parameters<typeof decider.decide>[0], ChainEvent>> => givenOf(decider, events);
const request = (from: number, to: number) => ({ type: 'RequestBackfill', from, to }) as const;
const cancel = (from: number, to: number) => ({ type: 'CancelBackfill', from, to, reason: 'pruned' }) as const;
const leaveGap = (number: number) => ({ type: 'LeaveGap', block: block(number) }) as const;

describe('nobody reserves what lies ahead of the head', () => {
  it.each([[10, 10], [10, 20_000], [10, 9_000_000_000_000_000], [11, 20]])('as the range %i to %i', (from, to) => {
    given(...upTo(9)).when(request(from, to)).thenThrows('backfill-ahead', { next: 10 });
  });
  it('so the next block is still taken', () => {
    given(...upTo(9)).when({ type: 'ObserveBlocks', blocks: [block(10)] }).then([observed(10)]);
  });
});

describe('a long gap is left to a backfill', () => {
  it('together with the block above it', () => {
    given(...upTo(9)).when(leaveGap(20_000)).then([requested(10, 19_999), observed(20_000)]);
  });
  it('from the first number that is not requested yet', () => {
    given(...upTo(9), requested(10, 19_999)).when(leaveGap(50_000)).then([requested(20_000, 49_999), observed(50_000)]);
    given(...upTo(9), requested(10, 19_999)).when(leaveGap(20_000)).then([observed(20_000)]);
  });
  it('once', () => {
    given(...upTo(9), requested(10, 19_999), observed(20_000)).when(leaveGap(20_000)).then([]);
  });
  it('not where there is no gap, or the chain is stopped', () => {
    given(...upTo(9)).when(leaveGap(10)).then([observed(10)]);
    given(...upTo(9)).when({ type: 'LeaveGap', block: block(8, 77) }).thenThrows('parent-mismatch');
    given(...upTo(9)).when({ type: 'LeaveGap', block: { ...block(20_000), chainId: '2' } }).thenThrows('foreign-block');
    given(...upTo(9), stopped).when(leaveGap(20_000)).thenThrows('chain-stopped');
  });
});

describe('a backfill is taken back', () => {
  it('with its reason, once', () => {
    given(...upTo(9), requested(0, 4)).when(cancel(0, 4)).then([cancelled(0, 4)]);
    given(...upTo(9), requested(0, 4), cancelled(0, 4)).when(cancel(0, 4)).thenThrows('backfill-unknown');
    given(...upTo(9), requested(0, 4), stopped).when(cancel(0, 4)).then([cancelled(0, 4)]);
  });
  it('not when it is complete, or was never asked for', () => {
    given(...upTo(9), requested(0, 4), completed(0, 4)).when(cancel(0, 4)).thenThrows('backfill-complete');
    given(...upTo(9), requested(0, 4)).when(cancel(0, 3)).thenThrows('backfill-unknown');
  });
  it('and can be asked for again, whole or in parts', () => {
    given(...upTo(9), requested(0, 4), cancelled(0, 4)).when(request(0, 4)).then([requested(0, 4)]);
    given(...upTo(9), requested(0, 4), cancelled(0, 4), requested(0, 3)).when(request(4, 4)).then([requested(4, 4)]);
    given(...upTo(9), requested(0, 4), cancelled(0, 4), requested(0, 4)).when(cancel(0, 4)).then([cancelled(0, 4)]);
    given(...upTo(9), requested(0, 4), cancelled(0, 4), requested(0, 4)).when(request(0, 4)).thenThrows('backfill-overlaps');
  });
  it('is no longer completed by what was under way', () => {
    given(...upTo(9), requested(0, 4), cancelled(0, 4)).when({ type: 'CompleteBackfill', from: 0, to: 4 }).thenThrows('backfill-unknown');
  });
  it('below a head that jumped over it, and that gap can be asked for again, but not what is captured around it', () => {
    const jumped = [...upTo(9), requested(10, 19), observed(20), observed(21), cancelled(10, 19)];
    given(...jumped).when(request(10, 19)).then([requested(10, 19)]);
    given(...jumped).when(request(12, 14)).then([requested(12, 14)]);
    given(...jumped, requested(12, 14)).when(request(15, 19)).then([requested(15, 19)]);
    given(...jumped, requested(12, 14)).when(request(14, 19)).thenThrows('backfill-overlaps', { overlapsFrom: 12, overlapsTo: 14 });
    given(...jumped).when(request(9, 12)).thenThrows('backfill-overlaps', { overlapsFrom: 5, overlapsTo: 9 });
    given(...jumped).when(request(19, 20)).thenThrows('backfill-overlaps', { overlapsFrom: 20, overlapsTo: 21 });
  });
  it('ahead of the head too, so that following goes on at the next block', () => {
    given(...upTo(9), requested(10, 16_777_214), cancelled(10, 16_777_214)).when({ type: 'ObserveBlocks', blocks: [block(10)] }).then([observed(10)]);
    given(...upTo(9), requested(10, 16_777_214), cancelled(10, 16_777_214), observed(10)).when(request(10, 10)).thenThrows('backfill-overlaps');
  });
});
