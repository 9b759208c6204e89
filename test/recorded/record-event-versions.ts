import { existsSync, writeFileSync } from 'node:fs';
import { ActorSystem } from '#platform/actors';
import { openMemoryEventStore } from '#platform/event-store';
import { START } from '#platform/kernel';
import { ManualClock } from '#platform/testing';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import { defineChainActors } from '../../libs/contexts/chain/src/application/chain-actors.ts';
import { BLOCK_PARTS, type ObservedBlock, type PartVerdict } from '../../libs/contexts/chain/src/domain/chain.events.ts';
import { chainUpcasters } from '../../libs/contexts/chain/src/domain/chain.upcasters.ts';
import { normaliseBlock, normaliseReceipts } from '../../libs/contexts/chain/src/domain/normalise.ts';
import { observe } from '../../libs/contexts/chain/src/domain/observe.ts';
import type { FetchedBlock, Hex, RpcTransaction } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import { checkBlock } from '../../libs/contexts/chain/src/domain/verification/verify-block.ts';
import { generateBranch, generateChain } from '../load/generated-chain.ts';
import type { RecordedBlock } from '../load/recorded-chain.ts';
import { EXAMPLES_FILE, examples, STATES_FILE, statesOf } from './event-versions.ts';

/**
 * Made the examples of version 1: a seeded chain, told to the actors as capture tells it. What is released stays as it
 * is, so a file that is there is not written again. The states are: run this when aggregates keep other ones of old events.
 */
const CHAIN = '424242';
const WITHOUT_RECEIPTS = '424243';
const clock = new ManualClock('2026-11-25T12:00:00.000Z');
const crypto = { keccak256: await createKeccak256() };
const log = openMemoryEventStore();
const { chains, bodies, backfills } = defineChainActors(new ActorSystem({ store: log, clock }), crypto.keccak256);
let told = 0;
const options = () => ({ causationId: `cause-${(told += 1)}`, correlationId: 'recorded' });

const { chain, branch } = await seeded();
const [b2, b3, b4, b5, b6, b7, b8] = [2, 3, 4, 5, 6, 7, 8].map((number) => fetched(chain[number] as RecordedBlock)) as [FetchedBlock, FetchedBlock, FetchedBlock, FetchedBlock, FetchedBlock, FetchedBlock, FetchedBlock];
const [c7, c8, c9] = branch.map(fetched) as [FetchedBlock, FetchedBlock, FetchedBlock];
const genesisHash = (chain[0] as RecordedBlock).hash;

