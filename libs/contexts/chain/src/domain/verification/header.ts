import type { Hex, RpcHeader } from '../rpc-types.ts';
import type { Keccak256 } from './crypto.ts';
import { hexOf } from './hex.ts';
import { Mismatched, shown } from './part-report.ts';
import type { RlpWriter } from './rlp.ts';

/** Keccak of the RLP of an empty list: the hash of no uncles. */
export const NO_UNCLES: Hex = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347';

type Encoding = 'data' | 'quantity';

/** In the order of the header. Every header of any fork has these. */
const ALWAYS: readonly (readonly [field: string, encoding: Encoding])[] = [
  ['parentHash', 'data'],
  ['sha3Uncles', 'data'],
  ['miner', 'data'],
  ['stateRoot', 'data'],
  ['transactionsRoot', 'data'],
  ['receiptsRoot', 'data'],
  ['logsBloom', 'data'],
  ['difficulty', 'quantity'],
  ['number', 'quantity'],
  ['gasLimit', 'quantity'],
  ['gasUsed', 'quantity'],
  ['timestamp', 'quantity'],
  ['extraData', 'data'],
  ['mixHash', 'data'],
  ['nonce', 'data'],
];

/** Each fork appended some: EIP-1559, 4895, 4844, 4788, 7685, 7928. A header has those that the answer has. */
const BY_FORK: readonly (readonly [field: string, encoding: Encoding])[] = [
  ['baseFeePerGas', 'quantity'],
  ['withdrawalsRoot', 'data'],
  ['blobGasUsed', 'quantity'],
  ['excessBlobGas', 'quantity'],
  ['parentBeaconBlockRoot', 'data'],
  ['requestsHash', 'data'],
  ['blockAccessListHash', 'data'],
];

/** Throws what it finds: the hash does not recompute, or the list of uncles is not the one that the header names. */
export function recomputeHeader(header: RpcHeader, writer: RlpWriter, keccak256: Keccak256): void {
  const mark = writer.size;
  for (let at = BY_FORK.length - 1; at >= 0; at -= 1) {
    const [field, encoding] = BY_FORK[at]!;
    if (header[field] !== undefined && header[field] !== null) writer[encoding](header, field);
  }
  for (let at = ALWAYS.length - 1; at >= 0; at -= 1) {
    const [field, encoding] = ALWAYS[at]!;
    writer[encoding](header, field);
  }
  writer.list(mark);
  const actual = hexOf(keccak256(writer.since(mark)));
  writer.rewind(mark);
  if (actual !== header.hash) throw new Mismatched('hash', header.hash, actual);
  checkUncles(header);
}

/** The answer names uncles by hash only, so no more can be said than whether there are any. */
function checkUncles(header: RpcHeader): void {
  const uncles = header['uncles'];
  if (!Array.isArray(uncles)) return;
  if ((uncles.length === 0) === (header['sha3Uncles'] === NO_UNCLES)) return;
  throw new Mismatched('uncles', `those of sha3Uncles ${shown(header['sha3Uncles'])}`, `${uncles.length} uncles`);
}
