import type { EventStore } from '#platform/event-store';
import { CaptureRig } from '../../../../../test/load/capture-rig.ts';
import type { Line } from '../../../../../test/load/capture-rig.ts';
import type { RecordedBlock } from '../../../../../test/load/recorded-chain.ts';
import { RecordedChain } from '../../../../../test/load/recorded-chain.ts';
import type { SeenCall } from '../../../../../test/load/replay-faults.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';
import { generateRichChain } from '../../../../../test/load/rich-chain.ts';
import type { Tampering } from '../../../../../test/load/tampering.ts';
import { isNamed, NOT_COMMITTED, tamperings } from '../../../../../test/load/tampering.ts';
import { temporaryStore } from '../../../../../test/load/temporary-store.ts';
import { expectNothingInvented } from '../../../../../test/simulation/invariants-of-the-log.ts';
import { SwiftClock } from '../../../../../test/simulation/swift-clock.ts';
import { ENFORCE_ALL } from '../domain/verification/part-rules.ts';

const CHAIN = '424242';
const SPEED = 20;
/** Longer than any penalty. */
const TWO_HOURS = 7_200_000;
/** Told honestly, so that the chain is known to be one whose blocks recompute. */
const HONEST = 40;

let lies: readonly Tampering[];
let blocks: readonly RecordedBlock[];
const ending: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const [, one] = (await generateRichChain(2)).blocks();
  const kinds = new Map<string, Tampering>();
  for (const lie of tamperings(parsed(one!))) {
    const kind = `${lie.field} ${lie.how}`;
    // Once for all types of transactions: verification tells them apart, capturing does not.
    const once = kind.replace(/\(0x\d\)/, '');
    if (lie.how !== 'left out' && !NOT_COMMITTED.includes(kind) && !kinds.has(once)) kinds.set(once, lie);
  }
  lies = [...kinds.values()];
  // One more is the head, told honestly.
  blocks = (await generateRichChain(HONEST + lies.length + 1)).blocks();
});
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

function parsed({ block, receipts }: RecordedBlock): { block: unknown; receipts: unknown } {
  return { block: JSON.parse(block.toString()) as unknown, receipts: JSON.parse(receipts.toString()) as unknown };
}
function lieOf(number: number): Tampering | undefined {
  return lies[number - HONEST];
}

/** The liar tells another lie about each block above the honest ones; what it was not asked for yet, the honest node does not have yet. */
class Stage {
  readonly told = new Set<number>();
  readonly clock = new SwiftClock(SPEED);
  readonly capture: CaptureRig;
  readonly liar: ReplayNode;
  readonly honest: ReplayNode;