await chains.tell(CHAIN, { type: 'StartChain', chainId: CHAIN, genesisHash, firstBlock: 4 }, options());
for (const block of [b4, b5, oversize(b6)]) await body(CHAIN, block);
await chains.tell(CHAIN, { type: 'ObserveBlocks', blocks: [b4, b5, b6].map((block) => observed(CHAIN, block)) }, options());
await chains.tell(CHAIN, { type: 'RequestBackfill', from: 2, to: 3 }, { ...options(), commandId: 'a-client-asked', trace: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
await chains.tell(CHAIN, { type: 'RequestBackfill', from: 0, to: 1 }, options());
await chains.tell(CHAIN, { type: 'CancelBackfill', from: 0, to: 1, reason: 'no provider has these blocks' }, options());
await chains.tell(CHAIN, { type: 'MarkSafe', block: refOf(b5) }, options());
await chains.tell(CHAIN, { type: 'MarkFinalized', block: refOf(b4) }, options());
for (const block of [b7, b8]) await body(CHAIN, block);
await chains.tell(CHAIN, { type: 'ObserveBlocks', blocks: [observed(CHAIN, b7), observed(CHAIN, unknownType(b8))] }, options());
for (const block of [c7, c8, c9]) await body(CHAIN, block);
await chains.tell(CHAIN, { type: 'ObserveBranch', ancestor: refOf(b6), blocks: [c7, c8, c9].map((block) => observed(CHAIN, block)) }, options());
await chains.tell(CHAIN, { type: 'AdoptBranch', ancestor: refOf(b6), tip: refOf(c9) }, options());
await chains.tell(CHAIN, { type: 'AdoptBranch', ancestor: refOf(c8), tip: refOf(c8) }, options());

const range = `${CHAIN}.2.3`;
await backfills.tell(range, { type: 'StartBackfill', chainId: CHAIN, from: 2, to: 3 }, options());
for (const block of [b2, b3]) await body(CHAIN, block);
await backfills.tell(range, { type: 'ObserveBackfilled', blocks: [b2, b3].map((block) => observed(CHAIN, block)) }, options());
await backfills.tell(range, { type: 'FinishBackfill', above: b4.block.parentHash, below: undefined }, options());
await chains.tell(CHAIN, { type: 'CompleteBackfill', from: 2, to: 3 }, options());
await chains.tell(CHAIN, { type: 'StopChain', code: 'reorg-below-finalized', reason: 'The node serves another chain below the block that was final' }, options());
await chains.tell(CHAIN, { type: 'ResumeChain', reason: 'the node is right' }, options());

const bare = { ...fetched((await generateChain({ seed: 9, blocks: 2, transactionsPerBlock: 1, chainId: 424243n })).at(1) as RecordedBlock), receipts: undefined };
await chains.tell(WITHOUT_RECEIPTS, { type: 'StartChain', chainId: WITHOUT_RECEIPTS, genesisHash, firstBlock: 1 }, options());
await body(WITHOUT_RECEIPTS, bare);
await chains.tell(WITHOUT_RECEIPTS, { type: 'ObserveBlocks', blocks: [observed(WITHOUT_RECEIPTS, bare)] }, options());

const { events } = await log.readAll(START, {}, 10_000);
if (!existsSync(EXAMPLES_FILE)) writeFileSync(EXAMPLES_FILE, events.map(({ position: _place, ...event }) => `${shortened(JSON.stringify(event))}\n`).join(''));
writeFileSync(STATES_FILE, `${JSON.stringify(await statesOf(examples(), chainUpcasters), null, 1)}\n`);

async function seeded(): Promise<{ chain: readonly RecordedBlock[]; branch: readonly RecordedBlock[] }> {
  const generated = await generateChain({ seed: 7, blocks: 9, transactionsPerBlock: 2, logsPerCall: 2 });
  const line = [...generated.blocks()];
  return { chain: line, branch: await generateBranch({ seed: 8, transactionsPerBlock: 1, logsPerCall: 1 }, line[6] as RecordedBlock, 3) };
}

function fetched({ block, receipts }: RecordedBlock): FetchedBlock {
  const normal = normaliseBlock(JSON.parse(block.toString()));
  return { block: normal, receipts: normaliseReceipts(JSON.parse(receipts.toString()), normal), bytes: block.length + receipts.length };
}

function refOf({ block }: FetchedBlock): { number: number; hash: Hex } {
  return { number: Number(block.number), hash: block.hash };
}

async function body(chainId: string, block: FetchedBlock): Promise<void> {
  await clock.advance(1_000);
  await bodies.tell(`${chainId}.${block.block.hash}`, { type: 'RecordBody', chainId, fetched: block }, options());
}

function observed(chainId: string, block: FetchedBlock): ObservedBlock {
  const report = checkBlock(block, crypto, undefined, BLOCK_PARTS);
  const verdict = (outcome: string): PartVerdict => (outcome === 'verified' ? 'verified' : 'unverifiable');
  return observe(chainId, block, Object.fromEntries(Object.entries(report).map(([part, { outcome }]) => [part, verdict(outcome)])));
}

/** Of a type that nobody knows: its part can not be verified. */
function unknownType(block: FetchedBlock): FetchedBlock {
  const transactions = block.block.transactions.map((transaction): RpcTransaction => ({ ...transaction, type: '0x7e' }));
  return { ...block, block: { ...block.block, transactions } };
}

/** One transaction too large for an event in every way there is: input, logs, one log alone, a field that nobody knows. */
function oversize(block: FetchedBlock): FetchedBlock {
  const [first, ...others] = block.block.transactions as [RpcTransaction, ...RpcTransaction[]];
  const [receipt, ...rest] = block.receipts!;
  const log = { address: first.from, topics: [first.hash] };
  const bytes = (byte: string, count: number): Hex => `0x${byte.repeat(count)}`;
  const logs = [{ ...log, data: bytes('ab', 120_000) }, { ...log, data: bytes('01', 1) }];
  const large = { ...first, input: bytes('cd', 40_000), remark: 'ef'.repeat(3_000) };
  return { ...block, block: { ...block.block, transactions: [large, ...others] }, receipts: [{ ...receipt!, logs }, ...rest] };
}

/** The shape is what counts: of very long digits a few are enough. */
function shortened(text: string): string {
  return text.replace(/[0-9a-f]{1000,}/g, (digits) => (/^0+$/.test(digits) ? digits : digits.slice(0, 64)));
}
