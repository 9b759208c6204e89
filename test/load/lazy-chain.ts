import type { Hash, RecordedBlock } from './recorded-chain.ts';
import { RecordedChain } from './recorded-chain.ts';

/** First number of a chain made to be long: up to 0xfffffff every number is as long as this one. */
export const FIRST_NUMBER = 0x1000000;

const HASH_BYTES = 32;

type Bodies = Pick<RecordedBlock, 'block' | 'receipts'>;

/** A genesis, then a gap, then blocks that are made only when asked for: of each no more is kept than its hash. */
export class LazyChain extends RecordedChain {
  readonly #hashes: Buffer;
  readonly #numbers = new Map<string, number>();
  readonly #make: (place: number, hash: Hash, parentHash: Hash) => Bodies;
  readonly #genesis: RecordedBlock;

  /** `hashes` one behind the other, of the blocks from FIRST_NUMBER on. */
  constructor(chainId: bigint, genesis: RecordedBlock, hashes: Buffer, make: (place: number, hash: Hash, parentHash: Hash) => Bodies) {
    super(chainId, [genesis]);
    this.#genesis = genesis;
    this.#hashes = hashes;
    this.#make = make;
    for (let place = 0; place < hashes.length / HASH_BYTES; place += 1) this.#numbers.set(this.#hashAt(place), FIRST_NUMBER + place);
    this.head = this.last;
  }

  get last(): number {
    return FIRST_NUMBER + this.#hashes.length / HASH_BYTES - 1;
  }

  override at(number: number): RecordedBlock | undefined {
    if (number > this.head || number > this.last || number < FIRST_NUMBER) return super.at(number);
    const place = number - FIRST_NUMBER;
    const [hash, parentHash] = [this.#hashAt(place), place === 0 ? this.#genesis.hash : this.#hashAt(place - 1)];
    return { number, hash, parentHash, ...this.#make(place, hash, parentHash) };
  }

  override byHash(hash: string): RecordedBlock | undefined {
    const number = this.#numbers.get(hash);
    return number === undefined ? super.byHash(hash) : this.at(number);
  }

  #hashAt(place: number): Hash {
    return `0x${this.#hashes.toString('hex', place * HASH_BYTES, (place + 1) * HASH_BYTES)}`;
  }
}
