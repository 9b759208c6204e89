import { BlockMismatch } from '../domain/chain.errors.ts';
import type { BlockPart } from '../domain/chain.events.ts';
import type { FetchedBlock } from '../domain/rpc-types.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import { NodeLagging } from './capture.errors.ts';
import type { CaptureLog } from './capture-log.ts';
import type { ProviderSet } from './provider-set.ts';

/** So often a block that the others do not have yet is waited for; a provider that stands still must not stop the chain. */
const LATE_TIMES = 12;

export interface OpinionOptions {
  readonly chainId: string;
  readonly providers: Pick<ProviderSet, 'elsewhere'>;
  readonly log: CaptureLog;
}

/**
 * Stands in where no hash can tell: a transaction of a type that nobody here knows, on a chain that verified so far, may
 * be a new type or made up. It is taken when a second provider tells the same. Where there is none it is taken too, and
 * said so once.
 */
export class SecondOpinion {
  readonly #options: OpinionOptions;
  #alarmed = false;
  #late = { hash: '', times: 0 };

  constructor(options: OpinionOptions) {
    this.#options = options;
  }

  /** Throws `block-mismatch` when others tell it otherwise, `node-lagging` while they do not have it yet. */
  async on(node: ChainNode, fetched: FetchedBlock, signal: AbortSignal): Promise<void> {
    const { hash } = fetched.block;
    const number = Number(fetched.block.number);
    let differs: Difference | undefined;
    let late: string | undefined;
    for await (const { label, answer } of this.#options.providers.elsewhere(node, (other) => other.blockByHash(hash, signal))) {
      if (answer === null) {
        late = label;
        continue;
      }
      const found = difference(fetched, answer);
      if (found === undefined) return;
      differs = found;
    }
    if (differs !== undefined) throw new BlockMismatch({ number: fetched.block.number, hash, ...differs });
    if (late !== undefined && this.#mayWait(hash)) throw new NodeLagging(late, number);
    this.#alarm(node, number, hash);
  }

  #mayWait(hash: string): boolean {
    this.#late = { hash, times: this.#late.hash === hash ? this.#late.times + 1 : 1 };
    return this.#late.times <= LATE_TIMES;
  }

  #alarm(node: ChainNode, number: number, hash: string): void {
    if (this.#alarmed) return;
    this.#alarmed = true;
    const { log, chainId } = this.#options;
    log.error({ chainId, node: node.label, number, hash }, 'transactions of an unknown type are recorded on the word of one provider');
  }
}

interface Difference {
  readonly part: BlockPart;
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}
type Fields = Readonly<Record<string, unknown>>;

/** What roots would bind. Other fields every node writes in its own way. */
const OF_TRANSACTION = ['hash', 'type', 'from', 'to', 'nonce', 'value', 'input'] as const;
const OF_RECEIPT = ['transactionHash', 'type', 'status', 'cumulativeGasUsed'] as const;
const OF_LOG = ['address', 'topics', 'data'] as const;

function difference(ours: FetchedBlock, theirs: FetchedBlock): Difference | undefined {
  const transactions = inLists('transactions', ours.block.transactions, theirs.block.transactions, OF_TRANSACTION);
  const found = transactions ?? inLists('receipts', ours.receipts ?? [], theirs.receipts ?? [], OF_RECEIPT);
  if (found !== undefined) return { ...found, part: transactions === undefined ? 'receipts' : 'transactions' };
  for (const [index, receipt] of (ours.receipts ?? []).entries()) {
    const inLogs = inLists(`receipts[${index}].logs`, receipt.logs, theirs.receipts?.[index]?.logs ?? [], OF_LOG);
    if (inLogs !== undefined) return { ...inLogs, part: 'receipts' };
  }
  return undefined;
}

function inLists(path: string, ours: readonly Fields[], theirs: readonly Fields[], fields: readonly string[]): Omit<Difference, 'part'> | undefined {
  if (ours.length !== theirs.length) return { field: `${path}.length`, expected: String(theirs.length), actual: String(ours.length) };
  for (const [index, our] of ours.entries()) {
    for (const field of fields) {
      const [actual, expected] = [shown(field, our), shown(field, theirs[index] as Fields)];
      if (actual !== expected) return { field: `${path}[${index}].${field}`, expected, actual };
    }
  }
  return undefined;
}

/** Answers from before EIP-2718 name no type. */
function shown(field: string, from: Fields): string {
  return JSON.stringify(from[field] ?? (field === 'type' ? '0x0' : null));
}
