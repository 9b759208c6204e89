import { given } from '#platform/testing';
import { backfillDecider } from './backfill.decider.ts';
import type { BackfillEvent, ObservedBlock } from './chain.events.ts';
import type { Hex, RpcHeader } from './rpc-types.ts';

const hash = (name: string): Hex => `0x${Buffer.from(name).toString('hex').padEnd(64, '0')}`;
function block(name: string, parent = `${name[0]}${Number(name.slice(1)) - 1}`): ObservedBlock {
  const number = Number(name.slice(1));
  const header: RpcHeader = { hash: hash(name), parentHash: hash(parent), number: `0x${number.toString(16)}`, timestamp: '0x65920080' };
  return { chainId: '1', number, hash: hash(name), parentHash: hash(parent), header, transactionCount: 0, kinds: { transfer: 0, call: 0, deploy: 0 }, verification: {}, receipts: true };
}
const observed = (name: string, parent?: string): BackfillEvent => ({ type: 'BlockObserved', data: block(name, parent), naturalKey: hash(name), occurredAt: '2024-01-01T00:00:00.000Z' });
const started: BackfillEvent = { type: 'BackfillStarted', data: { chainId: '1', from: 2, to: 4 } };
const all = [started, observed('a2'), observed('a3'), observed('a4')];
const finished: BackfillEvent = { type: 'BackfillFinished', data: { chainId: '1', from: 2, to: 4, blocks: 3 } };

describe('a backfill', () => {
  it('starts once, with its range', () => {
    given(backfillDecider, []).when({ type: 'StartBackfill', chainId: '1', from: 2, to: 4 }).then([started]);
    given(backfillDecider, all).when({ type: 'StartBackfill', chainId: '1', from: 2, to: 4 }).then([]);
    given(backfillDecider, [started]).when({ type: 'StartBackfill', chainId: '1', from: 2, to: 5 }).thenThrows('backfill-range-differs');
    given(backfillDecider, []).when({ type: 'ObserveBackfilled', blocks: [] }).thenThrows('backfill-unknown');
  });
  it('takes blocks in order, and goes on after a restart that brings some again', () => {
    given(backfillDecider, [started]).when({ type: 'ObserveBackfilled', blocks: [block('a2'), block('a3')] }).then([observed('a2'), observed('a3')]);
    given(backfillDecider, all.slice(0, 3)).when({ type: 'ObserveBackfilled', blocks: [block('a2'), block('a3'), block('a4')] }).then([observed('a4')]);
  });
  it('has no gap, no foreign link, and nothing beyond its range', () => {
    given(backfillDecider, [started]).when({ type: 'ObserveBackfilled', blocks: [block('a3')] }).thenThrows('block-gap', { expected: 2 });
    given(backfillDecider, [started, observed('a2')]).when({ type: 'ObserveBackfilled', blocks: [block('b3')] }).thenThrows('parent-mismatch');
    given(backfillDecider, all).when({ type: 'ObserveBackfilled', blocks: [block('a5')] }).thenThrows('backfill-beyond-range');
  });
  it('takes a branch that replaced its newest blocks, from where both part', () => {
    const replaced = [...all, observed('b3', 'a2'), observed('b4')];
    given(backfillDecider, all).when({ type: 'ObserveBackfilled', blocks: [block('a2'), block('b3', 'a2'), block('b4')] }).then(replaced.slice(4));
    given(backfillDecider, all).when({ type: 'ObserveBackfilled', blocks: [block('b4', 'b3')] }).thenThrows('parent-mismatch', { number: 4 });
    given(backfillDecider, replaced).when({ type: 'ObserveBackfilled', blocks: [block('b3', 'a2'), block('b4')] }).then([]);
    given(backfillDecider, replaced).when({ type: 'FinishBackfill', above: hash('b4'), below: hash('a1') }).then([finished]);
    given(backfillDecider, replaced.slice(0, 5)).when({ type: 'FinishBackfill', above: undefined }).thenThrows('backfill-incomplete', { next: 4 });
  });
  it('takes another first block, and then joins the parent of that one', () => {
    const replaced = [...all, observed('b2', 'b1'), observed('b3'), observed('b4')];
    given(backfillDecider, all).when({ type: 'ObserveBackfilled', blocks: [block('b2'), block('b3'), block('b4')] }).then(replaced.slice(4));
    given(backfillDecider, replaced).when({ type: 'FinishBackfill', above: hash('b4'), below: hash('b1') }).then([finished]);
    given(backfillDecider, replaced).when({ type: 'FinishBackfill', above: hash('b4'), below: hash('a1') }).thenThrows('backfill-unlinked', { number: 1 });
  });
  it('can not be left deeper than it remembers', () => {
    const long: BackfillEvent[] = [{ type: 'BackfillStarted', data: { chainId: '1', from: 2, to: 900 } }, ...Array.from({ length: 400 }, (_, n) => observed(`a${2 + n}`))];
    given(backfillDecider, long).when({ type: 'ObserveBackfilled', blocks: [block('b400', 'a399'), block('b401')] }).then([observed('b400', 'a399'), observed('b401')]);
    given(backfillDecider, long).when({ type: 'ObserveBackfilled', blocks: Array.from({ length: 300 }, (_, n) => block(`b${102 + n}`)) }).thenThrows('parent-mismatch');
  });
  it('is captured again from its first block once it is finished, and only then', () => {
    given(backfillDecider, [...all, finished]).when({ type: 'RestartBackfill' }).then([started]);
    given(backfillDecider, [...all, finished, started]).when({ type: 'RestartBackfill' }).then([]);
    given(backfillDecider, all).when({ type: 'RestartBackfill' }).then([]);
    const again = [...all, finished, started, observed('b2', 'b1'), observed('b3'), observed('b4')];
    given(backfillDecider, again.slice(0, 6)).when({ type: 'ObserveBackfilled', blocks: [block('b2'), block('b3'), block('b4')] }).then(again.slice(6));
    given(backfillDecider, again).when({ type: 'FinishBackfill', above: hash('b4'), below: hash('b1') }).then([finished]);
  });
  it('finishes when it joins what stands above and below it', () => {
    given(backfillDecider, all).when({ type: 'FinishBackfill', above: hash('a4'), below: hash('a1') }).then([finished]);
    given(backfillDecider, all).when({ type: 'FinishBackfill', above: undefined }).then([finished]);
    given(backfillDecider, [...all, finished]).when({ type: 'FinishBackfill', above: hash('a4') }).then([]);
    given(backfillDecider, all).when({ type: 'FinishBackfill', above: hash('b4') }).thenThrows('backfill-unlinked', { number: 4 });
    given(backfillDecider, all).when({ type: 'FinishBackfill', above: undefined, below: hash('b1') }).thenThrows('backfill-unlinked', { number: 1 });
    given(backfillDecider, all.slice(0, 3)).when({ type: 'FinishBackfill', above: undefined }).thenThrows('backfill-incomplete', { next: 4 });
  });
});
