import { given as givenOf } from '#platform/testing';
import type { ChainEvent, ObservedBlock } from './chain.events.ts';
import { chainDecider } from './chain.decider.ts';
import { chainFromJson, chainToJson } from './chain-snapshot.ts';
import type { BlockRef, Hex, RpcHeader } from './rpc-types.ts';

/** `a7` is block 7 of branch a; its parent is a6 unless said otherwise. */
const hash = (name: string): Hex => `0x${Buffer.from(name).toString('hex').padEnd(64, '0')}`;
const ref = (name: string): BlockRef => ({ number: Number(name.slice(1)), hash: hash(name) });
function block(name: string, parent = `${name[0]}${ref(name).number - 1}`): ObservedBlock {
  const header: RpcHeader = { hash: hash(name), parentHash: hash(parent), number: `0x${ref(name).number.toString(16)}`, timestamp: '0x65920080' };
  return { chainId: '1', ...ref(name), parentHash: hash(parent), header, transactionCount: 0, kinds: { transfer: 0, call: 0, deploy: 0 }, verification: { header: 'verified' }, receipts: true };
}
const occurredAt = '2024-01-01T00:00:00.000Z';
const observed = (name: string, parent?: string): ChainEvent => ({ type: 'BlockObserved', data: block(name, parent), naturalKey: hash(name), occurredAt });
const branched = (name: string, parent?: string): ChainEvent => ({ type: 'BranchBlockObserved', data: block(name, parent), naturalKey: hash(name), occurredAt });
const reorganized = (ancestor: string, dropped: string[], adopted: string[]): ChainEvent => ({
  type: 'ChainReorganized',
  data: { chainId: '1', ancestor: ref(ancestor), dropped: dropped.map(ref), adopted: adopted.map(ref) },
});
const safe = (name: string): ChainEvent => ({ type: 'BlocksSafe', data: { chainId: '1', ...ref(name) } });
const finalized = (name: string): ChainEvent => ({ type: 'BlocksFinalized', data: { chainId: '1', ...ref(name) } });
const requested = (from: number, to: number): ChainEvent => ({ type: 'BackfillRequested', data: { chainId: '1', from, to } });
const completed = (from: number, to: number): ChainEvent => ({ type: 'BackfillCompleted', data: { chainId: '1', from, to } });
const started: ChainEvent = { type: 'ChainStarted', data: { chainId: '1', genesisHash: hash('a0'), firstBlock: 5 } };
const stopped: ChainEvent = { type: 'ChainStopped', data: { chainId: '1', code: 'reorg-below-finalized', reason: 'fork' } };
const resumed: ChainEvent = { type: 'ChainResumed', data: { chainId: '1', reason: 'checked' } };

const decider = chainDecider({ window: 8 });
const given = (...events: ChainEvent[]): ReturnType<typeof givenOf<ReturnType<typeof decider.initialState>, Parameters<typeof decider.decide>[0], ChainEvent>> => givenOf(decider, events);
const upTo = (last: number): ChainEvent[] => [started, ...Array.from({ length: last - 4 }, (_, n) => observed(`a${5 + n}`))];

describe('a chain starts', () => {
  const start = { type: 'StartChain', chainId: '1', genesisHash: hash('a0'), firstBlock: 5 } as const;
  it('once, and goes on from where it is', () => {
    given().when(start).then([started]);
    given(started).when(start).then([]);
    given(...upTo(7)).when({ ...start, firstBlock: 900 }).then([]);
  });
  it('not as another chain than before', () => {
    given(started).when({ ...start, genesisHash: hash('b0') }).thenThrows('genesis-mismatch');
    given({ ...started, data: { chainId: '1', genesisHash: hash('a0'), firstBlock: 0 } })
      .when({ type: 'ObserveBlocks', blocks: [block('b0')] })
      .thenThrows('genesis-mismatch', { expected: hash('a0'), actual: hash('b0') });
  });
  it('before anything else can be told of it', () => {
    given().when({ type: 'ObserveBlocks', blocks: [] }).thenThrows('chain-not-started');
    given().when({ type: 'StopChain', code: 'x', reason: 'y' }).thenThrows('chain-not-started');
  });
});

