import type { CaptureLog } from '../application/capture-log.ts';
import type { ReadingJobs, SharedPlace } from '../application/reading-jobs.ts';
import { WorkUndone } from '../application/reading-jobs.errors.ts';
import { BlockReader, type ReadRequest, type TakeBlock } from '../ports/block-reader.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';

export interface SharedOptions {
  readonly local: BlockReader;
  readonly jobs: Pick<ReadingJobs, 'read' | 'hasRoom' | 'capacity'>;
  readonly log: CaptureLog;
  /** Told of each block, where it was read. */
  readonly counted?: (where: 'here' | 'worker') => void;
}

/** A range that workers dropped so often is read here. */
const TRIES = 3;
/** At once, of a node on keys: this process has leases of its own, and what nobody asks for on them is lost. */
const OWN_READS = 2;

/** Gives what is to be read to a worker process that has room, and reads here what none takes or none finishes. */
export class SharedBlockReader extends BlockReader {
  readonly #options: SharedOptions;
  readonly #places = new WeakMap<ChainNode, SharedPlace>();
  #readsHere = 0;

  constructor(options: SharedOptions) {
    super();
    this.#options = options;
  }

  /** Workers know this node too, by its place. What has none is read here. */
  share(node: ChainNode, place: SharedPlace): void {
    this.#places.set(node, place);
  }

  override get extraRequests(): number {
    return this.#options.jobs.capacity;
  }

  knows(node: ChainNode): boolean {
    return this.#options.local.knows(node);
  }

  async read(node: ChainNode, request: ReadRequest, signal: AbortSignal, take: TakeBlock): Promise<void> {
    const { local, jobs, log, counted } = this.#options;
    const place = this.#places.get(node);
    const stays = place?.metered === true && this.#readsHere < OWN_READS;
    let taken = 0;
    const rest = (): ReadRequest => ({ ...request, numbers: request.numbers.slice(taken) });
    const taking = (where: 'here' | 'worker'): TakeBlock => (block) => {
      taken += 1;
      counted?.(where);
      return take(block);
    };
    for (let tries = 0; place !== undefined && !stays && tries < TRIES && jobs.hasRoom && taken < request.numbers.length; tries += 1) {
      try {
        await jobs.read(place, rest(), signal, taking('worker'));
        // What its replica does not have, ours may.
        break;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof WorkUndone)) throw error;
        log.info({ chain: place.chain, from: request.numbers[taken], ...error.facts }, 'a worker did not finish a range');
      }
    }
    if (taken === request.numbers.length) return;
    this.#readsHere += 1;
    try {
      await local.read(node, rest(), signal, taking('here'));
    } finally {
      this.#readsHere -= 1;
    }
  }

  close(): Promise<void> {
    return this.#options.local.close();
  }
}
