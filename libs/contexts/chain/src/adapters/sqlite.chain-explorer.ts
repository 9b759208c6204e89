import type { EventReader } from '#platform/event-store';
import type { Clock } from '#platform/kernel';
import type { ReadStore, ReadView, Row } from '#platform/read-store';
import type { Hex } from '../domain/rpc-types.ts';
import { BackfillUnknown, TransactionUnknown } from '../ports/chain-explorer.errors.ts';
import { ChainExplorer } from '../ports/chain-explorer.port.ts';
import type * as port from '../ports/chain-explorer.port.ts';
import { headerOf, verificationOf } from '../projections/block-form.ts';
import { CHAIN_EXPLORER } from '../projections/chain-explorer.projection.ts';
import { bytesOf, hexOf } from '../projections/hex-bytes.ts';
import { apiForm, extraOf, HEADER } from '../projections/node-form.ts';
import { CREATED, RECEIVER, SENDER } from '../projections/transaction-bodies.projection.ts';
import { ExplorerBodies } from './explorer-bodies.ts';
import { ExplorerMoment, timestampOf, type KnownBlock } from './explorer-moment.ts';
import { backfillOf, backfillRows, direction, pageOf, reorgOf, revisionRows, stopCursor, stopOf } from './explorer-pages.ts';
import { RecentForms } from './recent-forms.ts';

const WAIT_MS = 2_000;
/** Some ten thousand summaries and headers. */
const RECENT_BYTES = 16 * 1024 * 1024;
/** Of a header's form: names, numbers and the bloom, and what its packed bytes become. */
const HEADER_BYTES = 3_000;
const UNPACKED_TIMES = 4;
const NO_HASH = new Uint8Array();
const LAST_HASH = new Uint8Array(33).fill(255);

/** Each question is one read transaction over the one projection of the explorer. */
export class SqliteChainExplorer extends ChainExplorer {
  readonly #store: ReadStore;
  readonly #log: Pick<EventReader, 'parsePosition'>;
  readonly #clock: Clock;
  readonly #recent = new RecentForms(RECENT_BYTES);

  constructor(store: ReadStore, log: Pick<EventReader, 'parsePosition'>, clock: Clock) {
    super();
    this.#store = store;
    this.#log = log;
    this.#clock = clock;
  }

