import type { Actors } from '#platform/actors';
import type { EventStore } from '#platform/event-store';
import { ChainfoldError, type Clock } from '#platform/kernel';
import type { BlockBodyCommand } from '../domain/chain.commands.ts';
import type { ObservedBlock } from '../domain/chain.events.ts';
import type { FetchedBlock, Hex } from '../domain/rpc-types.ts';
import type { BlockReader, ReadBlock } from '../ports/block-reader.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import { AskingWindow } from './asking-window.ts';
import { type BlockCheck, sendersOfOlder } from './block-check.ts';
import { Breath } from './breath.ts';
import type { CaptureLog } from './capture-log.ts';
import { NodeLagging } from './capture.errors.ts';
import type { ProviderSet } from './provider-set.ts';
import { SecondOpinion } from './second-opinion.ts';

export interface IntakeOptions {
  readonly chainId: string;
  readonly providers: ProviderSet;
  readonly check: BlockCheck;
  readonly bodies: Pick<Actors<unknown, BlockBodyCommand>, 'tell'>;
  readonly clock: Clock;
  readonly log: CaptureLog;
  /** Reads long ranges in a thread of its own; left out: all is read in this one. */
  readonly aside?: Aside | undefined;
  readonly limits?: Partial<IntakeLimits> | undefined;
}

export interface Aside {
  readonly reader: BlockReader;
  readonly store: Required<Pick<EventStore, 'appendTexts'>>;
}

export interface IntakeLimits {
  /** Of JSON in flight, asked for or not yet recorded; one block larger than this still passes, alone. */
  readonly bytesInFlight: number;
  readonly bytesPerAsk: number;
  readonly blocksPerAsk: number;
  readonly asksInFlight: number;
}

/** Larger asks bring no speed, only resident memory. */
export const INTAKE_LIMITS: IntakeLimits = { bytesInFlight: 20_000_000, bytesPerAsk: 10_000_000, blocksPerAsk: 250, asksInFlight: 4 };
/** An ask of so many blocks keeps requests few; more of them only take memory, unless they are small. */
const FEW_BLOCKS = 14;
const SMALL_ASK_BYTES = 3_000_000;

/** Blocks that are asked for while the first of them is not there yet. */
const MOST_AHEAD = 4_096;
/** More workers than that do not make one chain faster. */
const MOST_EXTRA_ASKS = 64;

interface Flying {
  readonly count: number;
  readonly bytes: number;
  readonly arrived: Promise<readonly ObservedBlock[]>;
  /** Not there yet. */
  isOpen: boolean;
}

const FIRST_GUESS_BYTES = 300_000;
/** A shorter range is read faster here than a thread starts. */
const LONG_RANGE = 32;
const LATE_TRIES = 6;
const FIRST_LATE_MS = 25;

/**
 * Brings blocks in: asks for them, verifies them, and writes their bodies, which may happen out of order. What it
 * yields is verified and its body durable, so the order may be written. What does not verify is asked elsewhere.
 */
