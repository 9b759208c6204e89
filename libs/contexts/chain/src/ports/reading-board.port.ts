import type { ErrorMessage } from '#platform/kernel';
import type { ReadBlock, ReadRequest } from './block-reader.port.ts';

/** Which node of which chain, as every process finds it in its own configuration: so no address crosses between them. */
export interface NodePlace {
  /** Name of the chain. */
  readonly chain: string;
  /** Place among its nodes, in order of preference. */
  readonly node: number;
}

export interface ReadingJob {
  /** Void when the worker was silent for too long or its connection ended: then it is somebody else's. */
  readonly ticket: string;
  readonly place: NodePlace;
  readonly request: ReadRequest;
}

/** The owner's board of reading jobs, as a worker sees it. Everything throws `owner-unreachable`, or what the owner refuses with. */
export abstract class ReadingBoard {
  /** How long to leave it alone after a failure. */
  abstract readonly pauseMs: number;
  /** Undefined: nothing to read for now. `slots`: how many jobs this worker reads at once. */
  abstract take(slots: number): Promise<ReadingJob | undefined>;
  /** `first`: place of the first of them in the request. Resolves when they are durable, or nearly: the pace of the owner. Throws `work-lapsed`. */
  abstract hand(ticket: string, first: number, blocks: readonly ReadBlock[]): Promise<void>;
  /** `blocks`: how many were handed over; fewer than asked for where the node has no more. */
  abstract done(ticket: string, blocks: number, error?: ErrorMessage): Promise<void>;
  /** Says that these are still being read; answers which of them are not wanted any more. */
  abstract beat(tickets: readonly string[]): Promise<readonly string[]>;
}