  async chains(): ReturnType<ChainExplorer['chains']> {
    return this.#store.read(CHAIN_EXPLORER, (view) => {
      const rows = view.all(`SELECT chain FROM ${view.table('chains')} ORDER BY length(chain), chain`);
      return { items: rows.map((row) => new ExplorerMoment(view, String(row.chain)).facts(false)), asOf: view.asOf };
    });
  }

  async chain(chainId: string, options: port.WithOrphans = { orphaned: false }): ReturnType<ChainExplorer['chain']> {
    return this.#at(chainId, (moment) => ({ ...moment.facts(options.orphaned), asOf: moment.view.asOf }));
  }

  async blocks(chainId: string, page: port.PageRequest<port.BlockCursor> & port.WithOrphans): ReturnType<ChainExplorer['blocks']> {
    return this.#at(chainId, (moment) => {
      const rows = page.orphaned ? everyBlock(moment, page) : canonicalBlocks(moment, page);
      const item = (row: Row): port.BlockAnswer => blockAnswer(moment, knownBlock(row), this.#recent);
      return pageOf(moment.view.asOf, rows, page.limit, item, (row) => [Number(row.number), hexOf(row.hash)] as const);
    });
  }

  async block(chainId: string, selector: port.BlockSelector): ReturnType<ChainExplorer['block']> {
    return this.#at(chainId, (moment) => ({ ...blockAnswer(moment, moment.block(selector), this.#recent), asOf: moment.view.asOf }));
  }

  async blockTransactions(
    chainId: string,
    selector: port.BlockSelector,
    page: port.PageRequest<port.BlockTransactionCursor>,
  ): ReturnType<ChainExplorer['blockTransactions']> {
    return this.#at(chainId, (moment) => {
      const block = moment.block(page.after?.[0] ?? selector);
      const finality = moment.finality(block.number, block.canonical);
      const { indexes, more } = indexesOf(page, Number(block.row.transactions));
      const bodies = new ExplorerBodies(moment.view, chainId, this.#recent);
      const items = indexes.map((index) => summaryAt(bodies, block, index, finality));
      const last = indexes.at(-1);
      const next = more && last !== undefined ? ([block.hash, last] as const) : null;
      return { items, next, block: { number: block.number, hash: block.hash, ...timestampOf(block.row), finality }, asOf: moment.view.asOf };
    });
  }

  async transaction(chainId: string, hash: Hex): ReturnType<ChainExplorer['transaction']> {
    return this.#at(chainId, (moment) => {
      const inclusions = inclusionsOf(moment, hash);
      const [shown] = inclusions;
      if (shown === undefined) throw new TransactionUnknown(chainId, hash);
      const { blockNumber, blockHash, transactionIndex, finality } = shown;
      const body = new ExplorerBodies(moment.view, chainId, this.#recent).whole({ number: blockNumber, block: blockHash, index: transactionIndex });
      const several = inclusions.length > 1 ? { inclusions } : {};
      const answer = { ...body, blockNumber, blockHash, transactionIndex, finality, ...several, asOf: moment.view.asOf };
      return answer as unknown as port.TransactionAnswer & port.AsOf;
    });
  }

  async addressTransactions(
    chainId: string,
    address: Hex,
    page: port.PageRequest<port.AddressCursor> & port.WithOrphans,
  ): ReturnType<ChainExplorer['addressTransactions']> {
    return this.#at(chainId, (moment) => {
      const bodies = new ExplorerBodies(moment.view, chainId, this.#recent);
      const item = (row: Row): port.AddressTransaction => {
        const block = knownBlock({ ...row, hash: row.block ?? null });
        const summary = summaryAt(bodies, block, Number(row.tx), moment.finality(block.number, block.canonical));
        return { ...summary, ...timestampOf(row), roles: rolesOf(Number(row.roles)) };
      };
      const cursor = (row: Row): port.AddressCursor => [Number(row.number), Number(row.tx), hexOf(row.block)];
      return pageOf(moment.view.asOf, addressRows(moment, address, page), page.limit, item, cursor);
    });
  }

  async reorgs(chainId: string, page: port.PageRequest<port.ReorgCursor>): ReturnType<ChainExplorer['reorgs']> {
    return this.#at(chainId, ({ view }) => pageOf(view.asOf, revisionRows(view, 'reorgs', chainId, page), page.limit, reorgOf, stopCursor));
  }

  async stops(chainId: string, page: port.PageRequest<port.StopCursor>): ReturnType<ChainExplorer['stops']> {
    return this.#at(chainId, ({ view }) => pageOf(view.asOf, revisionRows(view, 'stops', chainId, page), page.limit, stopOf, stopCursor));
  }

  async backfills(chainId: string, page: port.PageRequest<port.BackfillCursor>): ReturnType<ChainExplorer['backfills']> {
    return this.#at(chainId, ({ view }) => {
      const cursor = (row: Row): port.BackfillCursor => [Number(row.from_block), Number(row.to_block)];
      return pageOf(view.asOf, backfillRows(view, chainId, page), page.limit, backfillOf, cursor);
    });
  }

  async backfill(chainId: string, from: number, to: number): ReturnType<ChainExplorer['backfill']> {
    return this.#at(chainId, ({ view }) => {
      const row = view.get(`SELECT * FROM ${view.table('backfills')} WHERE chain = ? AND from_block = ? AND to_block = ?`, chainId, from, to);
      if (row === undefined) throw new BackfillUnknown(chainId, `${from}-${to}`);
      return { ...backfillOf(row), asOf: view.asOf };
    });
  }

  async visible(position: string): Promise<void> {
    await this.#store.waitFor(CHAIN_EXPLORER, this.#log.parsePosition(position), WAIT_MS, this.#clock);
  }

  #at<T>(chainId: string, answer: (moment: ExplorerMoment) => T): T {
    return this.#store.read(CHAIN_EXPLORER, (view: ReadView) => answer(new ExplorerMoment(view, chainId)));
  }
}

function blockAnswer(moment: ExplorerMoment, block: KnownBlock, recent: RecentForms): port.BlockAnswer {
  const { row } = block;
  const { known, extra } = recent.of(`${moment.view.table('blocks')} ${moment.chainId} ${block.hash}`, () => {
    const packed = row.header as Uint8Array;
    return { form: apiForm(headerOf(packed, block.hash), HEADER), bytes: HEADER_BYTES + packed.length * UNPACKED_TIMES };
  });
  const verification = verificationOf(String(row.verification));
  return {
    ...known,
    number: block.number,
    hash: block.hash,
    transactionCount: Number(row.transactions),
    kinds: { transfer: Number(row.transfers), call: Number(row.calls), deploy: Number(row.deploys) },
    finality: moment.finality(block.number, block.canonical),
    // A part that says unverifiable is one that this chain's rules do not allow to recompute.
    verified: Object.values(verification).includes('verified'),
    verification,
    ...extraOf(extra),
  };
}

function summaryAt(bodies: ExplorerBodies, block: KnownBlock, index: number, finality: port.Finality): port.TransactionSummary {
  return { ...bodies.summary({ number: block.number, block: block.hash, index }), blockNumber: block.number, blockHash: block.hash, index, finality };
}

function knownBlock(row: Row): KnownBlock {
  return { number: Number(row.number), hash: hexOf(row.hash), canonical: row.canonical === 1, row };
}

