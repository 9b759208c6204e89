import { z } from 'zod';

/** Fields that several answers and requests are made of. Hex may be given in any case; it is answered in lower case. */
const hexOf = (digits: number, what: string) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${digits}}$`), `Takes ${what}: 0x and ${digits} hex digits`)
    .transform((text) => text.toLowerCase() as `0x${string}`);

export const chainIdPath = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,77})$/, 'Takes a chain id in decimal, like 1')
  .describe('Chain id in decimal.');
export const hashPath = hexOf(64, 'a hash').describe('Hash, 0x and 64 hex digits.');
export const addressPath = hexOf(40, 'an address').describe('Address, 0x and 40 hex digits.');

const TAGS = ['latest', 'safe', 'finalized'] as const;
const BLOCK = /^(0|[1-9][0-9]{0,15}|0x[0-9a-fA-F]{64}|latest|safe|finalized)$/;

export const blockPath = z
  .string()
  .regex(BLOCK, 'Takes a block number in decimal, a hash (0x and 64 hex digits), latest, safe or finalized')
  .transform((text) => {
    const tag = TAGS.find((name) => name === text);
    if (tag !== undefined) return tag;
    return text.startsWith('0x') ? (text.toLowerCase() as `0x${string}`) : Number(text);
  })
  .refine((block) => typeof block !== 'number' || Number.isSafeInteger(block), 'No block has a number above 2^53')
  .describe('Number, hash, latest, safe or finalized.');

export const blockNumber = z.int().min(0);
export const hash = z.string().regex(/^0x[0-9a-f]{64}$/);
export const data = z.string().regex(/^0x[0-9a-f]*$/).describe('Bytes in lower-case hex.');
export const quantity = z.string().regex(/^[0-9]+$/).describe('Decimal, of any size.');
export const time = z.string().describe('ISO 8601 in UTC; the number of seconds where a date can not hold it.');
export const asOf = z.string().describe('Log position that the answer was read at.');
export const extra = z
  .record(z.string(), z.unknown())
  .describe('Fields of the node that are not known here, and those whose value has an unusual form (null too), verbatim.');
export const finality = z
  .enum(['canonical', 'safe', 'finalized', 'orphaned'])
  .describe('canonical: may still be dropped. safe, finalized: as the chain says. orphaned: on no present branch.');
export const kind = z.enum(['transfer', 'call', 'deploy']).describe('A deploy has no `to`, a call has input, a transfer has neither.');
export const kinds = z.strictObject({ transfer: z.int(), call: z.int(), deploy: z.int() });

export const blockRef = z.strictObject({ number: blockNumber, hash });
export const blockPoint = z.strictObject({ number: blockNumber, hash, timestamp: time.optional() });
