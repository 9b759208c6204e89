import { createKeccak256 } from '../adapters/hash-wasm.keccak.ts';
import type { EventReader } from '#platform/event-store';
import type { RecordedEvent } from '#platform/kernel';
import { CaptureRig } from '../../../../../test/load/capture-rig.ts';
import { generateBranch, generateChain } from '../../../../../test/load/generated-chain.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';
import type { VerifyStep } from './verify-store.ts';
import { verifyStore } from './verify-store.ts';

let capture: CaptureRig;

beforeAll(async () => {
  const chain = await generateChain({ seed: 21, blocks: 25, transactionsPerBlock: 3 });
  const fork = chain.at(20)!;
  const node = await ReplayNode.start(chain);
  capture = new CaptureRig();
  await capture.start([node.wsUrl], { startBlock: 10, chainId: '424242' });
  await capture.untilHead('424242', 24);
  node.switchTo(await generateBranch({ seed: 22, transactionsPerBlock: 2 }, fork, 6));
  await capture.untilHead('424242', 26);
  capture.startBackfills();
  await capture.actors.chains.tell('424242', { type: 'RequestBackfill', from: 0, to: 9 });
  await capture.until('backfilled', () => capture.events('BackfillCompleted'), (events) => events.length === 1);
  await capture.stop();
  await node.close();
});

async function steps(change: (event: RecordedEvent) => RecordedEvent | undefined = (event) => event): Promise<VerifyStep[]> {
  const { store } = capture;
  const reader = new Proxy(store, {
    get: (target, key: keyof EventReader) =>
      key === 'readStream'
        ? async (...asked: Parameters<EventReader['readStream']>) => (await target.readStream(...asked)).map(change).filter((event) => event !== undefined)
        : (...asked: never[]) => (target[key] as (...given: never[]) => unknown).apply(target, asked),
  });
  const all: VerifyStep[] = [];
  for await (const step of verifyStore({ reader, crypto: { keccak256: await createKeccak256() } })) all.push(step);
  return all;
}
const codes = (all: readonly VerifyStep[]): string[] => all.flatMap((step) => (step.kind === 'finding' ? [step.code] : []));

describe('verifying the store', () => {
  it('finds nothing wrong in what was captured, reorganised and backfilled', async () => {
    const all = await steps();
    expect(codes(all)).toEqual([]);
    expect(all.at(-1)).toMatchObject({ kind: 'done', chains: 1, blocks: 31, findings: 0 });
  });

  it.each<[string, string, (event: RecordedEvent) => RecordedEvent | undefined]>([
    ['a changed value', 'root-differs', (event) => (event.type === 'TxFetched' && event.data['blockNumber'] === 12 ? { ...event, data: { ...event.data, transaction: { ...(event.data['transaction'] as object), value: '0x999' } } } : event)],
    ['a lost transaction', 'count-differs', (event) => (event.type === 'TxFetched' && event.data['blockNumber'] === 12 && event.data['index'] === 1 ? undefined : event)],
    ['a body that never ended', 'body-incomplete', (event) => (event.type === 'BlockCompleted' && event.data['blockNumber'] === 12 ? undefined : event)],
    ['a lost body', 'body-missing', (event) => (event.stream.startsWith('block-') && event.data['blockNumber'] === 12 ? undefined : event)],
    ['a lost block', 'gap', (event) => (event.type === 'BlockObserved' && event.data['number'] === 12 ? undefined : event)],
    ['a broken link', 'link-broken', (event) => (event.type === 'BlockObserved' && event.data['number'] === 5 ? { ...event, data: { ...event.data, hash: `0x${'ab'.repeat(32)}` } } : event)],
  ])('finds %s', async (_what, code, change) => {
    expect(codes(await steps(change))).toContain(code);
  });

  it('tells of blocks that nobody asked for, and does not call them missing', async () => {
    const all = await steps((event) => {
      if (event.type.startsWith('Backfill')) return { ...event, data: { ...event.data, to: 4 } };
      return event.type === 'BlockObserved' && (event.data['number'] as number) > 4 && (event.data['number'] as number) < 10 ? undefined : event;
    });
    expect(all).toContainEqual({ kind: 'hole', chainId: '424242', from: 5, to: 9 });
    expect(codes(all)).not.toContain('gap');
  });
});
