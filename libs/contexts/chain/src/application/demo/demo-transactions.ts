import { hexlify, sha256, toBeHex, Transaction, type HDNodeWallet } from 'ethers';
import type { JsonObject } from '#platform/kernel';
import type { Hex } from '../../domain/rpc-types.ts';
import { addressOf, type DemoAccounts } from './demo-accounts.ts';
import { counterCreation, counterInterface, tokenCreation, tokenInterface } from './demo-contracts.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What traffic knows of the chain it writes to. */
export interface DemoWorld {
  readonly chainId: bigint;
  readonly accounts: DemoAccounts;
  readonly tokens: readonly Hex[];
  readonly counters: readonly Hex[];
  /** The next nonce of an account; counts it as used. */
  takeNonce(address: Hex): number;
  nonceOf(address: Hex): number;
}

/** Plain ones are signed by the node, which is many times faster at it; those it cannot sign come signed. */
export type DemoTransaction = { readonly unsigned: JsonObject } | { readonly signed: string };

interface Intent {
  readonly from: HDNodeWallet;
  readonly to?: Hex;
  readonly data?: string;
  readonly value?: bigint;
  readonly gas: number;
}

const GWEI = 1_000_000_000n;
/** The base fee starts at 1 gwei and falls to nothing in half-empty blocks: this is always enough. */
const MAX_FEE = 20n * GWEI;
const BUSY_FROM = 21;

/** Uneven on purpose: many small blocks, some empty, now and then a full one (60 at most). */
export function blockSize(random: SeededRandom): number {
  const [low, high] = random.weighted<readonly [number, number]>([
    [7, [0, 0]],
    [56, [1, 7]],
    [26, [8, BUSY_FROM - 1]],
    [9, [BUSY_FROM, 38]],
    [2, [39, 60]],
  ]);
  return random.integer(low, high);
}

/** 0.5 to 4 seconds, more often short than long. */
export function pauseMs(random: SeededRandom): number {
  return Math.round(500 + 3_500 * random.fraction() ** 1.4);
}

export function planBlock(random: SeededRandom, world: DemoWorld): DemoTransaction[] {
  const { founder } = world.accounts;
  // The first blocks put up the contracts that all later traffic calls.
  if (world.tokens.length === 0) return [unsigned(random, world, deployToken(world, 0)), unsigned(random, world, deployCounter(founder))];
  const planned = Array.from({ length: blockSize(random) }, () => unsigned(random, world, everyday(random, world)));
  if (random.chance(0.02)) planned.push(unsigned(random, world, deployToken(world, world.nonceOf(addressOf(founder)))));
  // The node keeps every blob's 128 KiB in its state, so blobs are rare and single.
  if (random.chance(0.03)) planned.push({ signed: blobTransaction(world, random) });
  if (random.chance(0.08) && world.counters.length > 0) planned.push({ signed: setCodeTransaction(world, random) });
  return planned;
}

function everyday(random: SeededRandom, world: DemoWorld): Intent {
  const from = random.pick(world.accounts.senders);
  const token = random.pick(world.tokens);
  const other = addressOf(random.pick(world.accounts.senders));
  const amount = BigInt(random.integer(1, 1_000_000)) * 10n ** 14n;
  const call = (name: string, args: readonly unknown[], gas = 120_000): Intent => ({
    from,
    to: token,
    data: tokenInterface.encodeFunctionData(name, args),
    gas,
  });
  const counter = (name: string, args: readonly unknown[], gas: number): Intent =>
    world.counters.length === 0
      ? call('mint', [other, amount])
      : { from, to: random.pick(world.counters), data: counterInterface.encodeFunctionData(name, args), gas };
  const choice = random.weighted<() => Intent>([
    [40, () => ({ from, to: random.chance(0.3) ? (hexlify(random.bytes(20)) as Hex) : other, value: amount, gas: 21_000 })],
    [20, () => call('transfer', [other, amount / 1_000n])],
    [9, () => call('mint', [addressOf(from), amount])],
    [8, () => call('approve', [other, amount])],
    [4, () => call('transferFrom', [other, addressOf(from), amount / 1_000n])],
    [6, () => counter('increment', [], 80_000)],
    [2, () => call('airdrop', [world.accounts.senders.slice(0, random.integer(2, 12)).map(addressOf), amount], 900_000)],
    // Failing ones: a revert with a reason, one with numbers, one that runs out of gas.
    [2.5, () => counter('refuse', ['closed on Sundays'], 60_000)],
    [2, () => call('transfer', [other, 10n ** 40n])],
    [1, () => counter('spin', [], 120_000)],
    [0.6, () => ({ from, data: counterCreation, gas: 70_000 })],
    [2, () => deployCounter(from)],
    [0.9, () => largeNote(random, from, token)],
  ]);
  return choice();
}

function deployToken(world: DemoWorld, index: number): Intent {
  return { from: world.accounts.founder, data: tokenCreation(index, 10n ** 24n), gas: 1_600_000 };
}

