import type { RecordedEvent } from '#platform/kernel';
import { createKeccak256 } from '../../libs/contexts/chain/src/adapters/hash-wasm.keccak.ts';
import { verifyStore } from '../../libs/contexts/chain/src/application/verify-store.ts';
import { normaliseBlock, normaliseReceipts } from '../../libs/contexts/chain/src/domain/normalise.ts';
import type { Hex } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import type { SqliteChainExplorer } from '../../libs/contexts/chain/src/adapters/sqlite.chain-explorer.ts';
import type { RecordedBlock } from '../load/recorded-chain.ts';
import type { Fields } from '../recorded/as-the-api-writes-it.ts';
import { blockAsWritten, summaryAsWritten, transactionAsWritten } from '../recorded/as-the-api-writes-it.ts';
import type { Simulation } from './simulation.ts';
import { CHAIN_ID } from './true-chain.ts';

/** A step asks two things of each new block, and polls now and then; seen were 78 at most, and 3.5 on average. */
const MOST_REQUESTS_PER_STEP = 200;
const MOST_REQUESTS_ON_AVERAGE = 6;
/** Ten seconds of the simulated clock without one good answer: pauses grow, so seen were 12 at most; without pauses 46 and more. */
const MOST_REQUESTS_IN_A_SIEGE = 30;

/** What must be so after every history, once all faults have ended. */
export async function expectInvariants(simulation: Simulation): Promise<void> {
  const events = await simulation.events();
  expectSoundLog(events);
  expectNothingInvented(events, simulation.chain.ever);
  expectFinalityKept(events, simulation);
  await expectVerifies(simulation);
  await expectExplorerEqual(simulation);
  await expectRebuiltSame(simulation);
}

/** However long nothing goes well, the providers are not stormed. */
export function expectNoStorm({ requests }: Simulation, inSiege: number): void {
  expect(Math.max(...requests)).toBeLessThan(MOST_REQUESTS_PER_STEP);
  expect(requests.reduce((sum, one) => sum + one, 0) / requests.length).toBeLessThan(MOST_REQUESTS_ON_AVERAGE);
  expect(inSiege).toBeLessThan(MOST_REQUESTS_IN_A_SIEGE);
}

/** Revisions without gap or repeat, ids unique, no body begun twice. */
function expectSoundLog(events: readonly RecordedEvent[]): void {
  const last = new Map<string, number>();
  const wrong: string[] = [];
  for (const { stream, revision } of events) {
    if (revision !== (last.get(stream) ?? -1) + 1) wrong.push(`${stream} ${revision}`);
    last.set(stream, revision);
  }
  expect(wrong).toEqual([]);
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  const bodies = events.flatMap(({ type, stream, data }) => (type === 'TxFetched' ? [`${stream} ${Number(data['index'])}`] : []));
  expect(new Set(bodies).size).toBe(bodies.length);
}

/** Every block, transaction and receipt in the log is one of those that the true chain ever held, field by field. */
export function expectNothingInvented(events: readonly RecordedEvent[], ever: ReadonlyMap<string, RecordedBlock>): void {
  const known = new Map<string, ReturnType<typeof asRecorded>>();
  const trueOf = (hash: string): ReturnType<typeof asRecorded> => {
    const block = ever.get(hash);
    if (block === undefined) throw new Error(`the chain never held the block ${hash}`);
    const found = known.get(hash) ?? asRecorded(block);
    known.set(hash, found);
    return found;
  };
  for (const { type, data } of events) {
    if (type === 'BlockObserved' || type === 'BranchBlockObserved') {
      const { header } = trueOf(data['hash'] as string);
      expect(data).toMatchObject({ number: Number(header.number), parentHash: header.parentHash, header, receipts: true });
      expect(Object.values(data['verification'] as object)).not.toContain('unverifiable');
    }
    if (type === 'TxFetched') {
      const { transactions, receipts } = trueOf(data['blockHash'] as string);
      const index = Number(data['index']);
      expect([data['transaction'], data['receipt']]).toEqual([transactions[index], receipts?.[index]]);
    }
    if (type === 'BlocksFinalized' || type === 'BlocksSafe') trueOf(data['hash'] as string);
  }
}

function asRecorded({ block, receipts }: RecordedBlock) {
  const { transactions, ...header } = normaliseBlock(JSON.parse(block.toString()) as Fields);
  const whole = { ...header, transactions };
  return { header, transactions, receipts: normaliseReceipts(JSON.parse(receipts.toString()) as Fields[], whole) };
}

