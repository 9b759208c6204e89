import { BLOOM_BYTES } from '../verification/bloom.ts';
import { GAS_PER_BLOB } from '../verification/receipt-consistency.ts';
import type { Keccak256 } from '../verification/crypto.ts';
import type { RlpWriter } from '../verification/rlp.ts';
import { orderedTrieRoot } from '../verification/trie.ts';
import type { JsonTape } from './json-tape.ts';
import { ARRAY, FALSE, TEXT } from './json-tape.ts';
import type { RawPlace, RawTransaction, RawTransactions } from './raw-transactions.ts';
import { ABSENT, FIELD, TapeFields } from './tape-fields.ts';
import { ADDRESS_CHARACTERS, HASH_CHARACTERS, isDigest, isSame, plain, smallAt } from './tape-values.ts';

const BLOOM_CHARACTERS = 2 + 2 * BLOOM_BYTES;

/** The receipts of one block on a tape of their own: as `verification/receipts.ts` has it, for those that leave no question. */
export class RawReceipts {
  readonly tape: JsonTape;
  /** Node of each. */
  readonly all: number[] = [];
  readonly bloom = new Uint8Array(BLOOM_BYTES);
  gasUsed = 0;
  readonly #fields: TapeFields;
  readonly #log: TapeFields;
  #logs = 0;

  constructor(tape: JsonTape) {
    this.tape = tape;
    this.#fields = new TapeFields(tape);
    this.#log = new TapeFields(tape);
  }

  /** Reads the whole tape; throws NotPlain. */
  read(transactions: RawTransactions, place: RawPlace, writer: RlpWriter, keccak256: Keccak256): void {
    const { tape } = this;
    this.all.length = 0;
    this.gasUsed = 0;
    this.#logs = 0;
    plain(tape.kind(0) === ARRAY);
    for (let node = tape.inside(0); node < tape.after(0); node = tape.after(node)) {
      const index = this.all.push(node) - 1;
      plain(index < transactions.all.length);
      this.#check(node, index, transactions.all[index]!, transactions.tape, place);
      this.#checkContract(transactions.all[index]!, transactions.tape, writer, keccak256);
    }
    plain(this.all.length === transactions.all.length);
  }

  /** The root that binds them; leaves the bloom of all their logs in `bloom`. */
  root(transactions: RawTransactions, writer: RlpWriter, keccak256: Keccak256): Uint8Array {
    this.bloom.fill(0);
    const write = (index: number): void => this.#write(this.all[index]!, transactions.all[index]!.type, writer);
    return orderedTrieRoot(writer, this.all.length, write, keccak256);
  }

