import type { AppendText } from '#platform/event-store';
import type { ObservedBlock } from '../domain/chain.events.ts';
import type { VerificationRules } from '../domain/verification/part-rules.ts';
import type { ChainNode } from './chain-node.port.ts';

export interface ReadRequest {
  readonly chainId: string;
  readonly numbers: readonly number[];
  readonly rules: VerificationRules;
}

/** A block that verified, with its body ready to be written. */
export interface ReadBlock {
  readonly observed: ObservedBlock;
  /** Of the JSON that arrived. */
  readonly bytes: number;
  /** As decided for a body of which nothing stands yet; empty for a block without transactions. */
  readonly body: readonly AppendText[];
}

/** May answer with when the block is durable, so that who reads knows how far the writing is behind. */
export type TakeBlock = (block: ReadBlock) => void | Promise<unknown>;

/** Asks for blocks, verifies them and decides their bodies where the thread that serves requests is not held up. */
export abstract class BlockReader {
  /** Whether it can ask this node. */
  abstract knows(node: ChainNode): boolean;

  /** So many requests more than usual keep it busy. */
  get extraRequests(): number {
    return 0;
  }

  /**
   * Hands over block by block, in order, and ends before the first that is not there (yet). Throws what `ChainNode` throws,
   * `block-mismatch`, and `block-reader-stopped` when its thread ended twice over one request.
   */
  abstract read(node: ChainNode, request: ReadRequest, signal: AbortSignal, take: TakeBlock): Promise<void>;

  abstract close(): Promise<void>;
}