describe('blocks of the head', () => {
  it('follow each other', () => {
    given(started).when({ type: 'ObserveBlocks', blocks: [block('a5'), block('a6')] }).then([observed('a5'), observed('a6')]);
    given(...upTo(6)).when({ type: 'ObserveBlocks', blocks: [block('a7')] }).then([observed('a7')]);
  });
  it('are passed over when we have them', () => {
    given(...upTo(7)).when({ type: 'ObserveBlocks', blocks: [block('a6'), block('a7'), block('a8')] }).then([observed('a8')]);
    given(...upTo(7)).when({ type: 'ObserveBlocks', blocks: [block('a6'), block('a7')] }).then([]);
    const many = upTo(60);
    given(...many).when({ type: 'ObserveBlocks', blocks: [block('a9')] }).then([]);
  });
  it('are refused when one is missing, or its parent is not ours', () => {
    given(...upTo(6)).when({ type: 'ObserveBlocks', blocks: [block('a8')] }).thenThrows('block-gap', { expected: 7, actual: 8 });
    given(started).when({ type: 'ObserveBlocks', blocks: [block('a6')] }).thenThrows('block-gap', { expected: 5, actual: 6 });
    given(...upTo(6)).when({ type: 'ObserveBlocks', blocks: [block('b7')] }).thenThrows('parent-mismatch', { number: 7, head: hash('a6') });
    given(...upTo(6)).when({ type: 'ObserveBlocks', blocks: [block('b6', 'a5')] }).thenThrows('parent-mismatch', { number: 6, ours: hash('a6') });
    given(...upTo(6)).when({ type: 'ObserveBlocks', blocks: [{ ...block('a7'), chainId: '10' }] }).thenThrows('foreign-block');
  });
  it('may jump over a gap that is being backfilled, and only then', () => {
    given(...upTo(6), requested(7, 20_000)).when({ type: 'ObserveBlocks', blocks: [block('a20001')] }).then([observed('a20001')]);
    given(...upTo(6), requested(7, 20_000)).when({ type: 'ObserveBlocks', blocks: [block('a20002')] }).thenThrows('block-gap');
    given(...upTo(6), requested(7, 20_000)).when({ type: 'ObserveBlocks', blocks: [block('a7')] }).thenThrows('backfill-overlaps');
    given(...upTo(6), requested(7, 20_000), observed('a20001')).when({ type: 'ObserveBlocks', blocks: [block('a20002')] }).then([observed('a20002')]);
  });
});