function deployCounter(from: HDNodeWallet): Intent {
  return { from, data: counterCreation, gas: 400_000 };
}

/** 2 to 20 KiB of calldata; EIP-7623 charges up to 40 gas a byte. */
function largeNote(random: SeededRandom, from: HDNodeWallet, token: Hex): Intent {
  const bytes = random.bytes(random.integer(2, 20) * 1_024);
  return { from, to: token, data: tokenInterface.encodeFunctionData('note', [bytes]), gas: 120_000 + bytes.length * 45 };
}

/** As a legacy, access list or fee market transaction, the last most often. */
function unsigned(random: SeededRandom, world: DemoWorld, intent: Intent): DemoTransaction {
  const from = addressOf(intent.from);
  const fields = {
    from,
    nonce: toBeHexQuantity(world.takeNonce(from)),
    gas: toBeHexQuantity(intent.gas),
    value: toBeHexQuantity(intent.value ?? 0n),
    ...(intent.to === undefined ? {} : { to: intent.to }),
    ...(intent.data === undefined ? {} : { input: intent.data }),
  };
  const tip = BigInt(random.integer(1, 300)) * (GWEI / 100n);
  const type = random.weighted<0 | 1 | 2>([[16, 0], [9, 1], [75, 2]]);
  switch (type) {
    case 0:
      return { unsigned: { ...fields, type: '0x0', gasPrice: toBeHexQuantity(MAX_FEE / 4n + tip) } };
    case 1:
      return { unsigned: { ...fields, type: '0x1', gasPrice: toBeHexQuantity(MAX_FEE / 4n + tip), ...accessList(random, intent) } };
    case 2:
      return {
        unsigned: { ...fields, type: '0x2', maxFeePerGas: toBeHexQuantity(MAX_FEE), maxPriorityFeePerGas: toBeHexQuantity(tip) },
      };
  }
}

/** Gas for the list comes on top, so a plain transfer (21,000 exactly) carries an empty one. */
function accessList(random: SeededRandom, intent: Intent): JsonObject {
  if (intent.to === undefined || intent.data === undefined) return { accessList: [] };
  const storageKeys = Array.from({ length: random.integer(0, 2) }, (_unused, slot) => toBeHex(slot, 32));
  return { accessList: [{ address: intent.to, storageKeys }] };
}

/** The polynomial that is zero everywhere: commitment and every proof are the point at infinity, so no KZG library is needed. */
const INFINITY = `0x${'c0'.padEnd(96, '0')}`;
const CELLS = 128;
const ZERO_BLOB = { data: `0x${'00'.repeat(131_072)}`, commitment: INFINITY, proof: `0x${INFINITY.slice(2).repeat(CELLS)}` };
export const ZERO_BLOB_HASH = `0x01${sha256(INFINITY).slice(4)}`;

/** EIP-4844 with the cell proofs of EIP-7594. */
function blobTransaction(world: DemoWorld, random: SeededRandom): string {
  const { sequencer, senders } = world.accounts;
  const transaction = Transaction.from({
    ...envelope(world, sequencer, 3),
    to: addressOf(random.pick(senders)),
    gasLimit: 60_000,
    data: hexlify(random.bytes(random.integer(0, 64))),
    maxFeePerBlobGas: GWEI,
    blobVersionedHashes: [ZERO_BLOB_HASH],
  });
  transaction.blobWrapperVersion = 1;
  transaction.blobs = [ZERO_BLOB];
  return sign(transaction, sequencer);
}

/** EIP-7702: an authority lends its account a counter's code, and the same transaction calls it there. */
function setCodeTransaction(world: DemoWorld, random: SeededRandom): string {
  const { authorities, senders } = world.accounts;
  const sponsor = random.pick(senders);
  const authority = random.pick(authorities);
  const authorization = authority.authorizeSync({
    address: random.pick(world.counters),
    chainId: world.chainId,
    nonce: world.takeNonce(addressOf(authority)),
  });
  const transaction = Transaction.from({
    ...envelope(world, sponsor, 4),
    to: addressOf(authority),
    gasLimit: 150_000,
    data: counterInterface.encodeFunctionData('increment'),
    authorizationList: [authorization],
  });
  return sign(transaction, sponsor);
}

function envelope(world: DemoWorld, from: HDNodeWallet, type: 3 | 4) {
  return {
    type,
    chainId: world.chainId,
    nonce: world.takeNonce(addressOf(from)),
    maxFeePerGas: MAX_FEE,
    maxPriorityFeePerGas: GWEI,
    value: 0n,
  };
}

function sign(transaction: Transaction, wallet: HDNodeWallet): string {
  transaction.signature = wallet.signingKey.sign(transaction.unsignedHash);
  return transaction.serialized;
}

function toBeHexQuantity(value: number | bigint): Hex {
  return `0x${value.toString(16)}`;
}
