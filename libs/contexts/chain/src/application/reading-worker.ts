import { ChainfoldError, type Clock, toErrorMessage } from '#platform/kernel';
import type { BlockReader, ReadBlock } from '../ports/block-reader.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import type { NodePlace, ReadingBoard, ReadingJob } from '../ports/reading-board.port.ts';
import type { CaptureLog } from './capture-log.ts';

export interface ReadingWorkerOptions {
  readonly board: ReadingBoard;
  readonly reader: BlockReader;
  /** From this process's own configuration. */
  readonly nodeAt: (place: NodePlace) => ChainNode | undefined;
  readonly clock: Clock;
  readonly log: CaptureLog;
  readonly slots?: number;
  readonly beatMs?: number;
}

const SLOTS = 4;
/** Several fit into the silence that the owner bears. */
const BEAT_MS = 2_500;
const BLOCKS_PER_MESSAGE = 64;
const BYTES_PER_MESSAGE = 2_000_000;

/** Takes reading jobs of the owner, reads them with this process's own nodes, and hands the blocks back in order. */
export class ReadingWorker {
  readonly #options: ReadingWorkerOptions;
  readonly #slots: number;
  readonly #reading = new Map<string, AbortController>();

  constructor(options: ReadingWorkerOptions) {
    this.#options = options;
    this.#slots = options.slots ?? SLOTS;
  }

  /** Jobs that are being read. */
  get load(): number {
    return this.#reading.size;
  }

  /** Runs until the signal is aborted; trouble of the owner and of nodes is waited out. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#beats(signal), ...Array.from({ length: this.#slots }, () => this.#works(signal))]);
  }

  async #works(signal: AbortSignal): Promise<void> {
    const { board, clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        const job = await Promise.race([board.take(this.#slots), aborted(signal)]);
        if (job !== undefined && !signal.aborted) await this.#do(job, signal);
      } catch (error) {
        if (!(error instanceof ChainfoldError)) log.error({ err: error }, 'reading for the owner failed');
        await clock.sleep(board.pauseMs, signal).catch(() => undefined);
      }
    }
  }

  async #do({ ticket, place, request }: ReadingJob, signal: AbortSignal): Promise<void> {
    const { board, reader, nodeAt } = this.#options;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    this.#reading.set(ticket, stop);
    const handing = new Handing(board, ticket, (error) => stop.abort(error));
    let failed: { readonly error: unknown } | undefined;
    try {
      const node = nodeAt(place);
      if (node === undefined) throw new PlaceUnknown(place);
      await reader.read(node, request, either, (block) => handing.add(block));
    } catch (error) {
      failed = { error: signal.aborted ? new Leaving() : error };
    }
    const handed = await handing.finish();
    this.#reading.delete(ticket);
    // Not ours any more, or the owner is gone: whoever it is given to reads it.
    if (!stop.signal.aborted) await board.done(ticket, handed, failed && toErrorMessage(failed.error));
  }

  async #beats(signal: AbortSignal): Promise<void> {
    const { board, clock, beatMs = BEAT_MS } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(beatMs, signal).catch(() => undefined);
      const tickets = [...this.#reading.keys()];
      if (tickets.length === 0 || signal.aborted) continue;
      const gone = await board.beat(tickets).catch(() => []);
      for (const ticket of gone) this.#reading.get(ticket)?.abort(new Error('not wanted any more'));
    }
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}

/** Hands blocks over as they come, one message at a time, so that they stay in order and the owner sets the pace. */
class Handing {
  readonly #board: ReadingBoard;
  readonly #ticket: string;
  readonly #failed: (error: unknown) => void;
  readonly #waiting: ReadBlock[] = [];
  #sent = 0;
  #sending: Promise<void> | undefined;
  #broken = false;

  constructor(board: ReadingBoard, ticket: string, failed: (error: unknown) => void) {
    this.#board = board;
    this.#ticket = ticket;
    this.#failed = failed;
  }

  add(block: ReadBlock): void {
    this.#waiting.push(block);
    this.#sending ??= this.#send();
  }

  /** How many were handed over, once all were. */
  async finish(): Promise<number> {
    await this.#sending;
    return this.#sent;
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#broken) {
      const blocks = this.#next();
      try {
        await this.#board.hand(this.#ticket, this.#sent, blocks);
        this.#sent += blocks.length;
      } catch (error) {
        this.#broken = true;
        this.#failed(error);
      }
    }
    this.#sending = undefined;
  }

  #next(): readonly ReadBlock[] {
    let count = 0;
    for (let bytes = 0; count < this.#waiting.length && count < BLOCKS_PER_MESSAGE; count += 1) {
      bytes += packedBytes(this.#waiting[count] as ReadBlock);
      if (count > 0 && bytes > BYTES_PER_MESSAGE) break;
    }
    return this.#waiting.splice(0, count);
  }
}

function packedBytes({ body }: ReadBlock): number {
  return body.reduce((sum, { text }) => sum + (typeof text === 'string' ? text.length : text.payload.length), 2_000);
}

class PlaceUnknown extends ChainfoldError {
  constructor({ chain, node }: NodePlace) {
    super('This worker knows no such node', { code: 'work-place-unknown', kind: 'missing', facts: { chain, node }, hint: 'Start the worker with the config files of the owner.' });
  }
}

class Leaving extends ChainfoldError {
  constructor() {
    super('The worker is ending', { code: 'worker-leaving', kind: 'unavailable', retryable: true });
  }
}
