import type { EventReader } from '#platform/event-store';
import type { RecordedEvent, StreamName } from '#platform/kernel';
import { streamName } from '#platform/kernel';
import { digestOf } from '../domain/block-body.decider.ts';
import { without } from '../domain/chain-backfills.ts';
import type { NumberRange } from '../domain/chain-state.ts';
import type { BlockPart, ObservedBlock } from '../domain/chain.events.ts';
import { BLOCK_PARTS } from '../domain/chain.events.ts';
import { reassembleBody, storedBlock } from '../domain/reassemble.ts';
import type { BlockRef, Hex } from '../domain/rpc-types.ts';
import type { VerificationCrypto } from '../domain/verification/crypto.ts';
import { checkBlock } from '../domain/verification/verify-block.ts';
import { Breath } from './breath.ts';
import { eventsOf, streamsOf } from './stream-pages.ts';

export interface VerifyOptions {
  readonly reader: EventReader;
  readonly crypto: VerificationCrypto;
  /** Left out: every chain in the log. */
  readonly chainId?: string;
  readonly from?: number;
  readonly to?: number;
}

export type Finding = {
  readonly kind: 'finding';
  readonly chainId: string;
  readonly stream: string;
  readonly number: number;
  readonly hash: string;
  readonly code: 'gap' | 'link-broken' | 'body-missing' | 'body-incomplete' | 'count-differs' | 'digest-differs' | 'root-differs' | 'adopted-unknown' | 'revision-gap';
  readonly detail: string;
};

export type VerifyStep =
  | Finding
  /** Blocks below the first one followed that no backfill was asked for: not captured, and nothing wrong. */
  | { readonly kind: 'hole'; readonly chainId: string; readonly from: number; readonly to: number }
  | { readonly kind: 'progress'; readonly chainId: string; readonly stream: string; readonly blocks: number; readonly transactions: number; readonly number: number }
  | { readonly kind: 'done'; readonly chains: number; readonly blocks: number; readonly transactions: number; readonly findings: number };

const PROGRESS_EVERY = 100;

/** Reads the whole store again and says whatever is wrong with it: links, gaps, counts, digests and roots. Changes nothing. */
export async function* verifyStore(options: VerifyOptions): AsyncGenerator<VerifyStep> {
  const sum = { chains: 0, blocks: 0, transactions: 0, findings: 0 };
  const breath = new Breath();
  for await (const stream of streamsOf(options.reader, 'chain')) {
    const chainId = stream.slice('chain-'.length);
    if (options.chainId !== undefined && options.chainId !== chainId) continue;
    sum.chains += 1;
    const canonical = new Map<number, Link>();
    const ranges: Ranges = { running: new Map(), promised: [], wanted: new Set(), cancelled: [] };
    const walks = [walkChain(options, stream, chainId, canonical, ranges)];
    for await (const backfill of streamsOf(options.reader, 'backfill')) {
      if (backfill.startsWith(`backfill-${chainId}.`)) walks.push(walkBackfill(options, backfill, chainId, canonical, ranges.wanted));
    }
    for (const walk of walks) {
      for await (const step of walk) {
        await breath.take();
        if (step.kind === 'finding') sum.findings += 1;
        if (step.kind !== 'block') {
          yield step;
          continue;
        }
        sum.blocks += 1;
        sum.transactions += step.transactions;
        if (sum.blocks % PROGRESS_EVERY === 0) yield { kind: 'progress', chainId, stream, blocks: sum.blocks, transactions: sum.transactions, number: step.number };
      }
    }
    for (const step of linksOf(chainId, stream, canonical, ranges)) {
      if (step.kind === 'finding') sum.findings += 1;
      yield step;
    }
  }
  yield { kind: 'done', ...sum };
}

/** Which numbers must be there: all from the first block on, and every backfill that is done. */
interface Ranges {
  readonly running: Map<number, NumberRange>;
  readonly promised: NumberRange[];
  /** `from.to` of the backfills that were requested and not cancelled. */
  readonly wanted: Set<string>;
  /** What is not asked for any more. */
  cancelled: readonly NumberRange[];
}
interface Link {
  readonly hash: Hex;
  readonly parentHash: Hex;
}
type Walked = Finding | { readonly kind: 'block'; readonly number: number; readonly transactions: number };