  private constructor(liar: ReplayNode, honest: ReplayNode, store: EventStore | undefined) {
    this.liar = liar;
    this.honest = honest;
    this.capture = new CaptureRig(store, { thread: store !== undefined, clock: this.clock });
    const isFull = ({ method, params }: SeenCall): boolean => (method.startsWith('eth_getBlockBy') && params[1] === true) || method === 'eth_getBlockReceipts';
    for (const answer of ['block', 'receipts'] as const) {
      const concerns = (call: SeenCall): boolean => isFull(call) && (call.method === 'eth_getBlockReceipts') === (answer === 'receipts') && lieOf(this.#numberOf(call))?.answer === answer;
      liar.faults.add({ when: concerns, does: { kind: 'edit', edit: (result) => this.#lie(answer, result) } });
    }
    const isEarly = (call: SeenCall): boolean => isFull(call) && lieOf(this.#numberOf(call)) !== undefined && !this.told.has(this.#numberOf(call));
    honest.faults.add({ when: isEarly, does: { kind: 'null' } });
    ending.push(() => liar.close(), () => honest.close(), () => this.capture.stop());
  }

  static async set(head: number, thread = false): Promise<Stage> {
    const node = (): Promise<ReplayNode> => {
      const chain = new RecordedChain(BigInt(CHAIN), blocks);
      chain.head = head;
      return ReplayNode.start(chain);
    };
    const disk = thread ? await temporaryStore() : undefined;
    if (disk !== undefined) ending.push(() => disk.remove());
    return new Stage(await node(), await node(), disk?.store);
  }

  #numberOf({ params: [ref] }: SeenCall): number {
    const text = String(ref);
    return text.length === 66 ? (this.liar.chain.byHash(text)?.number ?? -1) : Number(text);
  }

  #lie(answer: Tampering['answer'], result: unknown): unknown {
    if (result === null) return null;
    const number = Number(answer === 'block' ? (result as { number: string }).number : (result as { blockNumber: string }[])[0]?.blockNumber);
    this.told.add(number);
    return lieOf(number)?.tell(result);
  }

  /** What was asked of the liar once too often keeps it away, until more time passes. */
  async untilHead(number: number): Promise<void> {
    let looks = 0;
    const look = (): Promise<{ readonly head?: { readonly number: number } | undefined }> => {
      looks += 1;
      if (looks % 100 === 0) this.clock.leap(TWO_HOURS);
      return this.capture.view(CHAIN);
    };
    await this.capture.until(`at head ${number}`, look, ({ head }) => head?.number === number);
  }

  refusals(): readonly Line[] {
    return this.capture.lines.filter(({ message }) => message === 'verification failed' || message === 'provider is unwell');
  }
}

/** What the alarm says was wrong. */
function namedBy({ fields }: Line): string {
  const { field, path } = fields;
  return String(typeof field === 'string' ? field : path).replace(/^block\./, '');
}

/** What is amiss with how a lie was met: its name, and what was seen instead. */
function amiss(lie: Tampering, refusal: Line | undefined, counted: readonly string[]): string | undefined {
  const kind = `${lie.field} ${lie.how}`;
  if (refusal === undefined) return `${kind}: nobody said so`;
  if (!isNamed(lie, namedBy(refusal))) return `${kind}: named as ${namedBy(refusal)}`;
  const expected = refusal.fields['part'] ?? 'shape';
  return counted.length > 0 && counted.every((one) => one === expected) ? undefined : `${kind}: counted as ${counted.join()}`;
}

async function expectAllHonest({ capture }: Stage, from: number, to: number): Promise<void> {
  const events = await capture.events();
  expectNothingInvented(events, new Map(blocks.map((one) => [one.hash, one])));
  const numbers = events.flatMap(({ type, data }) => (type === 'BlockObserved' ? [Number(data['number'])] : []));
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: to - from + 1 }, (_, place) => from + place));
  expect(events.filter(({ type }) => type === 'TxFetched')).toHaveLength(numbers.filter((number) => number > 0).length * 6);
}

describe('a provider that tells one thing otherwise in each block, beside an honest one', () => {
  it('is found out at the head each time, the field is named, and nothing of it is recorded', async () => {
    const stage = await Stage.set(HONEST - 1);
    const { capture, liar, honest, clock } = stage;
    await capture.start([liar.wsUrl, honest.url], { blockTimeMs: 60_000, chainId: CHAIN });
    await capture.untilHead(CHAIN, HONEST - 1);
    const wrong: unknown[] = [];
    for (const [place, lie] of lies.entries()) {
      const [said, counted] = [stage.refusals().length, capture.failedParts.length];
      clock.leap(TWO_HOURS);
      honest.advanceTo(HONEST + place, 'none');
      liar.advanceTo(HONEST + place);
      await stage.untilHead(HONEST + place);
      const [refusal] = stage.refusals().slice(said);
      wrong.push(amiss(lie, refusal, capture.failedParts.slice(counted)));
      // It comes back soon after an answer that had no shape, and then nothing is said of it any more.
      const shown = capture.board.get(CHAIN)?.providers.find(({ label }) => label === liar.wsUrl);
      if (refusal?.fields['code'] === 'block-mismatch' && shown?.reason?.includes(namedBy(refusal)) !== true) wrong.push(`${lie.field}: shown as ${shown?.reason}`);
    }
    expect(wrong.filter((one) => one !== undefined)).toEqual([]);
    expect(stage.told.size).toBe(lies.length);
    await expectAllHonest(stage, 0, HONEST + lies.length - 1);
  });

  it('is found out in a range that is read in a thread of its own, the field is named, and nothing of it is recorded', async () => {
    const stage = await Stage.set(HONEST + lies.length, true);
    const { capture, liar, honest, clock } = stage;
    await capture.start([liar.url, honest.url], { blockTimeMs: 60_000, chainId: CHAIN, startBlock: HONEST + lies.length, rules: ENFORCE_ALL, limits: { blocksPerAsk: 1, asksInFlight: 1 } });
    await capture.untilHead(CHAIN, HONEST + lies.length);
    await capture.actors.chains.tell(CHAIN, { type: 'RequestBackfill', from: 0, to: HONEST + lies.length - 1 });
    capture.startBackfills();
    let said = -1;
    const look = (): Promise<readonly unknown[]> => {
      if (stage.refusals().length > said) clock.leap(TWO_HOURS);
      said = stage.refusals().length;
      return capture.events('BackfillCompleted');
    };
    await capture.until('backfilled', look, (events) => events.length === 1, 60_000);
    expect(lies.map((lie, place) => amiss(lie, stage.refusals()[place], capture.failedParts.slice(place, place + 1))).filter((one) => one !== undefined)).toEqual([]);
    expect(stage.refusals()).toHaveLength(lies.length);
    await expectAllHonest(stage, 0, HONEST + lies.length);
  });
});

