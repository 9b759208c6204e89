import type { Clock } from '#platform/kernel';
import type { RawAnswer } from '../domain/raw/raw-block.ts';
import type { FetchedBlock, Hex, RpcBlock, RpcHeader } from '../domain/rpc-types.ts';
import { Breath } from '../application/breath.ts';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';
import { MethodUnsupported, NodeAnswerInvalid, NodeRefused } from '../ports/chain-node.errors.ts';
import type { HeadHint, TakeRaw } from '../ports/chain-node.port.ts';
import { ChainNode } from '../ports/chain-node.port.ts';
import { belongElsewhere, notIndexedYet, readBlock, readHeader, readQuantity, readReceipts } from './chain-node-answers.ts';
import type { Asked } from './chain-node-batches.ts';
import { BatchSizer, ENOUGH_BYTES, askAll } from './chain-node-batches.ts';
import { BlockReceiptsSupport } from './chain-node-receipts.ts';
import { meaningOf, refusalError } from './chain-node-refusals.ts';
import type { RpcAnswer, RpcCall, RpcTransport } from './chain-node-transport.ts';

export interface JsonRpcOptions {
  readonly transport: RpcTransport;
  /** Left out: the transport's. */
  readonly label?: string;
  readonly clock: Clock;
  readonly metrics: ChainNodeMetrics;
  /** False: blocks are asked without receipts, one call per block. */
  readonly receipts: boolean;
  /** Who is asked for receipts; left out: the same. */
  readonly receiptsFrom?: RpcTransport | undefined;
  /** Never asks for receipts of a whole block. */
  readonly receiptsByTransaction?: boolean;
  /** Who is asked for ranges; left out: the same. */
  readonly ranges?: { readonly transport: RpcTransport; readonly receiptsFrom?: RpcTransport | undefined };
  /** Who announces heads; left out: the same. */
  readonly headsFrom?: RpcTransport | undefined;
}

/** Of one request of ours: whom to ask for blocks, and whom for receipts. */
interface Sources {
  readonly blocks: RpcTransport;
  readonly receipts: RpcTransport;
}

type BlockMethod = 'eth_getBlockByHash' | 'eth_getBlockByNumber';

/** On keys a request waits for its turn: of a long range so many blocks are asked for before the first is handed over. */
const METERED_AT_ONCE = 14;
/** A tag that a node refuses is not asked for again so soon. */
const UNKNOWN_TAG_MS = 600_000;

/** One provider that speaks Ethereum JSON-RPC. https://ethereum.github.io/execution-apis/ */
export class JsonRpcChainNode extends ChainNode {
  readonly label: string;
  override readonly pushes: boolean;
  readonly #transport: RpcTransport;
  readonly #options: JsonRpcOptions;
  readonly #sizers = new Map<RpcTransport, BatchSizer>();
  readonly #blockReceipts: BlockReceiptsSupport;
  /** Until when on the monotonic clock. */
  readonly #unknownTags = new Map<string, number>();

  constructor(options: JsonRpcOptions) {
    super();
    this.#options = options;
    this.#transport = options.transport;
    this.label = options.label ?? options.transport.label;
    this.pushes = (options.headsFrom ?? options.transport).pushes;
    this.#blockReceipts = new BlockReceiptsSupport(options.clock);
  }