/** The order of the head. What it comes to is put into `canonical`. */
async function* walkChain(options: VerifyOptions, stream: StreamName, chainId: string, canonical: Map<number, Link>, ranges: Ranges): AsyncGenerator<Walked> {
  const { promised } = ranges;
  const branch = new Map<string, ObservedBlock>();
  for await (const event of gaplessly(options.reader, stream)) {
    if (event === 'revision-gap') {
      yield found(chainId, stream, undefined, 'revision-gap', 'revisions of the stream are not gapless');
      continue;
    }
    const { type, data } = event;
    if (type === 'BlockObserved' || type === 'BranchBlockObserved') {
      const block = data as unknown as ObservedBlock;
      if (type === 'BlockObserved') canonical.set(block.number, { hash: block.hash, parentHash: block.parentHash });
      else branch.set(block.hash, block);
      if (isWanted(options, block.number)) yield* checkStored(options, stream, block);
    }
    if (type === 'ChainStarted') promised.push({ from: data['firstBlock'] as number, to: Number.MAX_SAFE_INTEGER });
    if (type.startsWith('Backfill')) noteBackfill(type, data as unknown as NumberRange, ranges);
    if (type !== 'ChainReorganized') continue;
    const { dropped, adopted } = data as unknown as { dropped: readonly BlockRef[]; adopted: readonly BlockRef[] };
    for (const { number, hash } of dropped) {
      if (canonical.get(number)?.hash !== hash) yield found(chainId, stream, { number, hash }, 'link-broken', 'dropped, but it was not canonical');
      canonical.delete(number);
    }
    for (const { number, hash } of adopted) {
      const block = branch.get(hash);
      if (block === undefined) yield found(chainId, stream, { number, hash }, 'adopted-unknown', 'adopted, but never observed');
      else canonical.set(number, { hash, parentHash: block.parentHash });
    }
  }
}

function noteBackfill(type: string, range: NumberRange, ranges: Ranges): void {
  const { running, promised, wanted } = ranges;
  const key = `${range.from}.${range.to}`;
  if (type === 'BackfillRequested') {
    running.set(range.from, range);
    wanted.add(key);
    ranges.cancelled = ranges.cancelled.flatMap((one) => without(one, range));
    return;
  }
  running.delete(range.from);
  if (type === 'BackfillCompleted') promised.push(range);
  if (type !== 'BackfillCancelled') return;
  wanted.delete(key);
  ranges.cancelled = [...ranges.cancelled, range];
}

/** What was captured for a cancelled backfill stands only where nobody captured another block since. */
async function* walkBackfill(options: VerifyOptions, stream: StreamName, chainId: string, canonical: Map<number, Link>, wanted: ReadonlySet<string>): AsyncGenerator<Walked> {
  const isWantedRange = wanted.has(stream.slice(`backfill-${chainId}.`.length));
  const held = new Set(isWantedRange ? [] : canonical.keys());
  for await (const event of gaplessly(options.reader, stream)) {
    if (event === 'revision-gap') {
      yield found(chainId, stream, undefined, 'revision-gap', 'revisions of the stream are not gapless');
      continue;
    }
    if (event.type !== 'BlockObserved') continue;
    const block = event.data as unknown as ObservedBlock;
    if (!held.has(block.number)) canonical.set(block.number, { hash: block.hash, parentHash: block.parentHash });
    if (isWanted(options, block.number)) yield* checkStored(options, stream, block);
  }
}

