import type { ReadView } from '#platform/read-store';
import type { TransactionKind } from '../domain/chain.events.ts';
import { reassembleTransaction } from '../domain/reassemble.ts';
import type { Hex, RpcReceipt, RpcTransaction } from '../domain/rpc-types.ts';
import { bytesOf } from '../projections/hex-bytes.ts';
import { unpackJson } from '../projections/packed-json.ts';
import { CHUNK, outcomeOf, unpackChunk, type StoredTransaction } from '../projections/transaction-chunk.ts';
import { summaryForm, transactionForm } from '../projections/transaction-form.ts';
import type { RecentForms } from './recent-forms.ts';

/** Of a summary without its input: some fifteen fields. */
const SUMMARY_BYTES = 1_000;

export interface BodyPlace {
  readonly number: number;
  readonly block: Hex;
  readonly index: number;
}

type Shown = { readonly hash: Hex; readonly kind: TransactionKind; readonly [field: string]: unknown };
type InputPiece = Parameters<typeof reassembleTransaction>[1][number];
type LogsPiece = Parameters<typeof reassembleTransaction>[2][number];

/** Reads bodies for one answer; a chunk is unpacked once however many of its transactions are shown. */
export class ExplorerBodies {
  readonly #view: ReadView;
  readonly #chainId: string;
  readonly #recent: RecentForms;
  readonly #open = new Map<string, (index: number) => StoredTransaction>();

  constructor(view: ReadView, chainId: string, recent: RecentForms) {
    this.#recent = recent;
    this.#view = view;
    this.#chainId = chainId;
  }

  /** Without its logs, which are neither read nor parsed. */
  summary(place: BodyPlace): Shown {
    const key = `${this.#view.table('chunks')} ${this.#chainId} ${place.block} ${place.index}`;
    return this.#recent.of(key, () => {
      const form = this.#summary(place);
      return { form, bytes: SUMMARY_BYTES + (typeof form['input'] === 'string' ? form['input'].length : 0) };
    });
  }

  #summary(place: BodyPlace): Shown {
    const stored = this.#stored(place);
    const { facts } = stored;
    if (facts.parts.input === 0) {
      const transaction = stored.transaction();
      return shown(transaction, facts.kind, summaryForm(transaction, facts));
    }
    const { transaction, receipt } = this.#whole(place, stored, []);
    return shown(transaction, facts.kind, summaryForm(transaction, { ...facts, outcome: receipt === undefined ? {} : outcomeOf(receipt) }));
  }

  /** With receipt and logs, whole, however large. */
  whole(place: BodyPlace): Shown {
    const stored = this.#stored(place);
    const logs = stored.facts.parts.logs === 0 ? [] : this.#parts<LogsPiece>(place, 'logs');
    const { transaction, receipt } = this.#whole(place, stored, logs);
    return shown(transaction, stored.facts.kind, transactionForm(transaction, receipt, stored.facts.kind));
  }

  #whole(place: BodyPlace, stored: StoredTransaction, logs: readonly LogsPiece[]): { transaction: RpcTransaction; receipt: RpcReceipt | undefined } {
    const inputs = stored.facts.parts.input === 0 ? [] : this.#parts<InputPiece>(place, 'input');
    const receipt = stored.receipt();
    const first = { index: place.index, kind: stored.facts.kind, transaction: stored.transaction(), ...(receipt === undefined ? {} : { receipt }) };
    return reassembleTransaction({ ...first, chainId: this.#chainId, blockNumber: place.number, blockHash: place.block }, inputs, logs);
  }

  #parts<T>(place: BodyPlace, sort: 'input' | 'logs'): T[] {
    return this.#view
      .all(
        `SELECT body FROM ${this.#view.table('parts')} WHERE chain = ? AND number = ? AND block = ? AND tx = ? AND sort = ? ORDER BY part`,
        this.#chainId, place.number, bytesOf(place.block), place.index, sort,
      )
      .map((row) => unpackJson<T>(row.body));
  }

  #stored({ number, block, index }: BodyPlace): StoredTransaction {
    const chunk = Math.floor(index / CHUNK);
    const key = `${block}.${chunk}`;
    let open = this.#open.get(key);
    if (open === undefined) {
      const row = this.#view.get(
        `SELECT body FROM ${this.#view.table('chunks')} WHERE chain = ? AND number = ? AND block = ? AND chunk = ?`,
        this.#chainId, number, bytesOf(block), chunk,
      );
      if (row === undefined) throw new Error(`chunk ${chunk} of block ${block} is missing: its block was observed before its body`);
      open = unpackChunk(row.body);
      this.#open.set(key, open);
    }
    return open(index);
  }
}

function shown(transaction: RpcTransaction, kind: TransactionKind, form: { readonly [field: string]: unknown }): Shown {
  return { ...form, hash: transaction.hash, kind };
}
