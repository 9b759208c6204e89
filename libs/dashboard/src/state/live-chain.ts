import type { Block, BlockPoint, Chain, Finality, Kinds, LoggedEvent, Page, Reorg, TransactionRow } from '../api/answers.ts';
import { ApiError, chainPath, get } from '../api/client.ts';
import { LiveFeed, type FeedState } from '../api/live-feed.ts';

export interface LiveBlock {
  readonly number: number;
  readonly hash: string;
  readonly timestamp: string;
  readonly transactionCount: number;
  readonly kinds: Kinds;
  readonly gasUsed: string | undefined;
  readonly gasLimit: string | undefined;
  /** Came over the feed while the page was open. */
  readonly fresh: boolean;
  /** Stands here because another branch was left. */
  readonly adopted: boolean;
}

export interface CapturedSecond {
  readonly second: number;
  readonly blocks: number;
  readonly transactions: number;
}

export interface LiveState {
  readonly feed: FeedState;
  readonly problem: string | undefined;
  readonly chains: readonly Chain[];
  readonly chain: Chain | undefined;
  /** Newest first. */
  readonly blocks: readonly LiveBlock[];
  readonly transactions: readonly TransactionRow[];
  readonly reorgs: readonly Reorg[];
  /** What reached the log in each second while this page looked, newest first; a second without any is left out. */
  readonly captured: readonly CapturedSecond[];
  readonly openedAt: number;
}

const KEPT_BLOCKS = 80;
const KEPT_TRANSACTIONS = 30;
const KEPT_REORGS = 6;
const KEPT_CAPTURED_SECONDS = 5 * 60;
const KEPT_BRANCH_BLOCKS = 256;
const CHAINS_EVERY_MS = 4_000;
/** At least so long between two requests for the transactions of the newest block. */
const TRANSACTIONS_EVERY_MS = 900;

