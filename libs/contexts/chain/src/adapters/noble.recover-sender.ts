import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { hexOf } from '../domain/verification/hex.ts';
import type { RecoverSender } from '../domain/verification/crypto.ts';

/** Some tenths of a millisecond a call: for samples, never for every transaction. SEC 1, 4.1.6; the address: Yellow Paper, appendix F. */
export const recoverSender: RecoverSender = (digest, { r, s, yParity }) => {
  try {
    const key = new secp256k1.Signature(BigInt(r), BigInt(s)).addRecoveryBit(yParity).recoverPublicKey(digest).toBytes(false);
    return hexOf(keccak_256(key.subarray(1)).subarray(12));
  } catch {
    return undefined; // Nobody can have signed so.
  }
};
