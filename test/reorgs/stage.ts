import type { EventStore } from '#platform/event-store';
import type { AnvilProcess } from '../load/anvil-process.ts';
import { startAnvil } from '../load/anvil-process.ts';
import { CaptureRig } from '../load/capture-rig.ts';
import type { RecordedBlock } from '../load/recorded-chain.ts';
import { RecordedChain } from '../load/recorded-chain.ts';
import type { ReplayOptions } from '../load/replay-node.ts';
import { ReplayNode } from '../load/replay-node.ts';
import { Onlooker } from './onlooker.ts';

export const GENERATED = '424242';

/** Everything that a scenario starts, and its end. Call `clear` after each. */
export class Stage {
  readonly #ending: (() => Promise<void>)[] = [];

  /** Shows the blocks up to `head`. */
  async replay(blocks: readonly RecordedBlock[], options: ReplayOptions & { readonly head?: number; readonly chainId?: bigint } = {}): Promise<ReplayNode> {
    const { head, chainId = BigInt(GENERATED), ...replay } = options;
    const chain = new RecordedChain(chainId, blocks);
    if (head !== undefined) chain.head = head;
    const node = await ReplayNode.start(chain, replay);
    this.#ending.push(() => node.close());
    return node;
  }

  async anvil(args: readonly string[] = []): Promise<AnvilProcess> {
    const node = await startAnvil({ args });
    this.#ending.push(() => node.stop());
    return node;
  }

  capture(store?: EventStore): CaptureRig {
    const rig = new CaptureRig(store);
    this.#ending.push(() => rig.stop());
    return rig;
  }

  async onlooker(log: EventStore, chainId: string, seen?: EventStore): Promise<Onlooker> {
    const onlooker = await Onlooker.of(log, chainId, seen);
    this.#ending.push(() => onlooker.close());
    return onlooker;
  }

  async clear(): Promise<void> {
    for (const end of this.#ending.splice(0).reverse()) await end();
  }
}