/** What the page knows of one chain: read once, then kept up by the log itself. */
export class LiveChain {
  #state: LiveState = {
    feed: 'connecting', problem: undefined, chains: [], chain: undefined, blocks: [], transactions: [], reorgs: [], captured: [], openedAt: Date.now(),
  };
  readonly #wanted: string | undefined;
  readonly #changed: (state: LiveState) => void;
  readonly #ended = new AbortController();
  readonly #branch = new Map<string, LiveBlock>();
  #feed: LiveFeed | undefined;
  #scheduled = false;
  #taken = 0;
  #transactionsAt = 0;
  #transactionsTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(chainId: string | undefined, changed: (state: LiveState) => void) {
    this.#wanted = chainId;
    this.#changed = changed;
    void this.#load();
    const timer = setInterval(() => void this.#refreshChains(), CHAINS_EVERY_MS);
    this.#ended.signal.addEventListener('abort', () => clearInterval(timer));
  }

  close(): void {
    this.#ended.abort();
    this.#feed?.close();
    clearTimeout(this.#transactionsTimer);
  }

  async #load(): Promise<void> {
    const { signal } = this.#ended;
    try {
      await this.#readChains();
      const chain = this.#state.chain;
      if (chain === undefined) return this.#loadLater();
      const [blocks, reorgs] = await Promise.all([
        // Equal blocks have an equal ETag, also in another log; what the browser kept would name a place in the former one.
        get<Page<Block>>(chainPath(chain.chainId, `/blocks?limit=${KEPT_BLOCKS}`), signal, 'no-store'),
        get<Page<Reorg>>(chainPath(chain.chainId, `/reorgs?limit=${KEPT_REORGS}`), signal),
      ]);
      const newest = blocks.items[0];
      this.#set({
        problem: undefined, blocks: blocks.items.map(fromAnswer), reorgs: reorgs.items, transactions: [],
        ...(newest === undefined || newest.number < (chain.head?.number ?? 0) ? {} : { chain: { ...chain, head: newest } }),
      });
      this.#wantTransactions(undefined);
      this.#feed?.close();
      this.#feed = new LiveFeed(blocks.asOf, {
        event: (event) => this.#take(event),
        state: (feed) => this.#set({ feed }),
        outdated: () => void this.#load(),
      });
    } catch (error) {
      if (signal.aborted) return;
      this.#set({ problem: error instanceof Error ? error.message : 'unknown', ...(isAway(error) ? { feed: 'lost' as const } : {}) });
      this.#loadLater();
    }
  }

  #loadLater(): void {
    const timer = setTimeout(() => void this.#load(), 1_500);
    this.#ended.signal.addEventListener('abort', () => clearTimeout(timer));
  }

  async #refreshChains(): Promise<void> {
    if (document.hidden || this.#feed === undefined) return;
    await this.#readChains().catch(() => undefined);
  }

  async #readChains(): Promise<void> {
    const before = this.#taken;
    const { items } = await get<{ items: Chain[] }>('/chains', this.#ended.signal);
    const answered = this.#wanted === undefined ? items[0] : items.find((one) => one.chainId === this.#wanted);
    // Events that came while the answer was under way are newer than the answer: the head must not go back for it.
    const chain = this.#taken === before ? answered : withMarksOf(this.#state.chain, answered);
    this.#set({ chains: items, chain, problem: chain === undefined && this.#wanted !== undefined && items.length > 0 ? `There is no chain ${this.#wanted} here.` : undefined });
  }

  #take(event: LoggedEvent): void {
    const chain = this.#state.chain;
    if (chain === undefined || event.stream !== `chain-${chain.chainId}`) return;
    this.#taken++;
    switch (event.type) {
      case 'BlockObserved':
        this.#arrived(fromEvent(event.data, false), event);
        break;
      case 'BranchBlockObserved': {
        const block = fromEvent(event.data, true);
        this.#branch.set(block.hash, block);
        const [oldest] = this.#branch.keys();
        if (this.#branch.size > KEPT_BRANCH_BLOCKS && oldest !== undefined) this.#branch.delete(oldest);
        break;
      }
      case 'ChainReorganized':
        this.#reorganized(event);
        break;
      case 'BlocksSafe':
        this.#set({ chain: { ...chain, safe: pointOf(event.data) } });
        break;
      case 'BlocksFinalized':
        this.#set({ chain: { ...chain, finalized: pointOf(event.data) } });
        break;
      case 'ChainStopped':
      case 'ChainResumed':
        void this.#refreshChains();
        break;
    }
  }

  #arrived(block: LiveBlock, event: LoggedEvent): void {
    const { blocks, chain, captured } = this.#state;
    if (blocks.some((known) => known.hash === block.hash)) return;
    this.#set({
      blocks: [block, ...blocks.filter((known) => known.number < block.number)].slice(0, KEPT_BLOCKS),
      captured: counted(captured, Math.floor((Date.parse(event.recordedAt) || Date.now()) / 1_000), block.transactionCount),
      ...(chain === undefined
        ? {}
        : { chain: { ...chain, head: block, blocks: chain.blocks + 1, transactions: chain.transactions + block.transactionCount } }),
    });
    this.#wantTransactions(event.position);
  }

  #reorganized(event: LoggedEvent): void {
    const { ancestor, dropped, adopted } = event.data as unknown as { ancestor: BlockPoint; dropped: BlockPoint[]; adopted: BlockPoint[] };
    const { blocks, chain, reorgs, transactions } = this.#state;
    const stood = blocks.filter((block) => block.number <= ancestor.number);
    const came = adopted.flatMap((point) => this.#branch.get(point.hash) ?? []).reverse();
    this.#branch.clear();
    const left = new Set(dropped.map((point) => point.hash));
    const head = came[0] ?? stood[0] ?? ancestor;
    this.#set({
      blocks: [...came, ...stood].slice(0, KEPT_BLOCKS),
      transactions: transactions.filter((transaction) => !left.has(transaction.blockHash)),
      reorgs: [{ ancestor, dropped, adopted, depth: dropped.length, at: event.recordedAt }, ...reorgs].slice(0, KEPT_REORGS),
      ...(chain === undefined ? {} : { chain: { ...chain, head, reorgs: (chain.reorgs ?? 0) + 1, blocks: chain.blocks + adopted.length - dropped.length } }),
    });
    void this.#refreshChains();
    this.#wantTransactions(event.position);
  }

  /** Soon, and not once per block while many arrive. */
  #wantTransactions(position: string | undefined): void {
    if (this.#transactionsTimer !== undefined) return;
    const wait = Math.max(0, this.#transactionsAt + TRANSACTIONS_EVERY_MS - Date.now());
    this.#transactionsTimer = setTimeout(() => {
      this.#transactionsTimer = undefined;
      this.#transactionsAt = Date.now();
      void this.#readTransactions(position).catch(() => undefined);
    }, wait);
  }

  async #readTransactions(position: string | undefined): Promise<void> {
    const { chain, blocks, transactions } = this.#state;
    if (chain === undefined || (document.hidden && transactions.length > 0)) return;
    const known = new Set(transactions.map((transaction) => transaction.blockHash));
    // On the first look several blocks, later the ones that came meanwhile.
    const unread = blocks.filter((block) => block.transactionCount > 0 && !known.has(block.hash)).slice(0, known.size === 0 ? 4 : 3);
    const newest = transactions[0]?.blockNumber ?? -1;
    const wait = position === undefined ? '' : `&atLeast=${encodeURIComponent(position)}`;
    const lists = await Promise.all(
      unread
        .filter((block) => block.number > newest || known.size === 0)
        .map((block) => get<Page<TransactionRow>>(chainPath(chain.chainId, `/blocks/${block.hash}/transactions?limit=15${wait}`), this.#ended.signal)),
    );
    const merged = [...lists.flatMap((list) => list.items), ...this.#state.transactions];
    const unique = [...new Map(merged.map((transaction) => [transaction.hash, transaction])).values()];
    this.#set({ transactions: unique.sort((a, b) => b.blockNumber - a.blockNumber || a.index - b.index).slice(0, KEPT_TRANSACTIONS) });
  }

  /** Many events in one frame are one drawing. */
  #set(change: Partial<LiveState>): void {
    if (this.#ended.signal.aborted) return;
    this.#state = { ...this.#state, ...change };
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      if (!this.#ended.signal.aborted) this.#changed(this.#state);
    }, 30);
  }
}

