import type { Hex } from '../rpc-types.ts';

/** Keccak-256 of Ethereum, 32 bytes. May answer with a buffer that its next call overwrites. */
export type Keccak256 = (bytes: Uint8Array) => Uint8Array;

/** Address that signed `digest`; undefined where the signature belongs to nobody. */
export type RecoverSender = (digest: Uint8Array, signature: { readonly r: Hex; readonly s: Hex; readonly yParity: 0 | 1 }) => Hex | undefined;

/** What verification needs from outside the domain. Without `recoverSender` no senders are checked. */
export interface VerificationCrypto {
  readonly keccak256: Keccak256;
  readonly recoverSender?: RecoverSender;
}
