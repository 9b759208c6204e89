import { openMemoryEventStore } from '#platform/event-store';
import type { EventFilter, EventPage } from '#platform/event-store';
import type { Position } from '#platform/kernel';
import { FaultyEventStore } from '#platform/testing';
import type { CaptureRig } from '../load/capture-rig.ts';
import { generateBranch, generateChain } from '../load/generated-chain.ts';
import type { RecordedBlock } from '../load/recorded-chain.ts';
import type { ReplayNode } from '../load/replay-node.ts';
import { MortalEventStore } from '../simulation/mortal-event-store.ts';
import { Mortality } from '../simulation/mortality.ts';
import { servedBy } from './onlooker.ts';
import { GENERATED, Stage } from './stage.ts';

const stage = new Stage();
let blocks: readonly RecordedBlock[];
beforeAll(async () => {
  blocks = (await generateChain({ seed: 41, blocks: 70, transactionsPerBlock: 1 })).blocks();
});
afterEach(() => stage.clear());

const branchAt = (fork: number, length: number, seed = 42): Promise<RecordedBlock[]> => generateBranch({ seed, transactionsPerBlock: 2 }, blocks[fork]!, length);
async function followed(capture: CaptureRig, node: ReplayNode): Promise<void> {
  const { hash } = node.chain.at(node.chain.head)!;
  await capture.until('on the branch of the node', () => capture.view(GENERATED), ({ head }) => head?.hash === hash);
}
const NEVER_POLLS = { blockTimeMs: 60_000 };

describe('newHeads whose numbers fall, as geth announces them after debug_setHead', () => {
  it.each([['the block it fell to', true], ['only what grew from there', false]])('are followed by what is announced alone: %s', async (_what, announced) => {
    const node = await stage.replay(blocks, { head: 30 });
    const capture = stage.capture();
    const onlooker = await stage.onlooker(capture.store, GENERATED);
    await capture.start([node.wsUrl], NEVER_POLLS);
    await capture.untilHead(GENERATED, 30);
    await capture.until('listening', () => node.calls.get('eth_subscribe'), (calls) => calls === 1);
    node.advanceTo(31);
    await capture.untilHead(GENERATED, 31);
    node.chain.rollBackTo(6);
    if (announced) {
      node.announce(node.chain.at(6));
      await followed(capture, node);
    }
    for (const block of await branchAt(6, 3)) {
      node.switchTo([block]);
      await followed(capture, node);
    }
    await onlooker.expectGoldenRule(servedBy(node), [[31, announced ? 6 : 7]]);
  });
});

describe('a reorganisation during a backfill', () => {
  it.each([['below what it has read', 12], ['within what it has still to read', 35], ['above it', 55]])('that leaves %s ends with the whole range on the new branch', async (_where, fork) => {
    const node = await stage.replay(blocks, { head: 60 });
    const capture = stage.capture();
    const { intake } = await (await capture.start([node.url], { startBlock: 'latest', blockTimeMs: 200 })).opened();
    await capture.untilHead(GENERATED, 60);
    const { chains, backfills } = capture.actors;
    await chains.tell(GENERATED, { type: 'RequestBackfill', from: 0, to: 59 });
    await backfills.tell(`${GENERATED}.0.59`, { type: 'StartBackfill', chainId: GENERATED, from: 0, to: 59 });
    for await (const piece of intake.range(0, 24, new AbortController().signal)) await backfills.tell(`${GENERATED}.0.59`, { type: 'ObserveBackfilled', blocks: piece });
    const cameToAll = node.faults.add({ method: 'eth_getBlockByNumber', when: ({ params }) => params[1] === true && Number(params[0]) >= 25, does: { kind: 'null' } });
    capture.startBackfills();
    await capture.until('busy with the rest', () => capture.lines, (lines) => lines.some(({ message }) => message === 'backfill runs'));
    cameToAll();
    node.switchTo(await branchAt(fork, 63 - fork));
    await followed(capture, node);
    await capture.until('filled', () => capture.events('BackfillCompleted'), (events) => events.length === 1);
    const onlooker = await stage.onlooker(capture.store, GENERATED);
    await onlooker.expectGoldenRule(servedBy(node));
  });
});