describe('a provider that answers with what was not asked for, beside an honest one', () => {
  const another = HONEST - 20;
  /** For a block above the honest ones, the block and the receipts of one below. */
  function answersAnother({ liar }: Stage): void {
    const old = parsed(blocks[another]!);
    const isAbove = (ref: unknown): boolean => Number(String(ref).length === 66 ? liar.chain.byHash(String(ref))?.number : ref) >= HONEST;
    liar.faults.clear();
    liar.faults.add({ when: ({ method, params }) => method.startsWith('eth_getBlockBy') && params[1] === true && isAbove(params[0]), does: { kind: 'edit', edit: () => old.block } });
    liar.faults.add({ method: 'eth_getBlockReceipts', when: ({ params }) => isAbove(params[0]), does: { kind: 'edit', edit: () => old.receipts } });
  }

  it('of another block at the head is refused for it, and the honest one is taken', async () => {
    const stage = await Stage.set(HONEST - 1);
    const { capture, liar, honest } = stage;
    await capture.start([liar.wsUrl, honest.url], { blockTimeMs: 60_000, chainId: CHAIN });
    await capture.untilHead(CHAIN, HONEST - 1);
    answersAnother(stage);
    honest.faults.clear();
    honest.advanceTo(HONEST, 'none');
    liar.advanceTo(HONEST);
    await capture.untilHead(CHAIN, HONEST);
    expect(stage.refusals().map(({ fields }) => [fields['what'], fields['path']])).toEqual([['another block than the hash asked for', 'block.hash']]);
    expect(capture.failedParts).toEqual(['shape']);
    await expectAllHonest(stage, 0, HONEST);
  });

  it('of another block in a range that is read in a thread of its own is refused for it, and the honest one is taken', async () => {
    const stage = await Stage.set(HONEST + 50, true);
    const { capture, liar, honest } = stage;
    answersAnother(stage);
    honest.faults.clear();
    await capture.start([liar.url, honest.url], { blockTimeMs: 60_000, chainId: CHAIN, rules: ENFORCE_ALL });
    await capture.untilHead(CHAIN, HONEST + 50);
    expect(stage.refusals()[0]?.fields).toMatchObject({ what: 'another block than the number asked for', path: 'block.number' });
    expect(capture.failedParts).toContain('shape');
    await expectAllHonest(stage, 0, HONEST + 50);
  });

  it.each(['first', 'second'])('of another chain id is asked for nothing more when it stands %s, and the reason is shown', async (place) => {
    const stage = await Stage.set(HONEST - 1);
    const { capture, liar, honest } = stage;
    liar.faults.clear();
    liar.faults.add({ method: 'eth_chainId', does: { kind: 'edit', edit: () => '0x1' } });
    const urls = [liar.url, honest.url];
    await capture.start(place === 'first' ? urls : urls.reverse(), { blockTimeMs: 400, chainId: CHAIN });
    await capture.untilHead(CHAIN, HONEST - 1);
    expect([...liar.calls.keys()]).toEqual(['eth_chainId']);
    expect(capture.board.get(CHAIN)?.providers).toContainEqual(expect.objectContaining({ label: liar.url, healthy: false, reason: `The node serves chain 1, configured is ${CHAIN}` }));
    await expectAllHonest(stage, 0, HONEST - 1);
  });
});
