import type { RawAnswer } from '../domain/raw/raw-block.ts';
import type { FetchedBlock, Hex, RpcHeader } from '../domain/rpc-types.ts';

/** Something new may be there. A hint only: it may skip numbers, repeat, or fall. */
export interface HeadHint {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
}

/** Valid until the next turn. */
export type TakeRaw<T> = (raw: RawAnswer, number: number) => T | undefined;

/**
 * One provider of one chain. Null means "not there (yet)", as JSON-RPC has it. Throws `node-unreachable`,
 * `node-answer-invalid`, `node-refused`, `method-unsupported`, `history-pruned`; retryable says whether to come again.
 */
export abstract class ChainNode {
  /** Host and path without secrets; safe to show anywhere. */
  abstract readonly label: string;
  /** Whether `heads` announces anything; where it does not, the caller polls. */
  readonly pushes: boolean = false;

  abstract chainId(): Promise<bigint>;
  abstract headNumber(): Promise<number>;
  abstract header(ref: number | Hex | 'latest' | 'safe' | 'finalized'): Promise<RpcHeader | null>;
  /** One HTTP request; answers in the order asked. */
  abstract headers(numbers: readonly number[]): Promise<readonly (RpcHeader | null)[]>;
  abstract blockByHash(hash: Hex, signal?: AbortSignal): Promise<FetchedBlock | null>;
  /**
   * Blocks with receipts by number, in as few requests as the provider takes; block and receipts belong together by hash.
   * Null too for the last ones, at least one being answered, where what came before them is much to hold at once.
   */
  abstract blocks(numbers: readonly number[], signal?: AbortSignal): Promise<readonly (FetchedBlock | null)[]>;
  /**
   * The same one after the other, so that a large answer need not be in memory as objects all at once. Where the bytes of
   * an answer are at hand `take` has the first look at them; what it returns is handed on in the place of the block, and
   * only where that is undefined are they parsed.
   */
  async *eachBlock<T = never>(numbers: readonly number[], signal?: AbortSignal, _take?: TakeRaw<T>): AsyncGenerator<FetchedBlock | T | null> {
    yield* await this.blocks(numbers, signal);
  }
  /**
   * Heads as the node announces them, by push where it can; ends with an error when the connection is lost,
   * for ever silent where there is no push. The caller's watchdog polls.
   */
  abstract heads(signal: AbortSignal): AsyncIterable<HeadHint>;
  abstract close(): Promise<void>;
}
