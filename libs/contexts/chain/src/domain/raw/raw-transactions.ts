import type { Keccak256 } from '../verification/crypto.ts';
import type { RlpWriter } from '../verification/rlp.ts';
import { orderedTrieRoot } from '../verification/trie.ts';
import type { JsonTape } from './json-tape.ts';
import { ARRAY } from './json-tape.ts';
import { ABSENT, FIELD, TapeFields } from './tape-fields.ts';
import { isAddress, isDigest, isSame, plain, smallAt } from './tape-values.ts';

/** Legacy, access list (EIP-2930), fee market (1559), blob (4844), set code (7702). */
const TYPES = 5;

/** Where of one transaction stands what its receipt and its event are compared with or made of. */
export interface RawTransaction {
  readonly node: number;
  readonly type: number;
  readonly hash: number;
  readonly from: number;
  readonly nonce: number;
  /** ABSENT where a contract is created. */
  readonly to: number;
  readonly hasInput: boolean;
  readonly blobs: number;
}

/** Nodes of the block's own fields, on the tape of its transactions, which all that is in it repeats. */
export interface RawPlace {
  readonly hash: number;
  readonly number: number;
  readonly timestamp: number;
}

/** The transactions of one block on a tape: as `verification/transactions.ts` has it, for those that leave no question. */
export class RawTransactions {
  readonly tape: JsonTape;
  readonly all: RawTransaction[] = [];
  readonly #fields: TapeFields;
  readonly #item: TapeFields;

  constructor(tape: JsonTape) {
    this.tape = tape;
    this.#fields = new TapeFields(tape);
    this.#item = new TapeFields(tape);
  }