describe('a branch', () => {
  const toBranch = [...upTo(8), branched('b7', 'a6'), branched('b8'), branched('b9')];
  it('is observed block by block, in one part or several', () => {
    given(...upTo(8)).when({ type: 'ObserveBranch', ancestor: ref('a6'), blocks: [block('b7', 'a6'), block('b8')] }).then([branched('b7', 'a6'), branched('b8')]);
    given(...upTo(8), branched('b7', 'a6')).when({ type: 'ObserveBranch', ancestor: ref('a6'), blocks: [block('b7', 'a6'), block('b8')] }).then([branched('b8')]);
  });
  it('must leave from our chain and have no gap', () => {
    given(...upTo(8)).when({ type: 'ObserveBranch', ancestor: ref('c6'), blocks: [block('c7')] }).thenThrows('ancestor-unknown');
    given(...upTo(8)).when({ type: 'ObserveBranch', ancestor: ref('a6'), blocks: [block('b8')] }).thenThrows('parent-mismatch');
  });
  it('is adopted in one event, and our chain goes on from its tip', () => {
    given(...toBranch).when({ type: 'AdoptBranch', ancestor: ref('a6'), tip: ref('b9') }).then([reorganized('a6', ['a7', 'a8'], ['b7', 'b8', 'b9'])]);
    const after = [...toBranch, reorganized('a6', ['a7', 'a8'], ['b7', 'b8', 'b9'])];
    given(...after).when({ type: 'AdoptBranch', ancestor: ref('a6'), tip: ref('b9') }).then([]);
    given(...after).when({ type: 'ObserveBlocks', blocks: [block('b10')] }).then([observed('b10')]);
    given(...after).when({ type: 'ObserveBlocks', blocks: [block('a9')] }).thenThrows('parent-mismatch');
  });
  it('is not adopted before it is complete', () => {
    given(...toBranch).when({ type: 'AdoptBranch', ancestor: ref('a6'), tip: ref('b10') }).thenThrows('branch-incomplete');
    given(...upTo(8)).when({ type: 'AdoptBranch', ancestor: ref('a6'), tip: ref('b8') }).thenThrows('branch-incomplete');
  });
  it('may be left for another one before it is adopted', () => {
    given(...toBranch, branched('c8', 'b7'), branched('c9')).when({ type: 'AdoptBranch', ancestor: ref('a6'), tip: ref('c9') }).then([reorganized('a6', ['a7', 'a8'], ['b7', 'c8', 'c9'])]);
    given(...toBranch, branched('d8', 'a7')).when({ type: 'AdoptBranch', ancestor: ref('a6'), tip: ref('d8') }).then([reorganized('a7', ['a8'], ['d8'])]);
  });
  it('may come back: A, B, A', () => {
    const back = [...toBranch, reorganized('a6', ['a7', 'a8'], ['b7', 'b8', 'b9']), branched('a7'), branched('a8'), branched('a9'), branched('a10')];
    given(...back).when({ type: 'AdoptBranch', ancestor: ref('a6'), tip: ref('a10') }).then([reorganized('a6', ['b7', 'b8', 'b9'], ['a7', 'a8', 'a9', 'a10'])]);
  });
  it('names as dropped what our chain gained while the branch was fetched', () => {
    given(...toBranch, observed('a9')).when({ type: 'AdoptBranch', ancestor: ref('a6'), tip: ref('b9') }).then([reorganized('a6', ['a7', 'a8', 'a9'], ['b7', 'b8', 'b9'])]);
  });
  it('leaves above a part of an older branch that is ours by now', () => {
    const crashed = [...toBranch, branched('b10'), reorganized('a6', ['a7', 'a8'], ['b7', 'b8', 'b9']), observed('b10'), observed('b11')];
    const next = [...crashed, branched('c10', 'b9'), branched('c11'), branched('c12')];
    given(...crashed).when({ type: 'ObserveBranch', ancestor: ref('b9'), blocks: [block('c10', 'b9')] }).then([branched('c10', 'b9')]);
    given(...next).when({ type: 'AdoptBranch', ancestor: ref('b9'), tip: ref('c12') }).then([reorganized('b9', ['b10', 'b11'], ['c10', 'c11', 'c12'])]);
  });
  it('may be nothing at all: a rollback', () => {
    given(...upTo(8)).when({ type: 'AdoptBranch', ancestor: ref('a6'), tip: ref('a6') }).then([reorganized('a6', ['a7', 'a8'], [])]);
    given(...upTo(8), reorganized('a6', ['a7', 'a8'], [])).when({ type: 'ObserveBlocks', blocks: [block('b7', 'a6')] }).then([observed('b7', 'a6')]);
    given(...upTo(8)).when({ type: 'AdoptBranch', ancestor: ref('a8'), tip: ref('a8') }).then([]);
  });
  it('may be nothing at all of what is captured, and is told again in vain', () => {
    given(...upTo(6)).when({ type: 'AdoptBranch', ancestor: ref('a4'), tip: ref('a4') }).then([reorganized('a4', ['a5', 'a6'], [])]);
    given(...upTo(6), reorganized('a4', ['a5', 'a6'], [])).when({ type: 'AdoptBranch', ancestor: ref('a4'), tip: ref('a4') }).then([]);
  });
  it('may replace the first block that was ever captured', () => {
    const replaced = [...upTo(6), branched('b5', 'b4'), branched('b6'), branched('b7')];
    given(...upTo(6)).when({ type: 'ObserveBranch', ancestor: ref('b4'), blocks: [block('b5'), block('b6')] }).then([branched('b5'), branched('b6')]);
    given(...replaced).when({ type: 'AdoptBranch', ancestor: ref('b4'), tip: ref('b7') }).then([reorganized('b4', ['a5', 'a6'], ['b5', 'b6', 'b7'])]);
    given(...replaced, reorganized('b4', ['a5', 'a6'], ['b5', 'b6', 'b7'])).when({ type: 'ObserveBlocks', blocks: [block('b8')] }).then([observed('b8')]);
  });
  it('may not replace the first block while a completed backfill holds the one under it', () => {
    given(...upTo(6), requested(0, 4)).when({ type: 'ObserveBranch', ancestor: ref('b4'), blocks: [block('b5')] }).then([branched('b5')]);
    given(...upTo(6), requested(0, 4), completed(0, 4)).when({ type: 'ObserveBranch', ancestor: ref('b4'), blocks: [block('b5')] }).thenThrows('ancestor-unknown');
    given(...upTo(6), requested(0, 4), completed(0, 4)).when({ type: 'ObserveBranch', ancestor: ref('a4'), blocks: [block('b5', 'a4')] }).then([branched('b5', 'a4')]);
  });
  it.each([5_000, 12_000])('of %i blocks is adopted in parts that fit one append each', (depth) => {
    const wide = chainDecider({ window: 20_000 });
    const branch = Array.from({ length: depth + 1 }, (_, n) => branched(`b${6 + n}`, n === 0 ? 'a5' : undefined));
    let state = [...upTo(5 + depth), ...branch].reduce(wide.evolve, wide.initialState());
    const adopt = { type: 'AdoptBranch', ancestor: ref('a5'), tip: ref(`b${6 + depth}`) } as const;
    let parts = 0;
    for (let events = wide.decide(adopt, state, { now: 0 }); events.length > 0; events = wide.decide(adopt, state, { now: 0 })) {
      expect(JSON.stringify(events).length).toBeLessThan(850_000);
      state = events.reduce(wide.evolve, state);
      parts += 1;
    }
    expect(parts).toBe(Math.ceil((2 * depth + 1) / 8_000));
    expect(state).toMatchObject({ links: { ref: ref(`b${6 + depth}`), count: depth + 2 }, branch: undefined });
  });
  it('is told in several events of one append where it is very long', () => {
    const long = upTo(2_604);
    const events = givenEvents(long, { type: 'AdoptBranch', ancestor: ref('a5'), tip: ref('a5') });
    expect(events.map((event) => (event.type === 'ChainReorganized' ? [event.data.ancestor.number, event.data.dropped.length] : []))).toEqual([[1604, 1000], [604, 1000], [5, 599]]);
    for (const event of events) expect(JSON.stringify(event).length).toBeLessThan(256 * 1024);
  });
});