/** From where the chain's own marks stand; a row does not have to be read again for it. */
export function finalityOf(number: number, chain: Chain | undefined): Finality {
  if (chain?.finalized && number <= chain.finalized.number) return 'finalized';
  if (chain?.safe && number <= chain.safe.number) return 'safe';
  return 'canonical';
}

/** How many seconds are kept is bounded, however fast blocks arrive. */
function counted(captured: readonly CapturedSecond[], second: number, transactions: number): readonly CapturedSecond[] {
  const [newest, ...older] = captured;
  if (newest?.second === second) return [{ second, blocks: newest.blocks + 1, transactions: newest.transactions + transactions }, ...older];
  return [{ second, blocks: 1, transactions }, ...captured].slice(0, KEPT_CAPTURED_SECONDS);
}

function withMarksOf(known: Chain | undefined, answered: Chain | undefined): Chain | undefined {
  if (known === undefined || answered === undefined || known.chainId !== answered.chainId) return answered;
  const { head, safe, finalized, blocks, transactions, reorgs = 0 } = known;
  return { ...answered, head, safe, finalized, blocks, transactions, reorgs };
}

function isAway(error: unknown): boolean {
  return error instanceof ApiError && !error.refused;
}

function pointOf(data: LoggedEvent['data']): BlockPoint {
  return { number: Number(data['number']), hash: String(data['hash']) };
}

function fromAnswer(block: Block): LiveBlock {
  const { number, hash, timestamp, transactionCount, kinds = {}, gasUsed, gasLimit } = block;
  return { number, hash, timestamp, transactionCount, kinds, gasUsed, gasLimit, fresh: false, adopted: false };
}

/** In the log a header is as the node gave it: quantities in hex. */
function fromEvent(data: LoggedEvent['data'], adopted: boolean): LiveBlock {
  const header = (data['header'] ?? {}) as { [field: string]: unknown };
  const seconds = Number(header['timestamp']);
  return {
    number: Number(data['number']),
    hash: String(data['hash']),
    timestamp: Number.isFinite(seconds) ? new Date(seconds * 1_000).toISOString() : '',
    transactionCount: Number(data['transactionCount'] ?? 0),
    kinds: data['kinds'] ?? {},
    gasUsed: quantity(header['gasUsed']),
    gasLimit: quantity(header['gasLimit']),
    fresh: true,
    adopted,
  };
}

function quantity(value: unknown): string | undefined {
  return typeof value === 'string' && /^0x[0-9a-f]+$/.test(value) ? BigInt(value).toString() : undefined;
}
