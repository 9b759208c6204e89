import type { BlockPart, PartVerdict, TransactionKind, Verification } from '../chain.events.ts';
import { BLOCK_PARTS } from '../chain.events.ts';
import { BlockShapeInvalid } from '../chain.errors.ts';
import { normaliseHeader } from '../normalise.ts';
import { LARGEST_TX_BYTES } from '../oversize.ts';
import type { Hex, RpcBlock, RpcHeader, RpcTransaction } from '../rpc-types.ts';
import type { VerificationCrypto } from '../verification/crypto.ts';
import { recomputeHeader } from '../verification/header.ts';
import { isHex, smallQuantity } from '../verification/hex.ts';
import { FieldAbsent, FieldNotHex, Mismatched } from '../verification/part-report.ts';
import type { VerificationRules } from '../verification/part-rules.ts';
import { RlpWriter } from '../verification/rlp.ts';
import { recoverSenders } from '../verification/senders.ts';
import { hasWithdrawals, recomputeWithdrawals } from '../verification/withdrawals.ts';
import { JsonTape } from './json-tape.ts';
import { RawReceipts } from './raw-receipts.ts';
import { RawTransactions } from './raw-transactions.ts';
import { ABSENT, FIELD, fieldKeys, TapeFields } from './tape-fields.ts';
import { NotPlain, plain } from './tape-values.ts';

/** The JSON of a block with its transactions, and of its receipts, as bytes. */
export interface RawAnswer {
  readonly block: Uint8Array;
  readonly receipts: Uint8Array;
}

export interface RawBlock {
  /** The node's block object with an empty list of transactions. */
  readonly block: RpcBlock;
  readonly verification: Verification;
  readonly transactions: readonly RawBodyPart[];
}

/** One transaction of a verified block. */
export interface RawBodyPart {
  readonly hash: Hex;
  readonly kind: TransactionKind;
  /** JSON as the node gave it: a part of the answer's own bytes. */
  readonly transaction: Uint8Array;
  readonly receipt: Uint8Array;
}

/** Bytes of ASCII as text. */
export type AsciiText = (bytes: Uint8Array, from: number, to: number) => string;

/** `{"transaction":…,"receipt":…}` without what it holds. */
const FRAME_BYTES = 27;

/**
 * Verifies blocks from the bytes of their JSON, without making objects of them. It takes only what leaves no question:
 * JSON as we would write it, types that everybody knows, every part recomputed. Of all else it says undefined, and the
 * parser, `normalise` and `verifyBlock` say what is to be said, so no rule of theirs may be missing here.
 */
export class RawBlockReader {
  readonly #crypto: VerificationCrypto;
  readonly #text: AsciiText;
  readonly #writer = new RlpWriter();
  readonly #tape = new JsonTape(fieldKeys());
  readonly #fields = new TapeFields(this.#tape);
  readonly #transactions = new RawTransactions(this.#tape);
  readonly #receipts = new RawReceipts(new JsonTape(fieldKeys()));

  constructor(crypto: VerificationCrypto, text: AsciiText) {
    this.#crypto = crypto;
    this.#text = text;
  }

  /** `sender`: whether to recover one, as `sendersOfOlder` says by the block's number. */
  read(raw: RawAnswer, rules: VerificationRules, number: number, sender: boolean): RawBlock | undefined {
    if (BLOCK_PARTS.some((part) => rules[part] !== 'enforce')) return undefined;
    try {
      if (!this.#tape.scan(raw.block) || !this.#receipts.tape.scan(raw.receipts)) return undefined;
      return this.#verified(number, sender);
    } catch (error) {
      if (isQuestion(error)) return undefined;
      throw error;
    }
  }

  #verified(number: number, sender: boolean): RawBlock {
    const { keccak256 } = this.#crypto;
    const writer = this.#writer;
    const transactions = this.#transactions;
    plain(this.#fields.open(0));
    const list = this.#fields.at(FIELD.transactions);
    const place = { hash: this.#fields.at(FIELD.hash), number: this.#fields.at(FIELD.number), timestamp: this.#fields.at(FIELD.timestamp) };
    plain(list !== ABSENT);
    const block = this.#header(list);
    plain(block.number === `0x${number.toString(16)}`);
    writer.reset();
    recomputeHeader(block, writer, keccak256);
    transactions.read(list, place);
    this.#receipts.read(transactions, place, writer, keccak256);
    plain(this.#isFieldHex(block, 'transactionsRoot', transactions.root(writer, keccak256)));
    plain(this.#isFieldHex(block, 'receiptsRoot', this.#receipts.root(transactions, writer, keccak256)));
    plain(this.#isFieldHex(block, 'logsBloom', this.#receipts.bloom));
    plain(smallQuantity(block['gasUsed']) === this.#receipts.gasUsed);
    if (hasWithdrawals(block)) recomputeWithdrawals(block, writer, keccak256, { path: '' });
    const sampled = sender && this.#recoverSender(number);
    const parts: readonly BlockPart[] = ['header', 'transactions', 'receipts', ...(hasWithdrawals(block) ? ['withdrawals' as const] : []), ...(sampled ? ['senders' as const] : [])];
    const verification: { [part in BlockPart]?: PartVerdict } = {};
    for (const part of parts) verification[part] = 'verified';
    return { block, verification, transactions: transactions.all.map((_, index) => this.#bodyPart(index)) };
  }

  /** Everything but the transactions is small, and wanted as an object. */
  #header(list: number): RpcBlock {
    const { bytes } = this.#tape;
    const json = `${this.#text(bytes, 0, this.#tape.from(list))}[]${this.#text(bytes, this.#tape.to(list), bytes.length)}`;
    return normaliseHeader(JSON.parse(json)) as RpcHeader & RpcBlock;
  }

  /** Picks as `sampleOf` does where all are signed. False where there is none. */
  #recoverSender(seed: number): boolean {
    const { keccak256, recoverSender } = this.#crypto;
    const { all, tape } = this.#transactions;
    const picked = all[seed % all.length];
    if (picked === undefined || recoverSender === undefined) return false;
    const transaction = JSON.parse(this.#text(tape.bytes, tape.from(picked.node), tape.to(picked.node))) as RpcTransaction;
    recoverSenders({ transactions: [transaction] } as unknown as RpcBlock, [0], this.#writer, keccak256, recoverSender);
    return true;
  }

  #isFieldHex(block: RpcHeader, field: string, expected: Uint8Array): boolean {
    const value = block[field];
    return typeof value === 'string' && isHex(expected, value);
  }

  #bodyPart(index: number): RawBodyPart {
    const { tape, all } = this.#transactions;
    const receipts = this.#receipts.tape;
    const { node, hash, to, hasInput } = all[index]!;
    const receipt = this.#receipts.all[index]!;
    // What must be cut is left to who cuts.
    plain(tape.length(node) + receipts.length(receipt) + FRAME_BYTES <= LARGEST_TX_BYTES);
    return {
      hash: this.#text(tape.bytes, tape.from(hash), tape.to(hash)) as Hex,
      kind: to === ABSENT ? 'deploy' : hasInput ? 'call' : 'transfer',
      transaction: tape.bytes.subarray(tape.from(node), tape.to(node)),
      receipt: receipts.bytes.subarray(receipts.from(receipt), receipts.to(receipt)),
    };
  }
}

function isQuestion(error: unknown): boolean {
  return error instanceof NotPlain || error instanceof Mismatched || error instanceof FieldAbsent || error instanceof FieldNotHex || error instanceof BlockShapeInvalid;
}