function givenEvents(events: readonly ChainEvent[], command: Parameters<typeof decider.decide>[0]): readonly ChainEvent[] {
  const wide = chainDecider({ window: 4096 });
  return wide.decide(command, events.reduce(wide.evolve, wide.initialState()), { now: 0 });
}

describe('finality', () => {
  it('only rises, and only for blocks of ours', () => {
    given(...upTo(9)).when({ type: 'MarkFinalized', block: ref('a7') }).then([finalized('a7')]);
    given(...upTo(9), finalized('a7')).when({ type: 'MarkFinalized', block: ref('a7') }).then([]);
    given(...upTo(9), finalized('a7')).when({ type: 'MarkFinalized', block: ref('a6') }).then([]);
    given(...upTo(9)).when({ type: 'MarkFinalized', block: ref('b7') }).thenThrows('finality-not-ours', { number: 7 });
    given(...upTo(9), finalized('a7')).when({ type: 'MarkFinalized', block: ref('b7') }).thenThrows('finality-not-ours');
  });
  it('says nothing of blocks that are not captured', () => {
    given(...upTo(9)).when({ type: 'MarkFinalized', block: ref('a10') }).then([]);
    given(...upTo(9)).when({ type: 'MarkFinalized', block: ref('a4') }).then([]);
    given(started).when({ type: 'MarkSafe', block: ref('a5') }).then([]);
  });
  it('lets no branch leave below it', () => {
    given(...upTo(9), finalized('a7')).when({ type: 'ObserveBranch', ancestor: ref('a6'), blocks: [block('b7', 'a6')] }).thenThrows('reorg-below-finalized', { ancestor: 6, finalized: 7 });
    given(...upTo(9), finalized('a7')).when({ type: 'AdoptBranch', ancestor: ref('a6'), tip: ref('a6') }).thenThrows('reorg-below-finalized');
    given(...upTo(9), finalized('a7')).when({ type: 'ObserveBranch', ancestor: ref('a7'), blocks: [block('b8', 'a7')] }).then([branched('b8', 'a7')]);
  });
  it('counts what is final as safe', () => {
    given(...upTo(9), finalized('a7')).when({ type: 'MarkSafe', block: ref('a7') }).then([]);
    given(...upTo(9), finalized('a7')).when({ type: 'MarkSafe', block: ref('a8') }).then([safe('a8')]);
  });
  it('takes safe back to the ancestor in a reorganisation', () => {
    const after = [...upTo(9), safe('a8'), branched('b8', 'a7'), reorganized('a7', ['a8', 'a9'], ['b8'])];
    given(...after).when({ type: 'MarkSafe', block: ref('a7') }).then([]);
    given(...after).when({ type: 'MarkSafe', block: ref('b8') }).then([safe('b8')]);
  });
});

