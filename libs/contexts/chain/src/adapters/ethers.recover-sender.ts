import { recoverAddress, Signature } from 'ethers';
import type { RecoverSender } from '../domain/verification/crypto.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** About a millisecond a call: for samples, never for every transaction. */
export const recoverSender: RecoverSender = (digest, { r, s, yParity }) => {
  try {
    // Before Homestead (EIP-2) s might be in the upper half, which the library refuses: its mirror has the same signer.
    const upper = BigInt(s) > ORDER / 2n;
    const low = upper ? `0x${(ORDER - BigInt(s)).toString(16)}` : s;
    const signature = Signature.from(`0x${word(r)}${word(low)}${(yParity === 0) === upper ? '1c' : '1b'}`);
    return recoverAddress(digest, signature).toLowerCase() as `0x${string}`;
  } catch {
    return undefined;
  }
};

function word(quantity: string): string {
  return quantity.slice(2).padStart(64, '0');
}
