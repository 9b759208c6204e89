import type { RpcLog } from '../rpc-types.ts';
import type { Keccak256 } from './crypto.ts';
import { bytesOf } from './hex.ts';

export const BLOOM_BYTES = 256;

/** Yellow Paper, 4.3.1: three bits for the address and each topic. For nodes that leave a receipt's bloom out. */
export function bloomOf(logs: readonly RpcLog[], keccak256: Keccak256): Uint8Array {
  const bloom = new Uint8Array(BLOOM_BYTES);
  const seen = new Set<string>();
  for (const log of logs) {
    for (const word of [log.address, ...log.topics]) {
      if (seen.has(word)) continue;
      seen.add(word);
      const hash = keccak256(bytesOf(word));
      for (let at = 0; at < 6; at += 2) {
        const bit = ((hash[at]! << 8) | hash[at + 1]!) & 2047;
        bloom[BLOOM_BYTES - 1 - (bit >> 3)]! |= 1 << (bit & 7);
      }
    }
  }
  return bloom;
}
