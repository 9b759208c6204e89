import { BLOCK_PARTS, type ObservedBlock, type PartVerdict, type Verification } from '../domain/chain.events.ts';
import type { Hex, RpcHeader } from '../domain/rpc-types.ts';
import { packHeader, unpackHeader } from './packed-json.ts';

/** A letter for each part, in the order of BLOCK_PARTS (new ones go to its end): as JSON it took some 90 bytes of a row. */
const LETTERS: { readonly [verdict in PartVerdict]: string } = { verified: 'v', unverifiable: 'u' };
const ABSENT = '-';

export function shortVerification(verification: Verification): string {
  return BLOCK_PARTS.map((part) => {
    const verdict = verification[part];
    return verdict === undefined ? ABSENT : LETTERS[verdict];
  }).join('');
}

/** Parts behind the end of an older text are absent. */
export function verificationOf(short: string): Verification {
  const verdicts = BLOCK_PARTS.flatMap((part, at) => {
    const verdict = (Object.keys(LETTERS) as PartVerdict[]).find((one) => LETTERS[one] === short[at]);
    return verdict === undefined ? [] : [[part, verdict] as const];
  });
  return Object.fromEntries(verdicts);
}

/** Without the hash: 32 bytes that do not compress and stand in the key. */
export function storedHeader({ header }: Pick<ObservedBlock, 'header'>): Uint8Array {
  const { hash: _inTheKey, ...rest } = header;
  return packHeader(rest);
}

export function headerOf(stored: unknown, hash: Hex): RpcHeader {
  return { ...unpackHeader<Omit<RpcHeader, 'hash'>>(stored), hash } as RpcHeader;
}
