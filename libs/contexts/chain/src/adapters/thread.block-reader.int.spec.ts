import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import type { EventStore } from '#platform/event-store';
import type { RecordedEvent } from '#platform/kernel';
import { CaptureRig } from '../../../../../test/load/capture-rig.ts';
import { generateChain } from '../../../../../test/load/generated-chain.ts';
import type { RecordedChain } from '../../../../../test/load/recorded-chain.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';
import { temporaryStore } from '../../../../../test/load/temporary-store.ts';

const BLOCKS = 120;
const endings: (() => Promise<unknown> | void)[] = [];
let chain: RecordedChain;
let chainId: string;
let node: ReplayNode;

beforeAll(async () => {
  chain = await generateChain({ seed: 11, blocks: BLOCKS, transactionsPerBlock: 6 });
  chainId = chain.chainId.toString();
});
beforeEach(async () => {
  node = await replay();
});
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function replay(): Promise<ReplayNode> {
  const made = await ReplayNode.start(chain);
  endings.push(() => made.close());
  return made;
}

async function store(): Promise<EventStore> {
  const made = await temporaryStore();
  endings.push(() => made.remove());
  return made.store;
}

async function captured(thread: boolean, urls: readonly string[] = [node.url], log?: EventStore, meanwhile?: (rig: CaptureRig) => Promise<void>): Promise<CaptureRig> {
  const rig = new CaptureRig(log ?? (await store()), { thread });
  endings.push(() => rig.stop());
  await rig.start(urls, { chainId, finality: { depth: 64 } });
  await meanwhile?.(rig);
  await rig.untilHead(chainId, BLOCKS - 1, 60_000);
  return rig;
}

/** What stands in each stream, but for when and on what occasion it was written. */
async function written(rig: CaptureRig): Promise<Record<string, unknown[]>> {
  const streams: Record<string, unknown[]> = {};
  for (const { stream, id, type, schemaVersion, revision, occurredAt, data } of await rig.events()) {
    // The actor of the chain may take other blocks together, so finality may be told at other heads.
    if (type === 'BlocksSafe' || type === 'BlocksFinalized') continue;
    const place = type === 'BlockObserved' ? {} : { id, revision };
    (streams[stream] ??= []).push({ ...place, type, schemaVersion, ...(type !== 'ChainStarted' && { occurredAt }), data });
  }
  return streams;
}

const bodies = (events: readonly RecordedEvent[]): number => events.filter(({ stream }) => stream.startsWith('block-')).length;

describe('reading blocks in a thread of its own', () => {
  it('writes the very events that reading in this thread writes', async () => {
    const here = await written(await captured(false));
    const rig = await captured(true);
    expect(await written(rig)).toEqual(here);
    expect(Object.keys(here)).toHaveLength(BLOCKS);
  });

  (process.platform === 'linux' ? it : it.skip)('gives way to the thread that answers requests', async () => {
    await captured(true);
    const niceness = readdirSync('/proc/self/task')
      .filter((thread) => readFileSync(`/proc/self/task/${thread}/comm`, 'utf8') === 'block-reader\n')
      .map((thread) => getPriority(Number(thread)));
    expect(new Set(niceness)).toEqual(new Set([Math.min(19, getPriority() + 5)]));
  });

  it('counts what it asks of the node', async () => {
    const rig = await captured(true);
    const ok = rig.calls.filter((call) => call === 'eth_getBlockReceipts ok').length;
    expect(ok).toBeGreaterThanOrEqual(BLOCKS);
    expect(ok).toBe(node.calls.get('eth_getBlockReceipts'));
  });

  it('goes on where it was when its thread dies again and again', async () => {
    const here = await written(await captured(false));
    let deaths = 0;
    const rig = await captured(true, [node.url], undefined, async (one) => {
      for (; deaths < 3; deaths += 1) {
        await new Promise((resolve) => setTimeout(resolve, 350));
        await one.reader?.terminate();
      }
    });
    expect(deaths).toBe(3);
    expect(await written(rig)).toEqual(here);
  });

  it('goes on with a body of which a part was written before a crash', async () => {
    const first = await captured(false);
    const here = await written(first);
    const log = await store();
    for (const event of (await first.events('TxFetched')).filter(({ revision }) => revision < 3)) {
      const { stream, revision, position: _, ...rest } = event;
      await log.append({ stream, expected: revision === 0 ? 'noStream' : revision - 1, events: [rest] });
    }
    const rig = await captured(true, [node.url], log);
    expect(await written(rig)).toEqual(here);
  });

  it('writes nothing twice when everything is there already', async () => {
    const first = await captured(false);
    const log = await store();
    for (const event of (await first.events()).filter(({ stream }) => stream.startsWith('block-'))) {
      const { stream, revision, position: _, ...rest } = event;
      await log.append({ stream, expected: revision === 0 ? 'noStream' : revision - 1, events: [rest] });
    }
    const rig = await captured(true, [node.url], log);
    expect(bodies(await rig.events())).toBe(bodies(await first.events()));
    expect(await written(rig)).toEqual(await written(first));
  });

  it('lets nothing through that does not recompute, and asks another provider', async () => {
    const liar = await replay();
    liar.faults.add({
      method: 'eth_getBlockByNumber',
      when: ({ params }) => params[1] === true && params[0] === '0x32',
      does: { kind: 'edit', edit: (block) => ({ ...block, gasUsed: '0x1' }) },
    });
    const rig = await captured(true, [liar.url, node.url]);
    expect(rig.lines).toContainEqual(expect.objectContaining({ message: 'verification failed', fields: expect.objectContaining({ code: 'block-mismatch', field: 'hash' }) as unknown }));
    expect((await rig.events('BlockObserved')).map(({ data }) => data['number'])).toEqual(Array.from({ length: BLOCKS }, (_, number) => number));
  });

  it('asks another provider for what one refuses', async () => {
    const refusing = await replay();
    refusing.faults.add({ method: 'eth_getBlockReceipts', when: ({ params }) => Number(params[0]) > 40 && Number(params[0]) < 50, does: { kind: 'error', code: -32000, message: 'internal error' } });
    const rig = await captured(true, [refusing.url, node.url]);
    expect(rig.lines).toContainEqual(expect.objectContaining({ message: 'provider is unwell', fields: expect.objectContaining({ meaning: 'down' }) as unknown }));
    expect((await rig.events('BlockObserved')).map(({ data }) => data['number'])).toEqual(Array.from({ length: BLOCKS }, (_, number) => number));
  });
});
