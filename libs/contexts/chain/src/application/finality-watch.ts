import type { Actors } from '#platform/actors';
import type { Clock } from '#platform/kernel';
import type { FinalitySetting } from '../chain.settings.ts';
import type { ChainCommand } from '../domain/chain.commands.ts';
import type { BlockRef, RpcHeader } from '../domain/rpc-types.ts';
import type { ChainView } from './chain-view.ts';
import type { ProviderSet } from './provider-set.ts';

export interface FinalityOptions {
  readonly chainId: string;
  readonly providers: ProviderSet;
  readonly chains: Pick<Actors<unknown, ChainCommand>, 'tell'>;
  readonly clock: Clock;
  readonly finality: FinalitySetting;
  /**
   * Tags are asked when the head moved, and so many blocks or milliseconds have passed. 1 and 0: at every new head.
   * Of a head that stands still at most once in a minute, until it is final.
   */
  readonly everyBlocks?: number;
  readonly everyMs?: number;
}

const EVERY_BLOCKS = 32;
const EVERY_MS = 60_000;

/** Moves safe and finalized up: by the tags of the node, or by depth. Only blocks of our own chain are marked. */
export class FinalityWatch {
  readonly #options: FinalityOptions;
  #askedAtHead: number | undefined;
  #askedAt = 0;

  constructor(options: FinalityOptions) {
    this.#options = options;
  }

  async refresh(view: ChainView): Promise<void> {
    const { head } = view;
    if (head === undefined) return;
    const { finality } = this.#options;
    if (typeof finality === 'object') {
      await this.#byDepth(view, head, finality.depth);
      return;
    }
    if (!this.#due(head, view.finalized)) return;
    this.#askedAtHead = head.number;
    this.#askedAt = this.#options.clock.monotonic();
    const [safe, finalized] = await this.#options.providers.use((node) => Promise.all([node.header('safe'), node.header('finalized')]));
    await this.#mark(view, refOf(safe), refOf(finalized));
  }

  #due(head: BlockRef, finalized: BlockRef | undefined): boolean {
    const { everyBlocks = EVERY_BLOCKS, everyMs = EVERY_MS, clock } = this.#options;
    if (this.#askedAtHead === undefined) return true;
    const sinceMs = clock.monotonic() - this.#askedAt;
    // Blocks become final also while no new ones come.
    if (head.number === this.#askedAtHead) return finalized?.hash !== head.hash && sinceMs >= Math.max(everyMs, EVERY_MS);
    return Math.abs(head.number - this.#askedAtHead) >= everyBlocks || sinceMs >= everyMs;
  }

  /** In steps, so that a long catch-up is not one command per block. */
  async #byDepth(view: ChainView, head: BlockRef, depth: number): Promise<void> {
    const number = head.number - depth;
    const hash = view.hashAt(number);
    if (hash === undefined || number <= (view.finalized?.number ?? -1)) return;
    await this.#mark(view, { number, hash }, { number, hash });
  }

  /** A tag above our head comes with a later head; one on another branch is seen as a reorganisation first. */
  async #mark(view: ChainView, safe: BlockRef | undefined, finalized: BlockRef | undefined): Promise<void> {
    const { chains, chainId } = this.#options;
    const ours = (block: BlockRef | undefined): block is BlockRef => block !== undefined && view.hashAt(block.number) === block.hash;
    if (ours(safe) && safe.number > (view.safe?.number ?? -1)) await chains.tell(chainId, { type: 'MarkSafe', block: safe });
    if (ours(finalized) && finalized.number > (view.finalized?.number ?? -1)) await chains.tell(chainId, { type: 'MarkFinalized', block: finalized });
  }
}

function refOf(header: RpcHeader | null): BlockRef | undefined {
  return header === null ? undefined : { number: Number(header.number), hash: header.hash };
}
