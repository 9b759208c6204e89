import type { BlockRef, Hex } from './rpc-types.ts';

/**
 * Blocks by their parents, the newest first. Shared between states, so that adding a block to a long chain costs
 * nothing and an older state stays what it was.
 */
export interface Links {
  readonly ref: BlockRef;
  readonly parentHash: Hex;
  readonly count: number;
  readonly below: Links | undefined;
}

export function extended(below: Links | undefined, ref: BlockRef, parentHash: Hex): Links {
  return { ref, parentHash, count: (below?.count ?? 0) + 1, below };
}

/** The links whose newest block has this number; undefined where there is none. */
export function cutTo(links: Links | undefined, number: number): Links | undefined {
  let at = links;
  while (at !== undefined && at.ref.number > number) at = at.below;
  return at?.ref.number === number ? at : undefined;
}

/** All blocks above this number, in rising order. */
export function refsAbove(links: Links | undefined, number: number): readonly BlockRef[] {
  const refs: BlockRef[] = [];
  for (let at = links; at !== undefined && at.ref.number > number; at = at.below) refs.push(at.ref);
  return refs.reverse();
}

export function lowest(links: Links): Links {
  let at = links;
  while (at.below !== undefined) at = at.below;
  return at;
}

/** Forgets what stands under this number. */
export function trimmedBelow(links: Links, number: number): Links {
  const kept = toList(links).filter(([kept]) => kept >= number);
  return fromList(kept) ?? links;
}

export type LinkList = readonly (readonly [number: number, hash: Hex, parentHash: Hex])[];

/** In rising order. */
export function toList(links: Links | undefined): LinkList {
  const list: [number, Hex, Hex][] = [];
  for (let at = links; at !== undefined; at = at.below) list.push([at.ref.number, at.ref.hash, at.parentHash]);
  return list.reverse();
}

export function fromList(list: LinkList): Links | undefined {
  return list.reduce<Links | undefined>((below, [number, hash, parentHash]) => extended(below, { number, hash }, parentHash), undefined);
}
