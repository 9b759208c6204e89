import type { JsonTape } from './json-tape.ts';
import { KeyBook, NULL, OBJECT, TEXT } from './json-tape.ts';

/** Every field that verification looks at, by its number. Zero is for what has no key. */
export const FIELD = {
  hash: 1,
  number: 2,
  transactions: 3,
  blockHash: 4,
  blockNumber: 5,
  transactionIndex: 6,
  from: 7,
  to: 8,
  input: 9,
  type: 10,
  chainId: 11,
  nonce: 12,
  gasPrice: 13,
  gas: 14,
  value: 15,
  maxPriorityFeePerGas: 16,
  maxFeePerGas: 17,
  maxFeePerBlobGas: 18,
  blobVersionedHashes: 19,
  accessList: 20,
  authorizationList: 21,
  address: 22,
  storageKeys: 23,
  v: 24,
  r: 25,
  s: 26,
  yParity: 27,
  transactionHash: 28,
  logs: 29,
  logsBloom: 30,
  cumulativeGasUsed: 31,
  gasUsed: 32,
  status: 33,
  root: 34,
  contractAddress: 35,
  topics: 36,
  data: 37,
  logIndex: 38,
  timestamp: 39,
  blockTimestamp: 40,
  removed: 41,
  blobGasUsed: 42,
} as const;

/** One for each thread: it remembers the keys of other fields as they come. */
export function fieldKeys(): KeyBook {
  return new KeyBook(Object.keys(FIELD));
}

const MOST_KEYS = 1_024;
/** No such field, or null in its place. */
export const ABSENT = -1;

/** The fields of one object on the tape, found by number. Opened again for each object of its kind. */
export class TapeFields {
  readonly #tape: JsonTape;
  readonly #node = new Int32Array(MOST_KEYS);
  readonly #opened = new Float64Array(MOST_KEYS);
  #times = 0;

  constructor(tape: JsonTape) {
    this.#tape = tape;
  }

  /** False where this is no object. */
  open(object: number): boolean {
    const tape = this.#tape;
    if (tape.kind(object) !== OBJECT) return false;
    this.#times += 1;
    const end = tape.after(object);
    for (let at = tape.inside(object); at < end; at = tape.after(at)) {
      const key = tape.key(at);
      this.#opened[key] = this.#times;
      this.#node[key] = at;
    }
    return true;
  }

  /** The node of a field; ABSENT where it is not there or null. */
  at(field: number): number {
    if (this.#opened[field] !== this.#times) return ABSENT;
    const node = this.#node[field]!;
    return this.#tape.kind(node) === NULL ? ABSENT : node;
  }

  /** The node of a field that is a text; ABSENT for all else. */
  text(field: number): number {
    const node = this.at(field);
    return node !== ABSENT && this.#tape.kind(node) === TEXT ? node : ABSENT;
  }

  /** Whether the field is there, be it null. */
  has(field: number): boolean {
    return this.#opened[field] === this.#times;
  }
}
