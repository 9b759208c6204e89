import type { Actors } from '#platform/actors';
import type { Clock } from '#platform/kernel';
import type { BlockBodyCommand } from '../domain/chain.commands.ts';
import type { ObservedBlock } from '../domain/chain.events.ts';
import type { FetchedBlock, Hex } from '../domain/rpc-types.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import { Breath } from './breath.ts';
import type { BlockCheck } from './block-check.ts';
import { NodeLagging } from './capture.errors.ts';
import type { ProviderSet } from './provider-set.ts';

export interface IntakeOptions {
  readonly chainId: string;
  readonly providers: ProviderSet;
  readonly check: BlockCheck;
  readonly bodies: Pick<Actors<unknown, BlockBodyCommand>, 'tell'>;
  readonly clock: Clock;
  readonly limits?: Partial<IntakeLimits>;
}

export interface IntakeLimits {
  /** Of JSON in flight, asked for or not yet recorded; one block larger than this still passes, alone. */
  readonly bytesInFlight: number;
  readonly bytesPerAsk: number;
  readonly blocksPerAsk: number;
  readonly asksInFlight: number;
}

/** Larger asks bring no speed, only resident memory. */
export const INTAKE_LIMITS: IntakeLimits = { bytesInFlight: 24_000_000, bytesPerAsk: 9_000_000, blocksPerAsk: 250, asksInFlight: 3 };

const FIRST_GUESS_BYTES = 300_000;
/** Of the blocks that are not at the head, one in so many has a sender recovered. */
const ONE_SENDER_IN = 16;
const LATE_TRIES = 6;
const FIRST_LATE_MS = 25;

/**
 * Brings blocks in: asks for them, verifies them, and writes their bodies, which may happen out of order. What it
 * yields is verified and its body durable, so the order may be written. What does not verify is asked elsewhere.
 */
export class BlockIntake {
  readonly #options: IntakeOptions;
  readonly #limits: IntakeLimits;
  #bytesPerBlock = FIRST_GUESS_BYTES;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#limits = { ...INTAKE_LIMITS, ...options.limits };
  }

  /** One block of the head; null when no replica has it any more. */
  async byHash(hash: Hex, number: number, signal: AbortSignal): Promise<ObservedBlock> {
    const fetched = await this.#patiently(number, signal, async (node) => {
      const one = await node.blockByHash(hash, signal);
      if (one === null) throw new NodeLagging(node.label, number);
      return { one, observed: this.#options.check.verified(one) };
    });
    await this.#record([fetched.one], signal);
    return fetched.observed;
  }

  /**
   * Everything from `from` to `to` in order, in pieces. Several asks are in flight, bounded by bytes. Ends early where
   * `before` says so; what is in flight then is awaited and forgotten.
   */
  async *range(from: number, to: number, signal: AbortSignal, before: () => Promise<void> = async () => undefined): AsyncGenerator<readonly ObservedBlock[]> {
    const stop = new AbortController();
    const either = AbortSignal.any([stop.signal, signal]);
    const flying: { readonly bytes: number; readonly arrived: Promise<readonly ObservedBlock[]> }[] = [];
    let next = from;
    try {
      while (next <= to || flying.length > 0) {
        while (next <= to && this.#mayAsk(flying)) {
          await before();
          either.throwIfAborted();
          const count = Math.min(to - next + 1, this.#blocksPerAsk(flying.length));
          const arrived = this.#piece(next, count, either);
          arrived.catch(() => undefined);
          flying.push({ bytes: count * this.#bytesPerBlock, arrived });
          next += count;
        }
        const first = flying.shift();
        if (first !== undefined) yield await first.arrived;
      }
    } finally {
      stop.abort(new Error('no longer wanted'));
      await Promise.allSettled(flying.map(({ arrived }) => arrived));
    }
  }

  /** The first asks are small, so that a dense chain does not fill the memory before its density is known. */
  #blocksPerAsk(inFlight: number): number {
    const byBytes = Math.floor(this.#limits.bytesPerAsk / this.#bytesPerBlock);
    const most = this.#bytesPerBlock === FIRST_GUESS_BYTES && inFlight === 0 ? 8 : this.#limits.blocksPerAsk;
    return Math.max(1, Math.min(most, byBytes));
  }

  #mayAsk(flying: readonly { readonly bytes: number }[]): boolean {
    const inFlight = flying.reduce((sum, { bytes }) => sum + bytes, 0);
    return flying.length === 0 || (flying.length < this.#limits.asksInFlight && inFlight + this.#bytesPerBlock <= this.#limits.bytesInFlight);
  }

  async #piece(from: number, count: number, signal: AbortSignal): Promise<readonly ObservedBlock[]> {
    const observed: ObservedBlock[] = [];
    while (observed.length < count) {
      const start = from + observed.length;
      const numbers = Array.from({ length: count - observed.length }, (_, place) => start + place);
      const got = await this.#patiently(start, signal, (node) => this.#ask(node, numbers, signal));
      await this.#record(got.map(({ fetched }) => fetched), signal);
      for (const { observed: one } of got) observed.push(one);
    }
    return observed;
  }

  /** What is there before the first gap; the rest is asked again. */
  async #ask(node: ChainNode, numbers: readonly number[], signal: AbortSignal): Promise<readonly { fetched: FetchedBlock; observed: ObservedBlock }[]> {
    const blocks = await node.blocks(numbers, signal);
    const there: { fetched: FetchedBlock; observed: ObservedBlock }[] = [];
    const breath = new Breath();
    for (const fetched of blocks) {
      await breath.take();
      if (fetched === null) break;
      there.push({ fetched, observed: this.#options.check.verified(fetched, Number(fetched.block.number) % ONE_SENDER_IN === 0 ? 1 : 0) });
    }
    if (there.length === 0) throw new NodeLagging(node.label, numbers[0] as number);
    this.#learn(there.map(({ fetched }) => fetched.bytes));
    return there;
  }

  #learn(sizes: readonly number[]): void {
    const mean = sizes.reduce((sum, bytes) => sum + bytes, 0) / sizes.length;
    const known = this.#bytesPerBlock !== FIRST_GUESS_BYTES;
    this.#bytesPerBlock = Math.max(500, !known || mean > this.#bytesPerBlock ? mean : this.#bytesPerBlock * 0.7 + mean * 0.3);
  }

  async #record(blocks: readonly FetchedBlock[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { chainId, bodies } = this.#options;
    const breath = new Breath();
    const told: Promise<unknown>[] = [];
    try {
      for (const fetched of blocks) {
        if (fetched.block.transactions.length === 0) continue;
        told.push(bodies.tell(`${chainId}.${fetched.block.hash}`, { type: 'RecordBody', chainId, fetched }));
        told.at(-1)?.catch(() => undefined);
        await breath.take();
      }
    } finally {
      await Promise.allSettled(told);
    }
    await Promise.all(told);
  }

  /** A replica may be a moment behind what another one announced. */
  async #patiently<T>(number: number, signal: AbortSignal, what: (node: ChainNode) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#options.providers.use(what);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof NodeLagging) || tries >= LATE_TRIES) throw error;
        await this.#options.clock.sleep(FIRST_LATE_MS * 2 ** (tries - 1), signal);
      }
    }
  }
}
