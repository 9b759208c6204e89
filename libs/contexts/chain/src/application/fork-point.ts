import type { BlockRef } from '../domain/rpc-types.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import { ChainContradicts, GenesisChanged, NodeLagging } from './capture.errors.ts';
import type { ChainView } from './chain-view.ts';

const FIRST_WINDOW = 8;
const LARGEST_WINDOW = 512;

/**
 * The highest block that the node and we share, found by comparing hashes downwards, one batch of headers at a time.
 * All of it is asked of one provider. The walk ends at the finalized block, or at the lowest one that is remembered.
 *
 * The one rule for contradictions: a node contradicts us only by another hash at a number that we hold. One whose head
 * is below all that may change has shown nothing, and is merely behind.
 */
export async function findForkPoint(node: ChainNode, view: ChainView, nodeHead: number): Promise<BlockRef> {
  const floor = Math.max(view.finalized?.number ?? 0, view.lowest);
  let top = Math.min(nodeHead, view.head?.number ?? nodeHead);
  // A chain begun in the middle may have lost its first block, and its new head is the block under it.
  if (top < floor && !(top === view.lowest - 1 && mayLoseLowest(view))) throw new NodeLagging(node.label, floor);
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
  if (view.finalized !== undefined && view.finalized.number >= view.lowest) throw contradiction('reorg-below-finalized', 'the block that was final', view, floor, node);
  return underLowest(node, view);
}

/**
 * What stands under our lowest block is shared where our lowest names it as its parent. Of another chain altogether
 * nothing is, whatever may be lost of ours.
 */
async function underLowest(node: ChainNode, view: ChainView): Promise<BlockRef> {
  const number = view.lowest - 1;
  const header = number < 0 ? undefined : await node.header(number);
  if (header === null) throw new NodeLagging(node.label, number);
  if (header !== undefined && header.hash === view.lowestParent) return { number, hash: header.hash };
  const genesis = await node.header(0);
  if (genesis !== null && genesis.hash !== view.genesisHash) throw new GenesisChanged(node.label, view.genesisHash, genesis.hash);
  if (header !== undefined && mayLoseLowest(view)) return { number, hash: header.hash };
  throw contradiction('reorg-below-first-block', 'the first block that can be compared', view, view.lowest, node);
}

/** Where a chain begins with nothing final and nothing under it, all that is held may be replaced. */
function mayLoseLowest(view: ChainView): boolean {
  return view.finalized === undefined && view.lowest === view.firstBlock && !view.backfilledBelow;
}

function contradiction(code: 'reorg-below-finalized' | 'reorg-below-first-block', what: string, view: ChainView, block: number, node: ChainNode): ChainContradicts {
  return new ChainContradicts(code, `The node serves another chain below ${what}`, { node: node.label, block, ours: view.hashAt(block) ?? '' });
}
