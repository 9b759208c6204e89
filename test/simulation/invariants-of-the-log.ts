import type { RecordedEvent } from '#platform/kernel';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import { verifyStore } from '../../libs/contexts/chain/src/application/verify-store.ts';
import { normaliseBlock, normaliseReceipts } from '../../libs/contexts/chain/src/domain/normalise.ts';
import type { RecordedBlock } from '../load/recorded-chain.ts';
import type { Fields } from '../recorded/as-the-api-writes-it.ts';
import { LogModel } from './log-model.ts';
import type { TrueChain } from './true-chain.ts';
import type { World } from './world.ts';

/** Revisions without gap or repeat, ids unique, no body begun twice. */
export function expectSoundLog(events: readonly RecordedEvent[]): void {
  const last = new Map<string, number>();
  const wrong: string[] = [];
  for (const { stream, revision } of events) {
    if (revision !== (last.get(stream) ?? -1) + 1) wrong.push(`${stream} ${revision}`);
    last.set(stream, revision);
  }
  expect(wrong).toEqual([]);
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  const bodies = events.flatMap(({ type, stream, data }) => (type === 'TxFetched' ? [`${stream} ${Number(data['index'])}`] : []));
  expect(new Set(bodies).size).toBe(bodies.length);
}

/** Blocks stand on the head, bodies before them, branches whole before they are adopted; and what is left is the true chain. */
export function expectOrdered(events: readonly RecordedEvent[], chain: TrueChain): void {
  const model = new LogModel();
  for (const event of events) model.apply(event);
  expect(model.wrong).toEqual([]);
  expect([...model.canonical].sort(([one], [other]) => one - other)).toEqual(chain.line.map(({ number, hash }) => [number, hash]));
}

/** Every block, transaction and receipt in the log is one that the true chain ever held, field by field. */
export function expectNothingInvented(events: readonly RecordedEvent[], ever: TrueChain['ever']): void {
  const known = new Map<string, ReturnType<typeof asRecorded>>();
  const trueOf = (hash: string): ReturnType<typeof asRecorded> => {
    const block = ever.get(hash);
    if (block === undefined) throw new Error(`the chain never held the block ${hash}`);
    const found = known.get(hash) ?? asRecorded(block);
    known.set(hash, found);
    return found;
  };
  for (const { type, data } of events) {
    if (type === 'BlockObserved' || type === 'BranchBlockObserved') {
      const { header } = trueOf(data['hash'] as string);
      expect(data).toMatchObject({ number: Number(header.number), parentHash: header.parentHash, header, receipts: true });
      expect(Object.values(data['verification'] as object)).not.toContain('unverifiable');
    }
    if (type === 'TxFetched') {
      const { transactions, receipts } = trueOf(data['blockHash'] as string);
      const index = Number(data['index']);
      expect([data['transaction'], data['receipt']]).toEqual([transactions[index], receipts?.[index]]);
    }
    if (type === 'BlocksFinalized' || type === 'BlocksSafe') trueOf(data['hash'] as string);
  }
}

function asRecorded({ block, receipts }: RecordedBlock) {
  const { transactions, ...header } = normaliseBlock(JSON.parse(block.toString()) as Fields);
  const whole = { ...header, transactions };
  return { header, transactions, receipts: normaliseReceipts(JSON.parse(receipts.toString()) as Fields[], whole) };
}

/** Finalized only rises, no reorganisation goes below it, and nothing made the chain stop. */
export function expectFinalityKept(events: readonly RecordedEvent[], { chain, finalized: expected }: World): void {
  let finalized = -1;
  for (const { type, data } of events) {
    if (type === 'BlocksFinalized') {
      expect(data['number']).toBeGreaterThan(finalized);
      finalized = Number(data['number']);
      expect(data['hash']).toBe(chain.line[finalized]?.hash);
    }
    if (type === 'ChainReorganized') expect((data['ancestor'] as { number: number }).number).toBeGreaterThanOrEqual(finalized);
    expect(type).not.toBe('ChainStopped');
  }
  expect(finalized).toBe(expected);
}

export async function expectVerifies({ log }: World): Promise<void> {
  const steps: unknown[] = [];
  for await (const step of verifyStore({ reader: log.store, crypto: { keccak256: await createKeccak256() } })) if (step.kind !== 'progress') steps.push(step);
  expect(steps).toEqual([expect.objectContaining({ kind: 'done', chains: 1, findings: 0 })]);
}
