import type { Clock } from '#platform/kernel';
import type { CaptureStatus, CaptureStatusBoard } from '../application/capture-status.ts';
import type { PlanInWords } from '../application/planned-nodes.ts';
import type { ChainExplorer} from '../ports/chain-explorer.port.ts';
import { type AsOf, type ChainFacts } from '../ports/chain-explorer.port.ts';

/** How a chain is called in its YAML, and how it is fetched; undefined where none of ours has that id, or no keys are spent on it. */
export abstract class ChainNames {
  abstract nameOf(chainId: string): string | undefined;
  abstract planOf(chainId: string): PlanInWords | undefined;
}

export type ChainStatus = 'backfilling' | 'following' | 'stalled' | 'stopped';

export type ChainView = ChainFacts & {
  readonly name: string;
  readonly status: ChainStatus;
  readonly reason: string | null;
  readonly nodeHead: number | null;
  readonly headAgeSeconds: number | null;
  readonly plan?: PlanInWords;
};

const NO_CAPTURE = 'No capture process of this chain reports to this server.';
const STARTING = 'The capture has started; no node has answered yet.';

/** What the log says of a chain, beside what its capture process says right now. */
export class ChainOverview {
  readonly #explorer: ChainExplorer;
  readonly #board: CaptureStatusBoard;
  readonly #names: ChainNames;
  readonly #clock: Clock;

  constructor(explorer: ChainExplorer, board: CaptureStatusBoard, names: ChainNames, clock: Clock) {
    this.#explorer = explorer;
    this.#board = board;
    this.#names = names;
    this.#clock = clock;
  }

  async all(): Promise<{ readonly items: readonly ChainView[]; readonly next: null } & AsOf> {
    const { items, asOf } = await this.#explorer.chains();
    return { items: items.map((facts) => this.#view(facts)), next: null, asOf };
  }

  async one(chainId: string, orphaned: boolean): Promise<ChainView & AsOf> {
    const { asOf, ...facts } = await this.#explorer.chain(chainId, { orphaned });
    return { ...this.#view(facts), asOf };
  }

  #view(facts: ChainFacts): ChainView {
    const live = this.#board.get(facts.chainId);
    const plan = this.#names.planOf(facts.chainId);
    return {
      ...facts,
      name: this.#names.nameOf(facts.chainId) ?? `chain ${facts.chainId}`,
      ...statusOf(facts, live),
      nodeHead: live?.nodeHead ?? null,
      headAgeSeconds: this.#ageOf(facts.head?.timestamp),
      ...(plan === undefined ? {} : { plan }),
    };
  }

  /** Never negative: a node's clock may be ahead of ours. */
  #ageOf(timestamp: string | undefined): number | null {
    const at = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
    return Number.isNaN(at) ? null : Math.max(0, Math.floor((this.#clock.now() - at) / 1000));
  }
}

function statusOf(facts: ChainFacts, live: CaptureStatus | undefined): { readonly status: ChainStatus; readonly reason: string | null } {
  if (facts.stop !== null) return { status: 'stopped', reason: facts.stop.reason };
  if (live === undefined) return { status: 'stalled', reason: NO_CAPTURE };
  if (live.state === 'starting') return { status: 'stalled', reason: live.reason ?? STARTING };
  return { status: live.state, reason: live.reason ?? null };
}
