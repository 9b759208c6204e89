import fc from 'fast-check';
import { openMemoryEventStore } from '#platform/event-store';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import { verifyStore } from '../../libs/contexts/chain/src/application/verify-store.ts';
import type { Hex } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import { ReadSide } from './read-side.ts';
import { ToldReader } from './told-reader.ts';
import { TreeCapture } from './tree-capture.ts';
import type { Change } from './tree-model.ts';
import { TreeModel } from './tree-model.ts';

const HISTORIES = 2_000;
/** One in so many is projected too, which costs more than to capture it. */
const SHOWN = 5;

interface Step {
  readonly change: Change;
  /** Where the node stands before that for only so many questions. */
  readonly passing: { readonly change: Change; readonly calls: number } | undefined;
  /** An announcement of long ago. */
  readonly stale: number | undefined;
  readonly restart: boolean;
}

const growth: fc.Arbitrary<Change> = fc.record({ kind: fc.constant('branch' as const), depth: fc.constant(0), length: fc.integer({ min: 1, max: 6 }) });
const branch: fc.Arbitrary<Change> = fc.record({ kind: fc.constant('branch' as const), depth: fc.integer({ min: 1, max: 12 }), length: fc.integer({ min: 1, max: 14 }) });
const coming: fc.Arbitrary<Change> = fc.record({ kind: fc.constant('return' as const), to: fc.nat(200) });
const finality: fc.Arbitrary<Change> = fc.record({ kind: fc.constant('finalize' as const), depth: fc.nat(8) });
const move = fc.oneof({ weight: 3, arbitrary: growth }, { weight: 4, arbitrary: branch }, { weight: 3, arbitrary: coming });
const step: fc.Arbitrary<Step> = fc.record({
  change: fc.oneof({ weight: 6, arbitrary: move }, { weight: 1, arbitrary: finality }),
  passing: fc.option(fc.record({ change: move, calls: fc.nat(9) }), { nil: undefined }),
  stale: fc.option(fc.nat(200), { nil: undefined, freq: 2 }),
  restart: fc.boolean(),
});
const history = fc.record({ first: fc.oneof(fc.constant(0), fc.nat(6)), steps: fc.array(step, { minLength: 1, maxLength: 12 }) });

/** A history, its model, its capture and who reads it. */
class Play {
  readonly model: TreeModel;
  readonly #capture: TreeCapture;
  readonly #reader = new ToldReader();

  constructor(model: TreeModel, capture: TreeCapture) {
    this.model = model;
    this.#capture = capture;
  }

  async take({ change, passing, stale, restart }: Step): Promise<void> {
    const { model } = this;
    const heads = [model.held?.number ?? model.first];
    if (passing !== undefined && change.kind !== 'finalize') heads.push(this.#passBy(passing));
    model.change(change);
    this.#arrive?.();
    if (restart) this.#capture.restart();
    // A node may still have the block by its hash, and where it stands on our head it is captured.
    if (stale !== undefined && model.follows) await this.#capture.hear(model.blocks[stale % model.blocks.length]!);
    await this.#settle(heads);
    if (!model.stopped) return;
    model.resume();
    await this.#capture.resume();
    await this.#settle(heads);
  }

  #arrive: (() => void) | undefined;

  /** The node is there first, and where the step takes it only after some questions, unless it matters that it was there. */
  #passBy({ change, calls }: NonNullable<Step['passing']>): number {
    const { model } = this;
    model.change(change);
    const between = model.tip;
    const mayPass = model.passes;
    this.#arrive = () => {
      this.#arrive = undefined;
      const then = model.tip;
      if (!mayPass || !model.passes) return;
      model.tip = between;
      this.#capture.node.moveAfter(calls, () => (model.tip = then));
    };
    return between.number;
  }

  async #settle(heads: number[]): Promise<void> {
    const [{ model }, capture, reader] = [this, this.#capture, this.#reader];
    await capture.settle();
    model.settle();
    for (const event of await capture.eventsFrom(reader.told)) reader.hear(event);
    expect(reader.line).toEqual(model.line.map(({ hash }) => hash));
    const { status, finalized } = await capture.view();
    expect({ stopped: status === 'stopped', final: finalized?.hash }).toEqual({ stopped: model.stopped, final: model.final?.hash });
    // No reader is told of a lower head than the node itself had since.
    heads.push(model.tip.number);
    expect(reader.lowestHead()).toBeGreaterThanOrEqual(Math.min(...heads));
  }
}

describe('random trees of blocks', () => {
  const [shown, hidden] = [openMemoryEventStore(), openMemoryEventStore()];
  const lines = new Map<string, readonly Hex[]>();

  it(`are followed as a model of sixty lines says, in ${HISTORIES} histories`, async () => {
    const keccak256 = await createKeccak256();
    let chains = 0;
    const isFollowed = fc.asyncProperty(history, async ({ first, steps }) => {
      const chainId = String((chains += 1));
      const isShown = chains % SHOWN === 0;
      const model = new TreeModel(first);
      const capture = new TreeCapture(chainId, model, isShown ? shown : hidden, keccak256);
      await capture.start();
      const play = new Play(model, capture);
      for (const one of steps) await play.take(one);
      if (isShown) lines.set(chainId, model.line.map(({ hash }) => hash));
    });
    await fc.assert(isFollowed, { numRuns: HISTORIES });
  }, 300_000);

  it('are in the read model as the model has them, and verify finds nothing wrong', async () => {
    const read = new ReadSide(shown, 1_000);
    try {
      await read.start();
      await read.caughtUp();
      expect(await read.troubles()).toEqual([]);
      for (const [chainId, line] of lines) {
        const { items } = await read.explorer.blocks(chainId, { limit: 500, order: 'asc', orphaned: false });
        expect(items.map(({ hash }) => hash)).toEqual(line);
      }
    } finally {
      await read.close();
    }
    for await (const one of verifyStore({ reader: shown, crypto: { keccak256: await createKeccak256() } })) expect(one.kind).not.toBe('finding');
  });
});
