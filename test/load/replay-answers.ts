import type { RecordedBlock, RecordedChain } from './recorded-chain.ts';
import type { SeenCall } from './replay-faults.ts';

export interface ReplayOptions {
  /** Left out: 0, a free port. */
  readonly port?: number;
  /** Heights of the tags from the head; undefined: the chain has none. */
  readonly tags?: (head: number) => { readonly safe: number; readonly finalized: number } | undefined;
  /** As geth: a larger batch is answered by an array with one error. */
  readonly maxBatch?: number;
  /** Whose id that error carries: the first call's, as of geth, or nobody's, as JSON-RPC 2.0 has it; or HTTP says it. */
  readonly batchRefusal?: 'first-id' | 'no-id' | 'status-413';
  /** As geth: items after so many bytes carry -32003. */
  readonly maxAnswerBytes?: number;
  readonly blockReceipts?: boolean;
}

export type Answered = { readonly result: Buffer } | { readonly code: number; readonly message: string };

const NULL = { result: Buffer.from('null') };

/** What a node answers to each method, as slices of what was recorded. */
export class ReplayAnswers {
  readonly #chain: RecordedChain;
  readonly #options: ReplayOptions;
  readonly #headers = new WeakMap<RecordedBlock, Buffer>();
  #receipts: Map<string, Buffer> | undefined;

  constructor(chain: RecordedChain, options: ReplayOptions) {
    this.#chain = chain;
    this.#options = options;
  }

  answer(call: SeenCall): Answered {
    const [ref, full] = call.params;
    switch (call.method) {
      case 'eth_chainId':
        return text(`0x${this.#chain.chainId.toString(16)}`);
      case 'net_version':
        return text(this.#chain.chainId.toString());
      case 'eth_blockNumber':
        return text(`0x${Math.max(0, this.#chain.head).toString(16)}`);
      case 'eth_getBlockByHash':
        return this.#block(this.#chain.byHash(String(ref)), full === true);
      case 'eth_getBlockByNumber': {
        const number = this.#numberOf(String(ref));
        if (number === undefined) return { code: -39001, message: 'Unknown block' };
        return this.#block(this.#chain.at(number), full === true);
      }
      case 'eth_getBlockReceipts': {
        if (this.#options.blockReceipts === false) return missing(call.method);
        const block = String(ref).length === 66 ? this.#chain.byHash(String(ref)) : this.#chain.at(this.#numberOf(String(ref)) ?? -1);
        return block === undefined ? NULL : { result: block.receipts };
      }
      case 'eth_getTransactionReceipt':
        return { result: this.#receiptOf(String(ref)) ?? NULL.result };
      case 'eth_unsubscribe':
        return { result: Buffer.from('true') };
      default:
        return missing(call.method);
    }
  }

  /** Without full transactions: made once, then kept. */
  header(block: RecordedBlock): Buffer {
    const kept = this.#headers.get(block);
    if (kept !== undefined) return kept;
    const parsed = JSON.parse(block.block.toString()) as { transactions: { hash: string }[] };
    const made = Buffer.from(JSON.stringify({ ...parsed, transactions: parsed.transactions.map(({ hash }) => hash) }));
    this.#headers.set(block, made);
    return made;
  }

  /** As geth pushes it: the header alone. */
  pushedHead(block: RecordedBlock): string {
    const { transactions: _, uncles: __, withdrawals: ___, size: ____, ...header } = JSON.parse(this.header(block).toString()) as Record<string, unknown>;
    return JSON.stringify(header);
  }

  #block(block: RecordedBlock | undefined, full: boolean): Answered {
    if (block === undefined) return NULL;
    return { result: full ? block.block : this.header(block) };
  }

  /** Undefined for a tag that this chain does not have. */
  #numberOf(ref: string): number | undefined {
    const { head } = this.#chain;
    if (ref === 'latest' || ref === 'pending') return head;
    if (ref === 'earliest') return 0;
    if (ref === 'safe' || ref === 'finalized') return this.#options.tags?.(head)?.[ref];
    return Number(ref);
  }

  #receiptOf(hash: string): Buffer | undefined {
    this.#receipts ??= new Map(
      this.#chain
        .blocks()
        .flatMap((block) => JSON.parse(block.receipts.toString()) as { transactionHash: string }[])
        .map((receipt) => [receipt.transactionHash, Buffer.from(JSON.stringify(receipt))]),
    );
    return this.#receipts.get(hash);
  }
}

function text(value: string): Answered {
  return { result: Buffer.from(JSON.stringify(value)) };
}

function missing(method: string): Answered {
  return { code: -32601, message: `the method ${method} does not exist/is not available` };
}
