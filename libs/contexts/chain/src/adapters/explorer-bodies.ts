import type { ReadView } from '#platform/read-store';
import type { Hex, RpcLog } from '../domain/rpc-types.ts';
import { bytesOf } from '../projections/hex-bytes.ts';
import { unpackJson } from '../projections/packed-json.ts';
import { CHUNK, unpackChunk, type StoredTransaction } from '../projections/transaction-chunk.ts';
import { joined, joinedLogs, summaryForm, transactionForm } from '../projections/transaction-form.ts';

export interface BodyPlace {
  readonly number: number;
  readonly block: Hex;
  readonly index: number;
}

/** Reads bodies for one answer; a chunk is unpacked once however many of its transactions are shown. */
export class ExplorerBodies {
  readonly #view: ReadView;
  readonly #chainId: string;
  readonly #open = new Map<string, (index: number) => StoredTransaction>();

  constructor(view: ReadView, chainId: string) {
    this.#view = view;
    this.#chainId = chainId;
  }

  summary(place: BodyPlace): { readonly hash: Hex; readonly kind: StoredTransaction['facts']['kind']; readonly [field: string]: unknown } {
    const stored = this.#stored(place);
    const transaction = joined(stored.transaction(), this.#inputs(place, stored));
    return { hash: transaction.hash, ...summaryForm(transaction, stored.facts), kind: stored.facts.kind };
  }

  /** With receipt and logs, whole, however large. */
  whole(place: BodyPlace): { readonly hash: Hex; readonly kind: StoredTransaction['facts']['kind']; readonly [field: string]: unknown } {
    const stored = this.#stored(place);
    const transaction = joined(stored.transaction(), this.#inputs(place, stored));
    const receipt = stored.receipt();
    const logs = stored.facts.parts.logs === 0 ? [] : this.#parts<readonly RpcLog[]>(place, 'logs');
    const form = transactionForm(transaction, receipt === undefined ? undefined : joinedLogs(receipt, logs));
    return { ...form, hash: transaction.hash, kind: stored.facts.kind };
  }

  #inputs(place: BodyPlace, stored: StoredTransaction): readonly string[] {
    return stored.facts.parts.input === 0 ? [] : this.#parts<string>(place, 'input');
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