  /** Reads what stands in the list at `list`; throws NotPlain. */
  read(list: number, place: RawPlace): void {
    const { tape } = this;
    this.all.length = 0;
    plain(tape.kind(list) === ARRAY);
    const end = tape.after(list);
    for (let node = tape.inside(list); node < end; node = tape.after(node)) this.all.push(this.#transaction(node, this.all.length, place));
  }

  /** The root that binds them, once the hash of each is seen to follow from its fields. */
  root(writer: RlpWriter, keccak256: Keccak256): Uint8Array {
    const write = (index: number): void => this.#write(this.all[index]!, writer, keccak256);
    return orderedTrieRoot(writer, this.all.length, write, keccak256);
  }

  #transaction(node: number, index: number, place: RawPlace): RawTransaction {
    const { tape } = this;
    const fields = this.#fields;
    plain(fields.open(node));
    plain(isSame(tape, fields.at(FIELD.blockHash), tape, place.hash) && isSame(tape, fields.at(FIELD.blockNumber), tape, place.number));
    const time = fields.at(FIELD.blockTimestamp);
    plain(time === ABSENT || isSame(tape, time, tape, place.timestamp));
    plain(smallAt(tape, fields.at(FIELD.transactionIndex)) === index);
    const hash = fields.at(FIELD.hash);
    const from = fields.at(FIELD.from);
    const to = fields.at(FIELD.to);
    const input = fields.text(FIELD.input);
    const nonce = fields.text(FIELD.nonce);
    plain(isAddress(tape, from) && nonce !== ABSENT);
    // Null says that a contract is created; a field that is not there says nothing.
    plain(to === ABSENT ? fields.has(FIELD.to) : isAddress(tape, to));
    plain(input !== ABSENT && tape.length(input) >= 2);
    const type = smallAt(tape, fields.at(FIELD.type));
    plain(type >= 0 && type < TYPES);
    plain(isNumberAboveZero(tape, fields.text(FIELD.r)) && isNumberAboveZero(tape, fields.text(FIELD.s)));
    this.#checkSignature(type);
    return { node, type, hash, from, nonce, to, hasInput: tape.length(input) > 2, blobs: type === 3 ? this.#list(fields.at(FIELD.blobVersionedHashes)).length : 0 };
  }

  /** `v`, `yParity` and `chainId` say the same thing twice and the root binds it once. */
  #checkSignature(type: number): void {
    const { tape } = this;
    const v = smallAt(tape, this.#fields.at(FIELD.v));
    const parity = this.#fields.at(FIELD.yParity);
    if (type !== 0) return plain(parity === ABSENT ? v === 0 || v === 1 : isSame(tape, parity, tape, this.#fields.at(FIELD.v)));
    plain(v >= 27 && (parity === ABSENT || smallAt(tape, parity) === (v + 1) % 2));
    const chainId = this.#fields.at(FIELD.chainId);
    if (chainId !== ABSENT && v >= 35) plain(smallAt(tape, chainId) === Math.floor((v - 35) / 2));
  }

  #write({ node, type, hash }: RawTransaction, writer: RlpWriter, keccak256: Keccak256): void {
    plain(this.#fields.open(node));
    const mark = writer.size;
    this.#quantity(writer, FIELD.s);
    this.#quantity(writer, FIELD.r);
    this.#quantity(writer, type === 0 || this.#fields.at(FIELD.yParity) === ABSENT ? FIELD.v : FIELD.yParity);
    if (type === 4) this.#authorizations(writer);
    if (type === 3) {
      this.#hashes(writer, this.#fields.at(FIELD.blobVersionedHashes));
      this.#quantity(writer, FIELD.maxFeePerBlobGas);
    }
    if (type !== 0) this.#accessList(writer);
    this.#text(writer, FIELD.input);
    this.#quantity(writer, FIELD.value);
    if (this.#fields.at(FIELD.to) === ABSENT) writer.byte(0x80);
    else this.#text(writer, FIELD.to);
    this.#quantity(writer, FIELD.gas);
    if (type >= 2) {
      this.#quantity(writer, FIELD.maxFeePerGas);
      this.#quantity(writer, FIELD.maxPriorityFeePerGas);
    } else this.#quantity(writer, FIELD.gasPrice);
    this.#quantity(writer, FIELD.nonce);
    if (type !== 0) this.#quantity(writer, FIELD.chainId);
    writer.list(mark);
    if (type !== 0) writer.byte(type);
    plain(isDigest(this.tape, hash, keccak256(writer.since(mark))));
  }

  #accessList(writer: RlpWriter): void {
    const mark = writer.size;
    for (const node of this.#list(this.#fields.at(FIELD.accessList))) {
      plain(this.#item.open(node));
      const itemMark = writer.size;
      this.#hashes(writer, this.#item.at(FIELD.storageKeys));
      this.#text(writer, FIELD.address, this.#item);
      writer.list(itemMark);
    }
    writer.list(mark);
  }

  #authorizations(writer: RlpWriter): void {
    const mark = writer.size;
    for (const node of this.#list(this.#fields.at(FIELD.authorizationList))) {
      plain(this.#item.open(node));
      const itemMark = writer.size;
      for (const field of [FIELD.s, FIELD.r, FIELD.yParity, FIELD.nonce]) this.#quantity(writer, field, this.#item);
      this.#text(writer, FIELD.address, this.#item);
      this.#quantity(writer, FIELD.chainId, this.#item);
      writer.list(itemMark);
    }
    writer.list(mark);
  }

  #hashes(writer: RlpWriter, list: number): void {
    const { tape } = this;
    const mark = writer.size;
    for (const node of this.#list(list)) writer.dataBytes(tape.bytes, tape.from(node), tape.to(node));
    writer.list(mark);
  }

  #list(list: number): readonly number[] {
    plain(list !== ABSENT && this.tape.kind(list) === ARRAY);
    return this.tape.backwards(list);
  }

  #quantity(writer: RlpWriter, field: number, fields = this.#fields): void {
    const node = fields.text(field);
    plain(node !== ABSENT);
    writer.quantityBytes(this.tape.bytes, this.tape.from(node), this.tape.to(node));
  }

  #text(writer: RlpWriter, field: number, fields = this.#fields): void {
    const node = fields.text(field);
    plain(node !== ABSENT);
    writer.dataBytes(this.tape.bytes, this.tape.from(node), this.tape.to(node));
  }
}

/** Polygon's state sync, which no root binds, is signed with zeros. */
function isNumberAboveZero(tape: JsonTape, node: number): boolean {
  return node !== ABSENT && tape.length(node) > 2 && tape.bytes[tape.from(node) + 2] !== 0x30;
}