/** Driven by the pointers, so the blocks of other branches are never even read. */
function canonicalBlocks({ view, chainId }: ExplorerMoment, page: port.PageRequest<port.BlockCursor>): Row[] {
  const { beyond, sql } = direction(page.order);
  const after = page.after?.[0] ?? (page.order === 'asc' ? -1 : Number.MAX_SAFE_INTEGER);
  return view.all(
    `SELECT b.*, 1 AS canonical FROM ${view.table('canonical')} c CROSS JOIN ${view.table('blocks')} b USING (chain, number, hash)
     WHERE c.chain = ? AND c.number ${beyond} ? ORDER BY c.number ${sql} LIMIT ?`,
    chainId, after, page.limit + 1,
  );
}

function everyBlock({ view, chainId }: ExplorerMoment, page: port.PageRequest<port.BlockCursor>): Row[] {
  const { beyond, sql } = direction(page.order);
  const [number, hash] = page.after ?? [page.order === 'asc' ? -1 : Number.MAX_SAFE_INTEGER, '0x'];
  return view.all(
    `SELECT b.*, c.hash IS NOT NULL AS canonical FROM ${view.table('blocks')} b LEFT JOIN ${view.table('canonical')} c USING (chain, number, hash)
     WHERE b.chain = ? AND (b.number, b.hash) ${beyond} (?, ?) ORDER BY b.number ${sql}, b.hash ${sql} LIMIT ?`,
    chainId, number, bytesOf(hash), page.limit + 1,
  );
}

function addressRows({ view, chainId }: ExplorerMoment, address: Hex, page: port.PageRequest<port.AddressCursor> & port.WithOrphans): Row[] {
  const { beyond, sql } = direction(page.order);
  const edge = page.order === 'asc' ? -1 : Number.MAX_SAFE_INTEGER;
  const [number, index, block] = page.after ?? [edge, edge, undefined];
  const edgeHash = page.order === 'asc' ? NO_HASH : LAST_HASH;
  const pointer = `${page.orphaned ? 'LEFT JOIN' : 'CROSS JOIN'} ${view.table('canonical')} c ON c.chain = a.chain AND c.number = a.number AND c.hash = a.block`;
  return view.all(
    `SELECT a.*, b.timestamp, c.hash IS NOT NULL AS canonical FROM ${view.table('addresses')} a ${pointer}
     CROSS JOIN ${view.table('blocks')} b ON b.chain = a.chain AND b.number = a.number AND b.hash = a.block
     WHERE a.chain = ? AND a.address = ? AND (a.number, a.tx, a.block) ${beyond} (?, ?, ?)
     ORDER BY a.number ${sql}, a.tx ${sql}, a.block ${sql} LIMIT ?`,
    chainId, bytesOf(address), number, index, block === undefined ? edgeHash : bytesOf(block), page.limit + 1,
  );
}

/** The canonical one first, then the highest. A body whose block was never observed is not there yet. */
function inclusionsOf(moment: ExplorerMoment, hash: Hex): readonly port.Inclusion[] {
  const { view, chainId } = moment;
  const rows = view.all(
    `SELECT i.*, c.hash IS NOT NULL AS canonical FROM ${view.table('inclusions')} i
     CROSS JOIN ${view.table('blocks')} b ON b.chain = i.chain AND b.number = i.number AND b.hash = i.block
     LEFT JOIN ${view.table('canonical')} c ON c.chain = i.chain AND c.number = i.number AND c.hash = i.block
     WHERE i.chain = ? AND i.hash = ? ORDER BY canonical DESC, i.number DESC, i.block`,
    chainId, bytesOf(hash),
  );
  return rows.map((row) => {
    const number = Number(row.number);
    return { blockNumber: number, blockHash: hexOf(row.block), transactionIndex: Number(row.tx), finality: moment.finality(number, row.canonical === 1) };
  });
}

function indexesOf(page: port.PageRequest<port.BlockTransactionCursor>, count: number): { readonly indexes: readonly number[]; readonly more: boolean } {
  const after = page.after?.[1];
  if (page.order === 'asc') {
    const first = after === undefined ? 0 : after + 1;
    const end = Math.min(count, first + page.limit);
    return { indexes: range(first, end), more: end < count };
  }
  const end = after === undefined ? count : Math.min(count, after);
  const first = Math.max(0, end - page.limit);
  return { indexes: range(first, end).reverse(), more: first > 0 };
}

function range(first: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - first) }, (_, at) => first + at);
}

function rolesOf(roles: number): readonly port.AddressRole[] {
  const named: port.AddressRole[] = [];
  if ((roles & SENDER) !== 0) named.push('sender');
  if ((roles & RECEIVER) !== 0) named.push('receiver');
  if ((roles & CREATED) !== 0) named.push('created');
  return named;
}