export class BlockIntake {
  readonly #options: IntakeOptions;
  readonly #limits: IntakeLimits;
  readonly #opinion: SecondOpinion;
  readonly #window = new AskingWindow();
  #bytesPerBlock = FIRST_GUESS_BYTES;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#limits = { ...INTAKE_LIMITS, ...options.limits };
    this.#opinion = new SecondOpinion(options);
  }

  /** One block of the head; null when no replica has it any more. */
  async byHash(hash: Hex, number: number, signal: AbortSignal): Promise<ObservedBlock> {
    const fetched = await this.#patiently(number, signal, async (node) => {
      const one = await node.blockByHash(hash, signal);
      if (one === null) throw new NodeLagging(node.label, number);
      return { one, observed: await this.#verified(node, one, signal) };
    });
    await this.#record([fetched.one], signal);
    return fetched.observed;
  }

  /**
   * Everything from `from` to `to` in order, in pieces. Several asks are in flight, bounded by bytes. Ends early where
   * `before` says so; what is in flight then is awaited and forgotten.
   */
  async *range(from: number, to: number, signal: AbortSignal, before: () => Promise<void> = async () => undefined): AsyncGenerator<readonly ObservedBlock[]> {
    const long = to - from >= LONG_RANGE;
    const stop = new AbortController();
    const either = AbortSignal.any([stop.signal, signal]);
    const flying: Flying[] = [];
    let [next, isFailing] = [from, false];
    let ended = Promise.withResolvers<void>();
    const ask = (count: number): Flying => {
      const one: Flying = { count, bytes: count * this.#bytesPerBlock, arrived: this.#timed(this.#piece(next, count, long, either)), isOpen: true };
      one.arrived
        .catch(() => (isFailing = true))
        .finally(() => {
          one.isOpen = false;
          ended.resolve();
        });
      return one;
    };
    try {
      while (next <= to || flying.length > 0) {
        while (next <= to && !isFailing && this.#mayAsk(flying, long)) {
          await before();
          either.throwIfAborted();
          const count = Math.min(to - next + 1, this.#blocksPerAsk(flying, long));
          flying.push(ask(count));
          next += count;
        }
        const [first] = flying;
        if (first === undefined) continue;
        if (first.isOpen) {
          await ended.promise;
          ended = Promise.withResolvers();
        } else {
          flying.shift();
          yield await first.arrived;
        }
      }
    } finally {
      stop.abort(new Error('no longer wanted'));
      await Promise.allSettled(flying.map(({ arrived }) => arrived));
    }
  }

  /** The first asks are small, so that a dense chain does not fill the memory before its density is known. */
  #blocksPerAsk(flying: readonly Flying[], long: boolean): number {
    const few = Math.max(FEW_BLOCKS, Math.floor(SMALL_ASK_BYTES / this.#bytesPerBlock));
    const byBytes = Math.min(few, Math.floor(this.#limits.bytesPerAsk / this.#bytesPerBlock));
    const byWindow = Math.floor(this.#window.blocks / this.#mostAsks(long));
    const most = this.#bytesPerBlock === FIRST_GUESS_BYTES && flying.length === 0 ? 8 : this.#limits.blocksPerAsk;
    return Math.max(1, Math.min(most, byBytes, byWindow));
  }

  /**
   * What other processes read is in their memory; of it only what is packed comes here, and no faster than it is written.
   * What is there is durable and small: it waits for those before it, and holds up nobody.
   */
  #mayAsk(flying: readonly Flying[], long: boolean): boolean {
    const { asksInFlight, bytesInFlight, bytesPerAsk } = this.#limits;
    const mostAsks = this.#mostAsks(long);
    const open = flying.filter(({ isOpen }) => isOpen);
    if (flying.reduce((sum, { count }) => sum + count, 0) >= MOST_AHEAD) return flying.length === 0;
    if (open.length === 0) return true;
    const bytes = open.reduce((sum, one) => sum + one.bytes, 0);
    const blocks = open.reduce((sum, one) => sum + one.count, 0);
    const hasRoom = bytes + this.#bytesPerBlock <= bytesInFlight + (mostAsks - asksInFlight) * bytesPerAsk && blocks < Math.max(mostAsks, this.#window.blocks);
    return hasRoom && open.length < mostAsks;
  }

  #mostAsks(long: boolean): number {
    return this.#limits.asksInFlight + (long ? Math.min(MOST_EXTRA_ASKS, this.#options.aside?.reader.extraRequests ?? 0) : 0);
  }

  async #timed(piece: Promise<readonly ObservedBlock[]>): Promise<readonly ObservedBlock[]> {
    const { clock } = this.#options;
    const askedAt = clock.monotonic();
    const blocks = await piece;
    this.#window.came(blocks.length, clock.monotonic() - askedAt);
    return blocks;
  }

  async #piece(from: number, count: number, long: boolean, signal: AbortSignal): Promise<readonly ObservedBlock[]> {
    const observed: ObservedBlock[] = [];
    while (observed.length < count) {
      const start = from + observed.length;
      const numbers = Array.from({ length: count - observed.length }, (_, place) => start + place);
      const got = await this.#patiently(start, signal, (node) => {
        const { aside } = this.#options;
        return long && aside?.reader.knows(node) === true ? this.#readAside(aside, node, numbers, signal) : this.#readHere(node, numbers, signal);
      });
      for (const one of got) observed.push(one);
    }
    return observed;
  }

  async #readHere(node: ChainNode, numbers: readonly number[], signal: AbortSignal): Promise<readonly ObservedBlock[]> {
    const got = await this.#ask(node, numbers, signal);
    await this.#record(got.map(({ fetched }) => fetched), signal);
    return got.map(({ observed }) => observed);
  }

  /** Bodies are written as they come; one that is partly there goes through its actor, one in doubt is read again here. */
  async #readAside({ reader, store }: Aside, node: ChainNode, numbers: readonly number[], signal: AbortSignal): Promise<readonly ObservedBlock[]> {
    const { chainId, check } = this.#options;
    const observed: ObservedBlock[] = [];
    const sizes: number[] = [];
    const doubtful: number[] = [];
    const written: Promise<unknown>[] = [];
    const take = (block: ReadBlock): Promise<unknown> | undefined => {
      const place = observed.push(block.observed) - 1;
      sizes.push(block.bytes);
      check.passed(block.observed);
      if (check.isDoubtful(block.observed)) {
        doubtful.push(place);
        return undefined;
      }
      if (block.body.length === 0) return undefined;
      written.push(store.appendTexts(block.body).catch((error: unknown) => this.#recordOnTop(error, node, block.observed.hash, signal)));
      written.at(-1)?.catch(() => undefined);
      return written.at(-1);
    };
    try {
      await reader.read(node, { chainId, numbers, rules: check.rules }, signal, take);
    } finally {
      await Promise.allSettled(written);
    }
    await Promise.all(written);
    if (observed.length === 0) throw new NodeLagging(node.label, numbers[0] as number);
    this.#learn(sizes);
    for (const place of doubtful) [observed[place]] = (await this.#readHere(node, [numbers[place] as number], signal)) as [ObservedBlock];
    return observed;
  }

  async #recordOnTop(error: unknown, node: ChainNode, hash: Hex, signal: AbortSignal): Promise<void> {
    if (!(error instanceof ChainfoldError) || error.code !== 'revision-conflict') throw error;
    const fetched = await node.blockByHash(hash, signal);
    if (fetched === null) throw new NodeLagging(node.label, -1);
    await this.#verified(node, fetched, signal);
    await this.#record([fetched], signal);
  }

  /** What is there before the first gap; the rest is asked again. */
  async #ask(node: ChainNode, numbers: readonly number[], signal: AbortSignal): Promise<readonly { fetched: FetchedBlock; observed: ObservedBlock }[]> {
    const blocks = await node.blocks(numbers, signal);
    const there: { fetched: FetchedBlock; observed: ObservedBlock }[] = [];
    const breath = new Breath();
    for (const fetched of blocks) {
      await breath.take();
      if (fetched === null) break;
      there.push({ fetched, observed: await this.#verified(node, fetched, signal, sendersOfOlder(Number(fetched.block.number))) });
    }
    if (there.length === 0) throw new NodeLagging(node.label, numbers[0] as number);
    this.#learn(there.map(({ fetched }) => fetched.bytes));
    return there;
  }

  async #verified(node: ChainNode, fetched: FetchedBlock, signal: AbortSignal, senders?: number): Promise<ObservedBlock> {
    const { check } = this.#options;
    const observed = check.verified(fetched, senders);
    if (check.isDoubtful(observed)) await this.#opinion.on(node, fetched, signal);
    return observed;
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
    const counted = (node: ChainNode): Promise<T> =>
      what(node).catch((error: unknown) => {
        this.#options.check.failed(error);
        throw error;
      });
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#options.providers.use(counted);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof NodeLagging) || tries >= LATE_TRIES) throw error;
        await this.#options.clock.sleep(FIRST_LATE_MS * 2 ** (tries - 1), signal);
      }
    }
  }
}