/** A log whose pages come one by one, as one asks for them. */
class HeldPages extends FaultyEventStore {
  #allowed = Infinity;
  #asked = Promise.withResolvers<void>();
  #more = Promise.withResolvers<void>();

  allow(pages: number): void {
    this.#allowed = pages;
    this.#asked = Promise.withResolvers();
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  /** Resolves when somebody waits for a page. */
  get waitedFor(): Promise<void> {
    return this.#asked.promise;
  }

  override async readAll(after: Position, filter: EventFilter, limit: number): Promise<EventPage> {
    while (this.#allowed <= 0) {
      this.#asked.resolve();
      await this.#more.promise;
    }
    this.#allowed -= 1;
    return super.readAll(after, filter, limit);
  }
}

describe('a reorganisation while a projection is rebuilt', () => {
  it.each([0, 1, 5, 9])('after %i of its pages is in the rebuilt read model as in the one that grew with it', async (pages) => {
    const log = openMemoryEventStore();
    const held = new HeldPages(log);
    const node = await stage.replay(blocks, { head: 50 });
    const capture = stage.capture(log);
    const onlooker = await stage.onlooker(log, GENERATED, held);
    await capture.start([node.wsUrl]);
    await capture.untilHead(GENERATED, 50);
    await onlooker.read.caughtUp();
    held.allow(pages);
    await onlooker.read.rebuild();
    await held.waitedFor;
    node.switchTo(await branchAt(40, 12));
    await followed(capture, node);
    held.allow(2);
    await held.waitedFor;
    node.switchTo(await branchAt(45, 10, 43).then((above) => [...blocks.slice(41, 46), ...above]));
    await followed(capture, node);
    held.allow(Infinity);
    await onlooker.read.caughtUp();
    const rebuilt = onlooker.read.dump();
    await onlooker.expectGoldenRule(servedBy(node));
    await onlooker.read.rebuild();
    await onlooker.read.caughtUp();
    expect(onlooker.read.dump() === rebuilt).toBe(true);
  });
});

describe('a reorganisation during a restart', () => {
  async function before(): Promise<{ readonly node: ReplayNode; readonly first: CaptureRig }> {
    const node = await stage.replay(blocks, { head: 30 });
    const first = stage.capture();
    await first.start([node.url]);
    await first.untilHead(GENERATED, 30);
    await first.stop();
    return { node, first };
  }

  it.each([['a longer branch', 20, 15, []], ['one as long', 20, 10, []], ['a shorter one', 20, 4, [[30, 24]]], ['nothing but a part of ours', 22, 0, [[30, 22]]]] as const)('is found at the next start: %s', async (_what, fork, length, falls) => {
    const { node, first } = await before();
    node.chain.rollBackTo(fork);
    if (length > 0) node.switchTo(await branchAt(fork, length));
    const second = stage.capture(first.store);
    const onlooker = await stage.onlooker(second.store, GENERATED);
    await second.start([node.url]);
    await followed(second, node);
    await onlooker.expectGoldenRule(servedBy(node), falls);
  });

  it('may fall into each append of it, written or not: the next start ends it, and nothing is there twice', async () => {
    let ended = false;
    for (let appends = 1; !ended; appends += 1) {
      for (const written of [false, true]) {
        const { node, first } = await before();
        node.switchTo(await branchAt(27, 5));
        const life = new Mortality();
        life.dieWith('append', appends, written);
        const killed = stage.capture(new MortalEventStore(first.store, life));
        const onlooker = await stage.onlooker(first.store, GENERATED);
        await killed.start([node.url]);
        await killed.until('killed, or done', () => first.events('ChainReorganized'), (events) => life.dead || events.length > 0);
        ended = !life.dead;
        await killed.stop();
        const second = stage.capture(first.store);
        await second.start([node.url]);
        await followed(second, node);
        await onlooker.expectGoldenRule(servedBy(node));
        expect(await first.events('ChainReorganized')).toHaveLength(1);
        const observed = (await first.events('BranchBlockObserved')).map(({ data }) => data['hash']);
        expect(observed).toEqual([...new Set(observed)]);
        await stage.clear();
      }
    }
  });
});