  async chainId(): Promise<bigint> {
    return readQuantity(await this.#one('eth_chainId', []), this.label);
  }

  async headNumber(): Promise<number> {
    return Number(readQuantity(await this.#one('eth_blockNumber', []), this.label));
  }

  async header(ref: number | Hex | 'latest' | 'safe' | 'finalized'): Promise<RpcHeader | null> {
    if (ref === 'safe' || ref === 'finalized') return this.#tagged(ref);
    const byHash = typeof ref === 'string' && ref.startsWith('0x');
    const [method, param] = byHash ? ['eth_getBlockByHash', ref] : ['eth_getBlockByNumber', typeof ref === 'number' ? hex(ref) : ref];
    const header = this.#headerOf(await this.#one(method, [param, false]));
    if (header !== null && byHash && header.hash !== ref) throw this.#invalid('another block than the hash asked for', { path: 'block.hash', asked: ref, got: header.hash });
    if (header !== null && typeof ref === 'number') this.#checkNumber(header, ref);
    return header;
  }

  /** A node that knows no tags refuses them in words of its own: that is no trouble, the chain has none there. */
  async #tagged(tag: 'safe' | 'finalized'): Promise<RpcHeader | null> {
    const { clock } = this.#options;
    if (clock.monotonic() < (this.#unknownTags.get(tag) ?? 0)) return null;
    try {
      return this.#headerOf(await this.#one('eth_getBlockByNumber', [tag, false]));
    } catch (error) {
      if (!(error instanceof MethodUnsupported || (error instanceof NodeRefused && error.meaning === 'refused'))) throw error;
      this.#unknownTags.set(tag, clock.monotonic() + UNKNOWN_TAG_MS);
      return null;
    }
  }

  async headers(numbers: readonly number[]): Promise<readonly (RpcHeader | null)[]> {
    const calls = numbers.map((number) => ({ method: 'eth_getBlockByNumber', params: [hex(number), false] }));
    const { answers } = await this.#ask(this.#transport, 'headers', calls, 1);
    return answers.map((answer, place) => {
      const header = this.#headerOf(this.#resultOf(answer, 'eth_getBlockByNumber'));
      if (header !== null) this.#checkNumber(header, numbers[place] as number);
      return header;
    });
  }

  async blockByHash(hash: Hex, signal?: AbortSignal): Promise<FetchedBlock | null> {
    const [fetched] = await collected(this.#fetch([hash], 'eth_getBlockByHash', signal));
    if (fetched?.block !== undefined && fetched.block.hash !== hash) throw this.#invalid('another block than the hash asked for', { path: 'block.hash', asked: hash, got: fetched.block.hash });
    return fetched ?? null;
  }

  async blocks(numbers: readonly number[], signal?: AbortSignal): Promise<readonly (FetchedBlock | null)[]> {
    return collected(this.eachBlock(numbers, signal));
  }

  override async *eachBlock<T = never>(numbers: readonly number[], signal?: AbortSignal, take?: TakeRaw<T>): AsyncGenerator<FetchedBlock | T | null> {
    const atOnce = this.#options.ranges === undefined ? numbers.length : METERED_AT_ONCE;
    let isWhole = true;
    for (let from = 0; from < numbers.length; from += atOnce) {
      const some = numbers.slice(from, from + atOnce);
      // Behind a gap nobody takes anything: it is not paid for.
      if (!isWhole) yield* some.map(() => null);
      else for await (const block of this.#fetch(some.map(hex), 'eth_getBlockByNumber', signal, take)) {
        if (block === null) isWhole = false;
        yield block;
      }
    }
  }

  async *heads(signal: AbortSignal): AsyncIterable<HeadHint> {
    for await (const head of (this.#options.headsFrom ?? this.#transport).heads(signal)) {
      const { number, hash, parentHash } = readHeader(head);
      yield { number: Number(number), hash, parentHash };
    }
  }

  async close(): Promise<void> {
    const { receiptsFrom, ranges, headsFrom } = this.#options;
    const all = new Set([this.#transport, receiptsFrom, ranges?.transport, ranges?.receiptsFrom, headsFrom]);
    await Promise.all([...all].map(async (transport) => transport?.close()));
  }

  /** Blocks with receipts, in one batch where one provider has both; where they do not belong together the block is asked again by its hash. */
  async *#fetch<T = never>(refs: readonly Hex[], method: BlockMethod, signal?: AbortSignal, take?: TakeRaw<T>): AsyncGenerator<FetchedBlock | T | null> {
    const sources = this.#sources(method);
    const together = this.#options.receipts && this.#options.receiptsByTransaction !== true && this.#blockReceipts.usable();
    const width = together ? 2 : 1;
    const asked = together ? await this.#both(refs, method, sources, signal) : await this.#ask(sources.blocks, 'blocks', refs.map((ref) => ({ method, params: [ref, true] })), 1, signal, ENOUGH_BYTES);
    if (together && !this.#blockReceipts.learn(asked.answers.filter((_, place) => place % 2 === 1))) {
      yield* this.#fetch(refs, method, signal, take);
      return;
    }
    const there = refs.slice(0, asked.answers.length / width);
    const blocks = together ? undefined : there.map((_, place) => this.#blockOf(this.#resultOf(asked.answers[place], method)));
    const receipts = blocks === undefined ? undefined : await this.#receiptsOneByOne(blocks, sources.receipts, signal);
    const breath = new Breath();
    for (const [place, ref] of refs.entries()) {
      await breath.take();
      if (place >= there.length) {
        yield null;
        continue;
      }
      const answers = asked.answers.slice(place * width, (place + 1) * width);
      const raw = take && together ? rawOf(answers) : undefined;
      const taken = raw && take?.(raw, Number(ref));
      if (taken !== undefined) {
        yield taken;
        continue;
      }
      const block = blocks === undefined ? this.#blockOf(this.#resultOf(answers[0], method)) : blocks[place]!;
      const own = receipts === undefined ? this.#resultOf(answers[1], 'eth_getBlockReceipts') : receipts[place];
      const bytes = answers.reduce((sum, answer) => sum + bytesOf(answer, asked), 0);
      const bound = await this.#bind(block, own, bytes, method, signal);
      if (bound !== null && method === 'eth_getBlockByNumber') this.#checkNumber(bound.block, Number(ref));
      yield bound;
    }
  }

  /** Ranges are asked for by number, and have a turn of their own. */
  #sources(method: BlockMethod): Sources {
    const { ranges, receiptsFrom } = this.#options;
    const { transport, receiptsFrom: own } = method === 'eth_getBlockByNumber' && ranges !== undefined ? ranges : { transport: this.#transport, receiptsFrom };
    return { blocks: transport, receipts: own ?? transport };
  }

  /** A block and its receipts, one after the other. Of two providers both are asked at once. */
  async #both(refs: readonly Hex[], method: BlockMethod, { blocks, receipts }: Sources, signal?: AbortSignal): Promise<Asked> {
    const blockCalls = refs.map((ref) => ({ method, params: [ref, true] }));
    const receiptCalls = refs.map((ref) => ({ method: 'eth_getBlockReceipts', params: [ref] }));
    if (blocks === receipts) return this.#ask(blocks, 'blocks+receipts', refs.flatMap((_, place) => [blockCalls[place]!, receiptCalls[place]!]), 2, signal, ENOUGH_BYTES);
    const [some, others] = await Promise.all([
      this.#ask(blocks, 'blocks', blockCalls, 1, signal, ENOUGH_BYTES / 2),
      this.#ask(receipts, 'receipts of blocks', receiptCalls, 1, signal, ENOUGH_BYTES / 2),
    ]);
    const there = Math.min(some.answers.length, others.answers.length);
    return { answers: some.answers.slice(0, there).flatMap((answer, place) => [answer, others.answers[place]!]), bytes: some.bytes + others.bytes };
  }

  /** A load balancer may answer the two halves from replicas of different branches, or of different heights. */
  async #bind(block: RpcBlock | null, receipts: unknown, bytes: number, method: BlockMethod, signal?: AbortSignal): Promise<FetchedBlock | null> {
    if (block === null) return null;
    if (!this.#options.receipts) return { block, receipts: undefined, bytes };
    if (notIndexedYet(receipts, block)) return null;
    if (!belongElsewhere(receipts, block)) return { block, receipts: readReceipts(receipts, block), bytes };
    if (method === 'eth_getBlockByHash') throw this.#invalid('receipts of another block', { path: 'receipts[0].blockHash', block: block.hash });
    return this.blockByHash(block.hash, signal);
  }

  /** For nodes without eth_getBlockReceipts: one batch for all transactions of all these blocks. */
  async #receiptsOneByOne(blocks: readonly (RpcBlock | null)[], transport: RpcTransport, signal?: AbortSignal): Promise<readonly unknown[]> {
    if (!this.#options.receipts) return blocks.map(() => undefined);
    const hashes = blocks.flatMap((block) => block?.transactions.map((transaction) => transaction.hash) ?? []);
    const calls = hashes.map((hash) => ({ method: 'eth_getTransactionReceipt', params: [hash] }));
    const { answers } = calls.length === 0 ? { answers: [] } : await this.#ask(transport, 'receipts', calls, 1, signal);
    let next = 0;
    return blocks.map((block) => {
      const results = block?.transactions.map(() => this.#resultOf(answers[next++], 'eth_getTransactionReceipt')) ?? null;
      return results?.includes(null) ? null : results;
    });
  }

  async #one(method: string, params: readonly unknown[]): Promise<unknown> {
    const { answers } = await this.#ask(this.#transport, method, [{ method, params }], 1);
    return this.#resultOf(answers[0], method);
  }

  #ask(transport: RpcTransport, kind: string, calls: readonly RpcCall[], group: number, signal?: AbortSignal, enough?: number): Promise<Asked> {
    const { clock, metrics } = this.#options;
    const sizer = this.#sizers.get(transport) ?? new BatchSizer();
    this.#sizers.set(transport, sizer);
    return askAll({ transport, sizer, metrics, clock }, kind, calls, group, signal, enough);
  }

  /** Null for "not there": said by null, by a refusal of a replica that is behind, or for a tag the chain lacks. */
  #resultOf(answer: RpcAnswer | undefined, method: string): unknown {
    if (answer === undefined) throw this.#invalid('an item is missing', { method });
    if (answer.ok) return answer.result;
    const meaning = meaningOf(answer.refusal);
    if (meaning === 'lagging' || meaning === 'absent') return null;
    throw refusalError(answer.refusal, method, this.label, this.#transport.url);
  }

  #headerOf(result: unknown): RpcHeader | null {
    return result === null ? null : readHeader(result);
  }

  #blockOf(result: unknown): RpcBlock | null {
    return result === null ? null : readBlock(result);
  }

  #checkNumber(header: RpcHeader, asked: number): void {
    if (header.number !== hex(asked)) throw this.#invalid('another block than the number asked for', { path: 'block.number', asked, got: header.number });
  }

  #invalid(what: string, facts: Record<string, string | number> = {}): NodeAnswerInvalid {
    return new NodeAnswerInvalid(this.label, what, facts);
  }
}

function hex(number: number): Hex {
  return `0x${number.toString(16)}`;
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Of a block and its receipts that were left as they came. */
function rawOf([block, receipts]: readonly RpcAnswer[]): RawAnswer | undefined {
  if (block?.ok !== true || receipts?.ok !== true || block.raw === undefined || receipts.raw === undefined) return undefined;
  return { block: block.raw, receipts: receipts.raw };
}

/** Known of a large item; of small ones their share is near enough to bound what is in flight. */
function bytesOf(answer: RpcAnswer, { bytes, answers }: Asked): number {
  return (answer.ok ? answer.bytes : undefined) ?? Math.ceil(bytes / answers.length);
}
