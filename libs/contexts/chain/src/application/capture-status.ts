import type { Clock } from '#platform/kernel';

/** Why a chain does or does not move, as its capture process last saw it. Live knowledge: not in the log, gone with the process. */
export type CaptureState = 'starting' | 'backfilling' | 'following' | 'stalled' | 'stopped';

export interface CaptureStatus {
  readonly state: CaptureState;
  /** One sentence for an operator; undefined while all is well. */
  readonly reason: string | undefined;
  /** Highest number that a node told of; undefined before the first answer. */
  readonly nodeHead: number | undefined;
  /** Milliseconds since the epoch of the last captured block. */
  readonly lastProgressAt: number | undefined;
  /** Labels of the providers, the one in use first. */
  readonly providers: readonly { readonly label: string; readonly healthy: boolean; readonly reason?: string }[];
}

/** Written by the capture processes, read by the API and by readiness. */
export class CaptureStatusBoard {
  readonly #chains = new Map<string, CaptureStatus>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  update(chainId: string, change: Partial<CaptureStatus>): void {
    const before = this.#chains.get(chainId) ?? {
      state: 'starting' as const,
      reason: undefined,
      nodeHead: undefined,
      lastProgressAt: undefined,
      providers: [],
    };
    this.#chains.set(chainId, { ...before, ...change });
  }

  progressed(chainId: string): void {
    this.update(chainId, { lastProgressAt: this.#clock.now() });
  }

  /** What stood under a provisional name, before the node told its chain id. */
  forget(chainId: string): void {
    this.#chains.delete(chainId);
  }

  get(chainId: string): CaptureStatus | undefined {
    return this.#chains.get(chainId);
  }

  all(): ReadonlyMap<string, CaptureStatus> {
    return this.#chains;
  }
}
