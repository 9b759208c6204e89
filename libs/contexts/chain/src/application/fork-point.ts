import type { BlockRef } from '../domain/rpc-types.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import { ChainContradicts, NodeLagging } from './capture.errors.ts';
import type { ChainView } from './chain-view.ts';

const FIRST_WINDOW = 8;
const LARGEST_WINDOW = 512;

/**
 * The highest block that the node and we share, found by comparing hashes downwards, one batch of headers at a time.
 * All of it is asked of one provider. There is no depth limit but the finalized block: below it the chain contradicts
 * itself.
 */
export async function findForkPoint(node: ChainNode, view: ChainView, nodeHead: number): Promise<BlockRef> {
  const floor = view.finalized?.number ?? view.lowest;
  let top = Math.min(nodeHead, view.head?.number ?? nodeHead);
  for (let window = FIRST_WINDOW; top >= floor; window = Math.min(LARGEST_WINDOW, window * 4)) {
    const bottom = Math.max(floor, top - window + 1);
    const numbers = Array.from({ length: top - bottom + 1 }, (_, place) => top - place);
    const headers = await node.headers(numbers);
    for (const [place, header] of headers.entries()) {
      const number = numbers[place] as number;
      if (header === null) throw new NodeLagging(node.label, number);
      if (header.hash === view.hashAt(number)) return { number, hash: header.hash };
    }
    top = bottom - 1;
  }
  return belowAll(node, view, floor);
}

/** Where nothing is final, what stands under our lowest block may be shared too; a chain begun in the middle may lose its first. */
async function belowAll(node: ChainNode, view: ChainView, floor: number): Promise<BlockRef> {
  if (view.finalized !== undefined || view.lowest === 0) throw contradiction(view, floor, node.label);
  const below = await node.header(view.lowest - 1);
  if (below === null) throw new NodeLagging(node.label, view.lowest - 1);
  if (below.hash !== view.lowestParent && view.lowest !== view.firstBlock) throw contradiction(view, floor, node.label);
  return { number: view.lowest - 1, hash: below.hash };
}

export function contradiction(view: ChainView, floor: number, node: string): ChainContradicts {
  const facts = { node, block: floor, ours: view.hashAt(floor) ?? '' };
  if (view.finalized !== undefined) return new ChainContradicts('reorg-below-finalized', 'The node serves another chain below the block that was final', facts);
  return new ChainContradicts('reorg-below-first-block', 'The node serves another chain below the first captured block', facts);
}
