import { createKeccak } from 'hash-wasm';
import type { Keccak256 } from '../domain/verification/crypto.ts';

/** Once per thread. The one hasher behind it is used again for every hash, so nothing may wait between its steps. */
export async function createKeccak256(): Promise<Keccak256> {
  const hasher = await createKeccak(256);
  return (bytes) => hasher.init().update(bytes).digest('binary');
}
