import { ManualClock } from '#platform/testing';
import type { BlockRef } from '../domain/rpc-types.ts';
import type { ChainView } from './chain-view.ts';
import { FinalityWatch, type FinalityOptions } from './finality-watch.ts';

const MINUTE = 60_000;
const block = (number: number): BlockRef => ({ number, hash: `0x${number.toString(16).padStart(64, '0')}` });

/** A chain whose own head and whose node's tags stand where the test says. */
class Scene {
  readonly clock = new ManualClock();
  readonly told: string[] = [];
  asked = 0;
  head = 54;
  tags: { readonly safe: number; readonly finalized: number } | undefined;
  marked: { safe?: BlockRef; finalized?: BlockRef } = {};
  readonly #watch: FinalityWatch;

  constructor(options: Partial<FinalityOptions> = {}) {
    const header = async (tag: 'safe' | 'finalized'): Promise<object | null> => {
      this.asked += 1;
      return this.tags === undefined ? null : { number: `0x${this.tags[tag].toString(16)}`, hash: block(this.tags[tag]).hash };
    };
    const providers = { use: (ask: (node: object) => Promise<unknown>) => ask({ header }) };
    const tell = async (_chain: string, command: { readonly type: string; readonly block: BlockRef }): Promise<void> => {
      this.told.push(`${command.type} ${command.block.number}`);
      this.marked = { ...this.marked, [command.type === 'MarkSafe' ? 'safe' : 'finalized']: command.block };
    };
    this.#watch = new FinalityWatch({ chainId: '1', providers, chains: { tell }, clock: this.clock, finality: 'auto', ...options } as unknown as FinalityOptions);
  }

  async refresh(): Promise<void> {
    await this.#watch.refresh({ head: block(this.head), ...this.marked, hashAt: (number: number) => block(number).hash } as unknown as ChainView);
  }
}

describe('safe and finalized', () => {
  it('rise on a chain that makes no blocks, asked for once in a minute', async () => {
    const scene = new Scene();
    await scene.refresh();
    scene.tags = { safe: 54, finalized: 50 };
    await scene.refresh();
    expect(scene).toMatchObject({ told: [], asked: 2 });
    await scene.clock.advance(MINUTE);
    await scene.refresh();
    await scene.refresh();
    expect(scene).toMatchObject({ told: ['MarkSafe 54', 'MarkFinalized 50'], asked: 4 });
  });

  it('are not asked for more often on such a chain, where they are asked for at every new head', async () => {
    const scene = new Scene({ everyBlocks: 1, everyMs: 0 });
    await scene.refresh();
    await scene.clock.advance(MINUTE - 1);
    await scene.refresh();
    expect(scene.asked).toBe(2);
    scene.head += 1;
    await scene.refresh();
    expect(scene.asked).toBe(4);
  });

  it('are not asked for any more when the head itself is final', async () => {
    const scene = new Scene();
    scene.tags = { safe: 54, finalized: 54 };
    await scene.refresh();
    await scene.clock.advance(10 * MINUTE);
    await scene.refresh();
    expect(scene).toMatchObject({ told: ['MarkSafe 54', 'MarkFinalized 54'], asked: 2 });
  });
});
