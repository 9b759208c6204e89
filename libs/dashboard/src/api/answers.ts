/** Shapes of the REST API as the page reads them. Fields that a node gave beyond these come too and are shown as they are. */
export type Finality = 'canonical' | 'safe' | 'finalized' | 'orphaned';
export type Kind = 'transfer' | 'call' | 'deploy';
export type Kinds = { readonly [kind in Kind]?: number };

export interface BlockPoint {
  readonly number: number;
  readonly hash: string;
  readonly timestamp?: string;
}

export interface Chain {
  readonly chainId: string;
  readonly name?: string;
  readonly status: string;
  readonly reason?: string | null;
  readonly head: BlockPoint | null;
  readonly safe: BlockPoint | null;
  readonly finalized: BlockPoint | null;
  readonly headAgeSeconds?: number | null;
  readonly nodeHead?: number | null;
  readonly startBlock?: number;
  readonly blocks: number;
  readonly transactions: number;
  readonly kinds?: Kinds;
  readonly reorgs?: number;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
  readonly asOf: string;
}

export interface Block {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: string;
  readonly transactionCount: number;
  readonly kinds?: Kinds;
  readonly finality: Finality;
  readonly verified?: boolean;
  readonly verification?: { readonly [part: string]: string };
  readonly gasUsed?: string;
  readonly gasLimit?: string;
  readonly withdrawals?: readonly Withdrawal[];
  readonly extra?: unknown;
  readonly [field: string]: unknown;
}

export interface Withdrawal {
  readonly index: number;
  readonly validatorIndex: number;
  readonly address: string;
  readonly amount: string;
}

export interface TransactionRow {
  readonly hash: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly index: number;
  readonly kind: Kind;
  readonly type?: number;
  readonly from?: string;
  readonly to?: string | null;
  readonly contractAddress?: string | null;
  readonly value?: string;
  readonly status?: 'success' | 'reverted' | null;
  readonly finality?: Finality;
  readonly timestamp?: string;
  readonly roles?: readonly string[];
}

export interface Log {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly logIndex?: number;
}

export interface Transaction extends Omit<TransactionRow, 'index'> {
  readonly transactionIndex: number;
  readonly finality: Finality;
  readonly input?: string;
  readonly logs?: readonly Log[];
  readonly receipt?: string;
  readonly inclusions?: readonly { readonly blockNumber: number; readonly blockHash: string; readonly transactionIndex: number; readonly finality: Finality }[];
  readonly extra?: unknown;
  readonly [field: string]: unknown;
}

export interface Reorg {
  readonly ancestor: BlockPoint;
  readonly depth: number;
  readonly dropped: readonly BlockPoint[];
  readonly adopted: readonly BlockPoint[];
  readonly at: string;
}

export interface Backfill {
  readonly id?: string;
  readonly from: number;
  readonly to: number;
  readonly state: string;
  readonly done: number;
  readonly total: number;
  readonly percent?: number;
  readonly blocksPerSecond?: number | null;
  readonly etaSeconds?: number | null;
  readonly requestedAt?: string | null;
  readonly finishedAt?: string | null;
  readonly cancelledAt?: string | null;
  readonly cancelReason?: string | null;
}

export interface Projection {
  readonly name: string;
  readonly state: string;
  readonly version: number;
  readonly generation: number;
  readonly lagEvents: number | null;
  readonly lagSeconds: number | null;
  readonly parkedKeys?: number;
}

/** An event of the log as it comes over the live feed. */
export interface LoggedEvent {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly position: string;
  readonly recordedAt: string;
  readonly data: { readonly [field: string]: unknown };
}

export interface KeyLimit {
  readonly name: string;
  readonly units: number;
  readonly used: number;
  readonly left: number;
  readonly windowMs?: number;
  readonly period?: 'day' | 'month';
}

interface KeyUse {
  readonly requests: number;
  readonly errors: number;
  readonly units: number;
}

export interface Key {
  readonly alias: string;
  readonly provider: string;
  readonly title: string;
  readonly unit: string;
  readonly emulated?: boolean;
  readonly state: string;
  readonly until: string | null;
  readonly reason?: string;
  readonly credentials: number;
  readonly fingerprints: readonly string[];
  readonly limits: readonly KeyLimit[];
  readonly usage: Readonly<Record<'1h' | '2h' | '12h' | '24h' | '48h', KeyUse>>;
  readonly totals: { readonly acknowledged: number; readonly unacknowledged: number; readonly booked: number };
  readonly leases: readonly { readonly holder: string; readonly until: string }[];
  readonly lastRequestAt: string | null;
  readonly lastRefusal: { readonly at: string; readonly state: string; readonly reason: string } | null;
}

export interface Spent {
  readonly day: string;
  readonly provider: string;
  readonly method: string;
  readonly calls: number;
  readonly units: number;
  readonly unit: string;
}

export interface KeyExplanation {
  readonly chains: readonly { readonly chainId: string; readonly role: readonly string[]; readonly because: string }[];
  readonly now: readonly string[];
}

export interface KeyProbe {
  readonly ok: boolean;
  readonly ms: number;
  readonly head: number | null;
  readonly class: string;
  readonly message?: string;
}