describe('backfills', () => {
  const request = (from: number, to: number) => ({ type: 'RequestBackfill', from, to }) as const;
  it('are requested once for each block, below what is captured', () => {
    given(...upTo(9)).when(request(0, 4)).then([requested(0, 4)]);
    given(...upTo(9)).when(request(0, 5)).thenThrows('backfill-overlaps', { overlapsFrom: 5, overlapsTo: 9 });
    given(...upTo(9), requested(2, 3)).when(request(3, 4)).thenThrows('backfill-overlaps', { overlapsFrom: 2, overlapsTo: 3 });
    given(...upTo(9), requested(2, 3)).when(request(4, 4)).then([requested(4, 4)]);
    given(...upTo(9), requested(2, 3), completed(2, 3)).when(request(2, 3)).thenThrows('backfill-overlaps');
  });
  it('are refused when they are no range, or lie ahead', () => {
    for (const [from, to] of [[3, 2], [-1, 2], [0.5, 2], [0, Number.MAX_SAFE_INTEGER + 1]] as const) given(...upTo(9)).when(request(from, to)).thenThrows('backfill-range-invalid');
    given(...upTo(9)).when(request(11, 20)).thenThrows('backfill-ahead', { next: 10 });
    given(...upTo(9)).when(request(10, 20_000)).thenThrows('backfill-ahead', { next: 10 });
  });
  it('complete once', () => {
    given(...upTo(9), requested(0, 4)).when({ type: 'CompleteBackfill', from: 0, to: 4 }).then([completed(0, 4)]);
    given(...upTo(9), requested(0, 4), completed(0, 4)).when({ type: 'CompleteBackfill', from: 0, to: 4 }).then([]);
    given(...upTo(9)).when({ type: 'CompleteBackfill', from: 0, to: 4 }).thenThrows('backfill-unknown');
  });
});