  #check(node: number, index: number, transaction: RawTransaction, block: JsonTape, place: RawPlace): void {
    const { tape } = this;
    const fields = this.#fields;
    plain(fields.open(node));
    plain(isSame(tape, fields.at(FIELD.transactionHash), block, transaction.hash));
    plain(isSame(tape, fields.at(FIELD.blockHash), block, place.hash));
    plain(smallAt(tape, fields.at(FIELD.transactionIndex)) === index);
    plain(this.#isSameIfGiven(fields.at(FIELD.blockNumber), block, place.number));
    plain(this.#isSameIfGiven(fields.at(FIELD.from), block, transaction.from));
    const to = fields.at(FIELD.to);
    plain(to === ABSENT || isSame(tape, to, block, transaction.to));
    plain(smallAt(tape, fields.at(FIELD.type)) === transaction.type);
    const cumulative = smallAt(tape, fields.at(FIELD.cumulativeGasUsed));
    plain(cumulative >= 0 && smallAt(tape, fields.at(FIELD.gasUsed)) === cumulative - this.gasUsed);
    this.gasUsed = cumulative;
    const blobGas = fields.at(FIELD.blobGasUsed);
    plain(blobGas === ABSENT || transaction.type !== 3 || smallAt(tape, blobGas) === transaction.blobs * GAS_PER_BLOB);
    const logs = fields.at(FIELD.logs);
    plain(logs !== ABSENT && tape.kind(logs) === ARRAY);
    for (let at = tape.inside(logs); at < tape.after(logs); at = tape.after(at)) this.#checkLog(at, index, block, transaction, place);
  }

  #checkLog(node: number, index: number, block: JsonTape, transaction: RawTransaction, place: RawPlace): void {
    const { tape } = this;
    const log = this.#log;
    plain(log.open(node));
    // That these are hex shows when they are written.
    const address = log.text(FIELD.address);
    plain(address !== ABSENT && tape.length(address) === ADDRESS_CHARACTERS);
    const topics = log.at(FIELD.topics);
    plain(topics !== ABSENT && tape.kind(topics) === ARRAY);
    for (let at = tape.inside(topics); at < tape.after(topics); at = tape.after(at)) plain(tape.length(at) === HASH_CHARACTERS);
    plain(smallAt(tape, log.at(FIELD.logIndex)) === this.#logs);
    plain(smallAt(tape, log.at(FIELD.transactionIndex)) === index);
    plain(this.#isSameIfGiven(log.at(FIELD.transactionHash), block, transaction.hash));
    plain(this.#isSameIfGiven(log.at(FIELD.blockHash), block, place.hash));
    plain(this.#isSameIfGiven(log.at(FIELD.blockNumber), block, place.number));
    plain(this.#isSameIfGiven(log.at(FIELD.blockTimestamp), block, place.timestamp));
    const removed = log.at(FIELD.removed);
    plain(removed === ABSENT || tape.kind(removed) === FALSE);
    this.#logs += 1;
  }

  /** The address of a new contract is keccak(rlp(sender, nonce))[12..]. */
  #checkContract(transaction: RawTransaction, block: JsonTape, writer: RlpWriter, keccak256: Keccak256): void {
    const told = this.#fields.at(FIELD.contractAddress);
    if (transaction.to !== ABSENT) return plain(told === ABSENT);
    if (told === ABSENT) {
      const status = this.#fields.at(FIELD.status);
      return plain(smallAt(this.tape, status) === 0 && this.tape.length(status) === '0x0'.length);
    }
    const mark = writer.size;
    writer.quantityBytes(block.bytes, block.from(transaction.nonce), block.to(transaction.nonce));
    writer.dataBytes(block.bytes, block.from(transaction.from), block.to(transaction.from));
    writer.list(mark);
    const address = keccak256(writer.since(mark)).subarray(12);
    writer.rewind(mark);
    plain(isDigest(this.tape, told, address));
  }

  /** EIP-658 put the status where the state root after each transaction had been, EIP-2718 the type in front. */
  #write(node: number, type: number, writer: RlpWriter): void {
    const { tape } = this;
    const fields = this.#fields;
    plain(fields.open(node));
    const mark = writer.size;
    this.#writeLogs(fields.at(FIELD.logs), writer);
    const bloom = fields.text(FIELD.logsBloom);
    plain(bloom !== ABSENT && tape.length(bloom) === BLOOM_CHARACTERS);
    const bloomMark = writer.size;
    writer.dataBytes(tape.bytes, tape.from(bloom), tape.to(bloom));
    const encoded = writer.since(bloomMark);
    for (let at = 0; at < BLOOM_BYTES; at += 1) this.bloom[at]! |= encoded[at + 3]!;
    this.#quantity(writer, fields.text(FIELD.cumulativeGasUsed));
    const status = fields.text(FIELD.status);
    if (status !== ABSENT) this.#quantity(writer, status);
    else {
      plain(fields.at(FIELD.status) === ABSENT);
      this.#data(writer, fields.text(FIELD.root));
    }
    writer.list(mark);
    if (type !== 0) writer.byte(type);
  }

  #writeLogs(logs: number, writer: RlpWriter): void {
    const { tape } = this;
    const mark = writer.size;
    for (const node of tape.backwards(logs)) {
      plain(this.#log.open(node));
      const logMark = writer.size;
      this.#data(writer, this.#log.at(FIELD.data));
      const topicsMark = writer.size;
      for (const topic of tape.backwards(this.#log.at(FIELD.topics))) this.#data(writer, topic);
      writer.list(topicsMark);
      this.#data(writer, this.#log.at(FIELD.address));
      writer.list(logMark);
    }
    writer.list(mark);
  }

  #quantity(writer: RlpWriter, node: number): void {
    plain(node !== ABSENT);
    writer.quantityBytes(this.tape.bytes, this.tape.from(node), this.tape.to(node));
  }

  #data(writer: RlpWriter, node: number): void {
    plain(node !== ABSENT && this.tape.kind(node) === TEXT);
    writer.dataBytes(this.tape.bytes, this.tape.from(node), this.tape.to(node));
  }

  #isSameIfGiven(node: number, block: JsonTape, expected: number): boolean {
    return node === ABSENT || isSame(this.tape, node, block, expected);
  }
}
