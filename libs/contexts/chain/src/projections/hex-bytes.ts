/** Hashes and addresses as bytes: half the size of their hex, in every key they stand in. */
export function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex.slice(2), 'hex');
}

export function hexOf(bytes: unknown): `0x${string}` {
  return `0x${Buffer.from(bytes as Uint8Array).toString('hex')}`;
}

const ADDRESS = /^0x[0-9a-f]{40}$/;

export function isAddress(value: unknown): value is `0x${string}` {
  return typeof value === 'string' && ADDRESS.test(value);
}