/** Over the head and all backfills together: no number that was promised is missing between two that are there, but where a backfill still runs. */
function* linksOf(chainId: string, stream: string, canonical: ReadonlyMap<number, Link>, ranges: Ranges): Generator<VerifyStep> {
  const numbers = [...canonical.keys()].sort((a, b) => a - b);
  for (const [place, number] of numbers.entries()) {
    const below = numbers[place - 1];
    const link = canonical.get(number) as Link;
    if (below === undefined) continue;
    const under = canonical.get(below) as Link;
    const missing = { from: below + 1, to: number - 1 };
    if (missing.from <= missing.to) {
      for (const { from, to, promised } of missingParts(missing, ranges)) {
        if (promised) yield found(chainId, stream, { number, hash: link.hash }, 'gap', `blocks ${from} to ${to} are missing`);
        else yield { kind: 'hole', chainId, from, to };
      }
    } else if (under.hash !== link.parentHash) yield found(chainId, stream, { number, hash: link.hash }, 'link-broken', `its parent is ${link.parentHash}, below stands ${under.hash}`);
  }
}

/** Without what a backfill is still busy with. What was promised and then cancelled is a hole like any that nobody asked for. */
function missingParts(missing: NumberRange, { running, promised, cancelled }: Ranges): readonly (NumberRange & { readonly promised: boolean })[] {
  const beside = (parts: readonly NumberRange[], taken: Iterable<NumberRange>): readonly NumberRange[] => [...taken].reduce((left, range) => left.flatMap((part) => without(part, range)), parts);
  const idle = beside([missing], running.values());
  const never = beside(idle, cancelled);
  const parts = [
    ...beside(idle, never).map((part) => ({ ...part, promised: false })),
    ...never.map((part) => ({ ...part, promised: promised.some(({ from, to }) => from <= part.to && to >= part.from) })),
  ];
  return parts.sort((a, b) => a.from - b.from);
}

async function* checkStored({ reader, crypto }: VerifyOptions, stream: string, observed: ObservedBlock): AsyncGenerator<Walked> {
  const { chainId, number, hash, transactionCount } = observed;
  yield { kind: 'block', number, transactions: transactionCount };
  const finding = (code: Finding['code'], detail: string): Finding => found(chainId, stream, { number, hash }, code, detail);
  const events: RecordedEvent[] = [];
  if (transactionCount > 0) for await (const event of eventsOf(reader, streamName('block', `${chainId}.${hash}`))) events.push(event);
  if (transactionCount > 0 && events.length === 0) return void (yield finding('body-missing', `${transactionCount} transactions are not there`));
  const body = reassembleBody(events as unknown as Parameters<typeof reassembleBody>[0]);
  if (transactionCount > 0 && body.completed === undefined) return void (yield finding('body-incomplete', `${body.transactions.length} of ${transactionCount} transactions`));
  if (body.transactions.length !== transactionCount) return void (yield finding('count-differs', `${body.transactions.length} transactions, ${transactionCount} observed`));
  const digest = digestOf(body.transactions.map(({ transaction }) => transaction), crypto.keccak256);
  if (body.completed !== undefined && body.completed.digest !== digest) yield finding('digest-differs', `it is ${digest}, written was ${body.completed.digest}`);
  const verified = BLOCK_PARTS.filter((part): part is BlockPart => part !== 'senders' && observed.verification[part] === 'verified');
  const report = checkBlock(storedBlock(observed, body), crypto, undefined, verified);
  for (const part of verified) {
    const outcome = report[part];
    if (outcome?.outcome === 'mismatched') yield finding('root-differs', `${part}: ${outcome.field} is ${outcome.actual}, expected ${outcome.expected}`);
  }
}

function isWanted({ from = 0, to = Number.POSITIVE_INFINITY }: VerifyOptions, number: number): boolean {
  return number >= from && number <= to;
}

function found(chainId: string, stream: string, block: { readonly number: number; readonly hash: string } | undefined, code: Finding['code'], detail: string): Finding {
  return { kind: 'finding', chainId, stream, number: block?.number ?? -1, hash: block?.hash ?? '', code, detail };
}

/** A number that is left out is told before the event behind it. */
async function* gaplessly(reader: EventReader, stream: StreamName): AsyncGenerator<RecordedEvent | 'revision-gap'> {
  let next = 0;
  for await (const event of eventsOf(reader, stream)) {
    // The same one again: an older event that was split.
    if (event.revision !== next && event.revision !== next - 1) yield 'revision-gap';
    next = event.revision + 1;
    yield event;
  }
}
