import type { Clock } from '#platform/kernel';
import type { HeadHint } from '../ports/chain-node.port.ts';
import type { CaptureLog } from './capture-log.ts';
import { NodeLagging } from './capture.errors.ts';
import type { ProviderSet } from './provider-set.ts';
import { SlotRhythm } from './slot-rhythm.ts';

export interface HeadWatchOptions {
  readonly chainId: string;
  readonly providers: ProviderSet;
  readonly clock: Clock;
  readonly log: CaptureLog;
  /** Fixed by configuration; otherwise learnt from what is announced. */
  readonly blockTimeMs: number | undefined;
}

const SILENCE = 1.5;
const SHORTEST_WATCH_MS = 500;
const LONGEST_WATCH_MS = 30_000;
const SHORTEST_POLL_MS = 200;
const LONGEST_POLL_MS = 4_000;
const RESUBSCRIBE_MS = 250;
const LONGEST_RESUBSCRIBE_MS = 30_000;

/**
 * Hints about the head: pushed where a provider pushes, and asked for when it is silent for 1.5 block times. Where nobody
 * pushes they are asked for in the rhythm of the chain's slots, or, where it has none, twice in a block time.
 */
export class HeadWatch {
  readonly #options: HeadWatchOptions;
  #latest: HeadHint | undefined;
  #wake: (() => void) | undefined;
  #learntBlockTimeMs = 2_000;
  #lastAt: number | undefined;
  #lastNumber: number | undefined;
  #pollNow = true;
  readonly #rhythm = new SlotRhythm();

  constructor(options: HeadWatchOptions) {
    this.#options = options;
  }

  /** Listens until the signal is aborted; a lost subscription is made again, after growing pauses where none of them brought a head. */
  async listen(signal: AbortSignal): Promise<void> {
    const { providers, clock } = this.#options;
    let failures = 0;
    while (!signal.aborted && providers.canPush) {
      const node = providers.announcer();
      if (node !== undefined) {
        failures += 1;
        try {
          for await (const hint of node.heads(signal)) {
            failures = 1;
            this.#take(hint);
            if (providers.announcer() !== node) break;
          }
        } catch {
          // The provider set learns of trouble by the requests; here the watchdog takes over.
        }
        // Whatever was announced while nobody listened is found by asking.
        this.pollSoon();
      }
      const pauseMs = node === undefined ? RESUBSCRIBE_MS : Math.min(LONGEST_RESUBSCRIBE_MS, RESUBSCRIBE_MS * 2 ** Math.min(failures - 1, 10));
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  /** The newest hint not yet taken; asks the node when nothing was announced for too long. */
  async next(signal: AbortSignal): Promise<HeadHint> {
    if (this.#latest === undefined && !this.#pollNow) await this.#announced(this.#patienceMs(), signal);
    signal.throwIfAborted();
    const hint = this.#latest;
    this.#latest = undefined;
    if (hint !== undefined) return hint;
    this.#pollNow = false;
    return this.poll();
  }

  pollSoon(): void {
    this.#pollNow = true;
    this.#wake?.();
  }

  async poll(): Promise<HeadHint> {
    const header = await this.#options.providers.use(async (node) => {
      const latest = await node.header('latest');
      if (latest === null) throw new NodeLagging(node.label, 0);
      return latest;
    });
    const hint = { number: Number(header.number), hash: header.hash, parentHash: header.parentHash };
    if (hint.number === this.#lastNumber) this.#rhythm.missed();
    else this.#rhythm.seen({ number: hint.number, timeMs: Number(header.timestamp) * 1_000 }, this.#options.clock.now());
    this.#learn(hint.number);
    return hint;
  }

  get blockTimeMs(): number {
    return this.#options.blockTimeMs ?? this.#learntBlockTimeMs;
  }

  #take(hint: HeadHint): void {
    this.#learn(hint.number);
    this.#latest = hint;
    this.#wake?.();
  }

  /** Smoothed over what arrives, so it holds for nodes that make blocks on demand too. */
  #learn(number: number): void {
    const now = this.#options.clock.monotonic();
    if (this.#lastAt !== undefined && this.#lastNumber !== undefined && number > this.#lastNumber) {
      const perBlock = (now - this.#lastAt) / (number - this.#lastNumber);
      this.#learntBlockTimeMs = this.#learntBlockTimeMs * 0.8 + Math.min(perBlock, LONGEST_WATCH_MS) * 0.2;
    }
    if (this.#lastNumber === undefined || number !== this.#lastNumber) {
      this.#lastAt = now;
      this.#lastNumber = number;
    }
  }

  #patienceMs(): number {
    const pushed = this.#options.providers.announcer() !== undefined;
    if (pushed) return between(SHORTEST_WATCH_MS, this.blockTimeMs * SILENCE, LONGEST_WATCH_MS);
    const inRhythm = this.#rhythm.nextInMs(this.#options.clock.now());
    if (inRhythm !== undefined) return between(SHORTEST_POLL_MS, inRhythm, LONGEST_WATCH_MS);
    return between(SHORTEST_POLL_MS, this.blockTimeMs / 2, LONGEST_POLL_MS);
  }

  async #announced(patienceMs: number, signal: AbortSignal): Promise<void> {
    const enough = new AbortController();
    this.#wake = () => enough.abort();
    await this.#options.clock.sleep(patienceMs, AbortSignal.any([enough.signal, signal])).catch(() => undefined);
    this.#wake = undefined;
  }
}

function between(least: number, wished: number, most: number): number {
  return Math.min(most, Math.max(least, wished));
}
