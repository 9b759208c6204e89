import type { ReadView, Row } from '#platform/read-store';
import type { Hex } from '../domain/rpc-types.ts';
import { BlockUnknown, ChainUnknown } from '../ports/chain-explorer.errors.ts';
import type { BlockPoint, BlockSelector, ChainFacts, Finality } from '../ports/chain-explorer.port.ts';
import { bytesOf, hexOf } from '../projections/hex-bytes.ts';
import { isoTime } from '../projections/node-form.ts';

/** A block's row, and whether the pointer of its height names it. */
export interface KnownBlock {
  readonly number: number;
  readonly hash: Hex;
  readonly canonical: boolean;
  readonly row: Row;
}

/** One chain at one moment: what is canonical, safe and finalized, for every question of one answer. */
export class ExplorerMoment {
  readonly view: ReadView;
  readonly chainId: string;
  readonly chain: Row;

  /** Throws `chain-unknown`. */
  constructor(view: ReadView, chainId: string) {
    const chain = view.get(`SELECT * FROM ${view.table('chains')} WHERE chain = ?`, chainId);
    if (chain === undefined) throw new ChainUnknown(chainId);
    this.view = view;
    this.chainId = chainId;
    this.chain = chain;
  }

  finality(number: number, canonical: boolean): Finality {
    if (!canonical) return 'orphaned';
    if (number <= Number(this.chain.finalized_number ?? -1)) return 'finalized';
    return number <= Number(this.chain.safe_number ?? -1) ? 'safe' : 'canonical';
  }

  /** Throws `block-unknown`. */
  block(selector: BlockSelector): KnownBlock {
    if (typeof selector === 'number') return this.#at(selector);
    switch (selector) {
      case 'latest':
        return this.#tagged(selector, 'head');
      case 'safe':
      case 'finalized':
        return this.#tagged(selector, selector);
      default:
        return this.#byHash(selector);
    }
  }

  facts(orphaned: boolean): ChainFacts {
    const { chain } = this;
    const seen = { blocks: Number(chain.seen_blocks), transactions: Number(chain.seen_transactions) };
    const canonical = { blocks: Number(chain.blocks), transactions: Number(chain.transactions) };
    return {
      chainId: this.chainId,
      ...(chain.genesis === null ? {} : { genesisHash: hexOf(chain.genesis) }),
      ...(chain.start_block === null ? {} : { startBlock: Number(chain.start_block) }),
      ...(chain.started_at === null ? {} : { startedAt: String(chain.started_at) }),
      head: this.#point('head'),
      safe: this.#point('safe'),
      finalized: this.#point('finalized'),
      ...canonical,
      kinds: { transfer: Number(chain.transfers), call: Number(chain.calls), deploy: Number(chain.deploys) },
      reorgs: Number(chain.reorgs),
      ...(orphaned ? { orphaned: { blocks: seen.blocks - canonical.blocks, transactions: seen.transactions - canonical.transactions } } : {}),
      revision: Number(chain.revision),
      stop: this.#stop(),
    };
  }

  #at(number: number): KnownBlock {
    const { view } = this;
    const row = view.get(
      `SELECT b.* FROM ${view.table('canonical')} c JOIN ${view.table('blocks')} b USING (chain, number, hash) WHERE c.chain = ? AND c.number = ?`,
      this.chainId, number,
    );
    if (row !== undefined) return { number, hash: hexOf(row.hash), canonical: true, row };
    if (number > Number(this.chain.head_number ?? -1)) {
      throw new BlockUnknown(this.chainId, String(number), 'has not been captured yet', `The head is ${String(this.chain.head_number ?? 'not known yet')}; ask for "latest".`);
    }
    throw new BlockUnknown(this.chainId, String(number), 'is below what was captured', 'Request it with POST /api/v1/chains/{chainId}/backfills.');
  }

  #byHash(hash: Hex): KnownBlock {
    const { view } = this;
    const row = view.get(
      `SELECT b.*, c.hash IS NOT NULL AS canonical FROM ${view.table('blocks')} b LEFT JOIN ${view.table('canonical')} c USING (chain, number, hash) WHERE b.chain = ? AND b.hash = ?`,
      this.chainId, bytesOf(hash),
    );
    if (row === undefined) throw new BlockUnknown(this.chainId, hash, 'was never captured', 'Ask by number for the block that stands at that height.');
    return { number: Number(row.number), hash, canonical: row.canonical === 1, row };
  }

  #tagged(tag: 'latest' | 'safe' | 'finalized', column: 'head' | 'safe' | 'finalized'): KnownBlock {
    const hash = this.chain[`${column}_hash`];
    if (hash === null || hash === undefined) {
      throw new BlockUnknown(this.chainId, tag, 'is not known', tag === 'latest' ? 'The first block is still to come.' : 'The chain has no such tag, or has not said it yet.');
    }
    return this.#byHash(hexOf(hash));
  }

  #point(column: 'head' | 'safe' | 'finalized'): BlockPoint | null {
    const number = this.chain[`${column}_number`];
    const hash = this.chain[`${column}_hash`] ?? null;
    if (number === null || number === undefined || hash === null) return null;
    const { view } = this;
    const row = view.get(`SELECT timestamp FROM ${view.table('blocks')} WHERE chain = ? AND number = ? AND hash = ?`, this.chainId, number, hash);
    return { number: Number(number), hash: hexOf(hash), ...timestampOf(row) };
  }

  #stop(): ChainFacts['stop'] {
    const { view, chain } = this;
    if (chain.stop_revision === null || chain.stop_revision === undefined) return null;
    const row = view.get(`SELECT code, reason, at FROM ${view.table('stops')} WHERE chain = ? AND revision = ?`, this.chainId, chain.stop_revision);
    return row === undefined ? null : { code: String(row.code), reason: String(row.reason), at: String(row.at) };
  }
}

export function timestampOf(row: Row | undefined): { timestamp?: string } {
  return typeof row?.timestamp === 'string' ? { timestamp: isoTime(row.timestamp) } : {};
}