describe('a stopped chain', () => {
  it('takes nothing until it is resumed', () => {
    given(...upTo(6)).when({ type: 'StopChain', code: 'reorg-below-finalized', reason: 'fork' }).then([stopped]);
    given(...upTo(6), stopped).when({ type: 'StopChain', code: 'again', reason: 'fork' }).then([]);
    given(...upTo(6), stopped).when({ type: 'ObserveBlocks', blocks: [block('a7')] }).thenThrows('chain-stopped', { code: 'reorg-below-finalized' });
    given(...upTo(6), stopped).when({ type: 'ResumeChain', reason: 'checked' }).then([resumed]);
    given(...upTo(6), stopped, resumed).when({ type: 'ResumeChain', reason: 'checked' }).then([]);
    given(...upTo(6), stopped, resumed).when({ type: 'ObserveBlocks', blocks: [block('a7')] }).then([observed('a7')]);
  });
  it('begins anew at its first block when it is resumed after a branch that left below all that can be compared', () => {
    const left = { ...stopped, data: { chainId: '1', code: 'reorg-below-first-block', reason: 'fork' } } as ChainEvent;
    const again = [...upTo(40), finalized('a30'), requested(0, 4), left, resumed];
    given(...again).when({ type: 'ObserveBlocks', blocks: [block('b5'), block('b6')] }).then([observed('b5'), observed('b6')]);
    given(...again, observed('b5')).when({ type: 'MarkFinalized', block: ref('b5') }).then([finalized('b5')]);
    given(...again).when({ type: 'RequestBackfill', from: 0, to: 4 }).thenThrows('backfill-overlaps');
  });
  it('then drops all that it holds, and has the complete ranges under it captured again', () => {
    const left = { ...stopped, data: { chainId: '1', code: 'reorg-below-first-block', reason: 'fork' } } as ChainEvent;
    const cancelled = (from: number, to: number): ChainEvent => ({ type: 'BackfillCancelled', data: { chainId: '1', from, to, reason: 'the chain left the branch that it was captured on' } });
    const held = [...upTo(7), requested(3, 4), completed(3, 4), requested(0, 1), requested(8, 9), observed('a10'), observed('a11'), left];
    const events = [reorganized('a9', ['a10', 'a11'], []), resumed, cancelled(3, 4), requested(3, 4), cancelled(8, 9)];
    given(...held).when({ type: 'ResumeChain', reason: 'checked' }).then(events);
    given(...held, ...events).when({ type: 'ResumeChain', reason: 'checked' }).then([]);
    given(...held, ...events).when({ type: 'ObserveBlocks', blocks: [block('b5')] }).then([observed('b5')]);
    given(...held, ...events).when({ type: 'CompleteBackfill', from: 3, to: 4 }).then([completed(3, 4)]);
    given(...held, ...events).when({ type: 'CompleteBackfill', from: 8, to: 9 }).thenThrows('backfill-unknown');
  });
  it('may follow the new branch when it is resumed after one that left below what was final', () => {
    given(...upTo(9), finalized('a7'), stopped, resumed).when({ type: 'ObserveBranch', ancestor: ref('a6'), blocks: [block('b7', 'a6')] }).then([branched('b7', 'a6')]);
  });
});

describe('the state of a chain', () => {
  it('is the same out of a snapshot', () => {
    const state = [...upTo(40), finalized('a30'), branched('b35', 'a34'), requested(0, 4)].reduce(decider.evolve, decider.initialState());
    expect(chainFromJson(JSON.parse(JSON.stringify(chainToJson(state))))).toMatchObject(JSON.parse(JSON.stringify(state)));
  });
  it('stays small where nothing is ever final, and keeps all that may still be reorganised where something is', () => {
    const count = (state: ReturnType<typeof decider.initialState>): number => (state.status === 'absent' ? 0 : state.links!.count);
    expect(count(upTo(500).reduce(decider.evolve, decider.initialState()))).toBeLessThanOrEqual(2 * 9);
    const late = [...upTo(10), finalized('a10'), ...upTo(500).slice(7)];
    const kept = late.reduce(decider.evolve, decider.initialState());
    expect(count(kept)).toBeGreaterThanOrEqual(491);
    expect(count(decider.evolve(kept, finalized('a499')))).toBeLessThanOrEqual(2 * 9);
  });
});
