import type { EventReader } from '#platform/event-store';
import { streamName } from '#platform/kernel';
import { rangeWith } from '../domain/chain-backfills.ts';
import type { ObservedBlock } from '../domain/chain.events.ts';
import type { BackfillRange, NumberRange } from '../domain/chain-state.ts';
import type { Hex } from '../domain/rpc-types.ts';
import { eventsOf } from './stream-pages.ts';

export interface Beside {
  readonly above: Hex | undefined;
  readonly below: Hex | undefined;
}

/**
 * What a range must join: the parent that the block above it names, and the hash of the block under it. Undefined where
 * we do not hold that block, so that there is nothing to compare.
 */
export async function blocksBeside(
  reader: EventReader,
  chainId: string,
  { from, to }: NumberRange,
  backfills: readonly BackfillRange[],
): Promise<Beside> {
  const edge = from === 0 ? undefined : await canonicalAt(reader, chainId, from - 1, backfills);
  const above = await canonicalAt(reader, chainId, to + 1, backfills);
  return { above: above?.parentHash, below: edge?.hash };
}

/** In the order of the head, or in a neighbouring backfill that is complete; what was captured for any other binds nobody. */
async function canonicalAt(reader: EventReader, chainId: string, number: number, backfills: readonly BackfillRange[]): Promise<ObservedBlock | undefined> {
  const range = rangeWith(number, backfills);
  if (range === undefined) return inHead(reader, chainId, number);
  return range.completed ? lastAt(reader, chainId, range, number) : undefined;
}

/** The last one observed at this number that was not dropped since. */
async function inHead(reader: EventReader, chainId: string, number: number): Promise<ObservedBlock | undefined> {
  const branch = new Map<Hex, ObservedBlock>();
  let found: ObservedBlock | undefined;
  for await (const { type, data } of eventsOf(reader, streamName('chain', chainId))) {
    const block = data as unknown as ObservedBlock;
    if (type === 'BlockObserved' && block.number === number) found = block;
    if (type === 'BranchBlockObserved' && block.number === number) branch.set(block.hash, block);
    if (type !== 'ChainReorganized') continue;
    const { dropped, adopted } = data as unknown as { dropped: readonly { hash: Hex }[]; adopted: readonly { hash: Hex }[] };
    if (dropped.some(({ hash }) => hash === found?.hash)) found = undefined;
    for (const { hash } of adopted) found = branch.get(hash) ?? found;
  }
  return found;
}

/**
 * Revision 0 is the start, and every block after it is one event, so a number does not stand before its place in the
 * range. It came again where a branch replaced it, and then the stream is longer than the range, a start and an end.
 */
async function lastAt(reader: EventReader, chainId: string, { from, to }: NumberRange, number: number): Promise<ObservedBlock | undefined> {
  const stream = streamName('backfill', `${chainId}.${from}.${to}`);
  const came = (await reader.lastRevision(stream)) > to - from + 2 ? 'again' : 'once';
  let found: ObservedBlock | undefined;
  for await (const { type, data } of eventsOf(reader, stream, 1 + number - from)) {
    if (type === 'BlockObserved' && data['number'] === number) found = data as unknown as ObservedBlock;
    if (found !== undefined && came === 'once') break;
  }
  return found;
}