/** Finalized only rises, no reorganisation goes below it, and nothing made the chain stop. */
function expectFinalityKept(events: readonly RecordedEvent[], { chain, finalized: expected }: Simulation): void {
  let finalized = -1;
  for (const { type, data } of events) {
    if (type === 'BlocksFinalized') {
      expect(data['number']).toBeGreaterThan(finalized);
      finalized = Number(data['number']);
      expect(data['hash']).toBe(chain.line[finalized]?.hash);
    }
    if (type === 'ChainReorganized') expect((data['ancestor'] as { number: number }).number).toBeGreaterThanOrEqual(finalized);
    expect(type).not.toBe('ChainStopped');
  }
  expect(finalized).toBe(expected);
}

async function expectVerifies({ log }: Simulation): Promise<void> {
  const steps: unknown[] = [];
  for await (const step of verifyStore({ reader: log, crypto: { keccak256: await createKeccak256() } })) if (step.kind !== 'progress') steps.push(step);
  expect(steps).toEqual([expect.objectContaining({ kind: 'done', chains: 1, findings: 0 })]);
}

/** Block by block and transaction by transaction, what is asked is what the node has. */
async function expectExplorerEqual({ read, chain, finalized }: Simulation): Promise<void> {
  await read.caughtUp();
  expect(await read.troubles()).toEqual([]);
  const { explorer } = read;
  const facts = await explorer.chain(CHAIN_ID);
  expect([facts.head?.hash, facts.finalized?.number ?? -1, facts.blocks, facts.stop]).toEqual([chain.tip.hash, finalized, chain.line.length, null]);
  const listed: unknown[] = [];
  for (let after: Parameters<SqliteChainExplorer['blocks']>[1]['after']; ; ) {
    const page = await explorer.blocks(CHAIN_ID, { limit: 17, order: 'asc', orphaned: false, after });
    listed.push(...page.items.map(({ hash }) => hash));
    if (page.next === null) break;
    after = page.next;
  }
  expect(listed).toEqual(chain.line.map(({ hash }) => hash));
  const safe = facts.safe?.number ?? -1;
  for (const block of chain.line) await expectBlockEqual(explorer, block, block.number <= finalized ? 'finalized' : block.number <= safe ? 'safe' : 'canonical');
}

async function expectBlockEqual(explorer: SqliteChainExplorer, { number, block, receipts }: RecordedBlock, finality: string): Promise<void> {
  const node = JSON.parse(block.toString()) as Fields & { readonly transactions: readonly Fields[] };
  const outcomes = JSON.parse(receipts.toString()) as readonly Fields[];
  const { asOf: _, verification: _verification, ...answer } = asJson(await explorer.block(CHAIN_ID, number));
  expect(answer).toEqual({ ...blockAsWritten(node), finality, verified: true });
  const { items } = await explorer.blockTransactions(CHAIN_ID, number, { limit: 500, order: 'asc' });
  expect(asJson({ items })['items']).toEqual(node.transactions.map((one, at) => ({ ...summaryAsWritten(one, outcomes[at] as Fields), finality })));
  for (const [at, transaction] of node.transactions.entries()) {
    const { asOf: _asOf, inclusions: _inclusions, ...whole } = asJson(await explorer.transaction(CHAIN_ID, transaction['hash'] as Hex));
    expect(whole).toEqual({ ...transactionAsWritten(transaction, outcomes[at] as Fields), finality });
  }
}

/** A generation built from the log alone has the same bytes as the one that grew with it. */
async function expectRebuiltSame({ read }: Simulation): Promise<void> {
  const live = read.dump();
  await read.rebuild();
  await read.caughtUp();
  const rebuilt = read.dump();
  expect(live.length).toBeGreaterThan(0);
  expect(rebuilt === live ? 'the same' : firstDifference(live, rebuilt)).toBe('the same');
}

function firstDifference(one: string, other: string): string {
  const [left, right] = [one.split('\n'), other.split('\n')];
  const at = left.findIndex((line, place) => line !== right[place]);
  return `line ${at}: ${left[at] ?? 'nothing'} but rebuilt ${right[at] ?? 'nothing'}`;
}

function asJson(answer: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(answer)) as Record<string, unknown>;
}
