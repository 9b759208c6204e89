import type { ObservedBlock } from '../domain/chain.events.ts';

/** One append takes 256 events and 900 KB (log.md), and this is decided in one. */
const MOST_BLOCKS = 200;
const MOST_CHARACTERS = 600_000;

/** Blocks in pieces that fit one command each. */
export function* pieces(blocks: readonly ObservedBlock[]): Generator<readonly ObservedBlock[]> {
  let piece: ObservedBlock[] = [];
  let characters = 0;
  for (const block of blocks) {
    const size = roughSize(block);
    if (piece.length > 0 && (piece.length >= MOST_BLOCKS || characters + size > MOST_CHARACTERS)) {
      yield piece;
      piece = [];
      characters = 0;
    }
    piece.push(block);
    characters += size;
  }
  if (piece.length > 0) yield piece;
}

/** A header is some 2 KB; only lists make it larger. Envelope and counts on top. */
function roughSize({ header }: ObservedBlock): number {
  let size = 1_200;
  for (const value of Object.values(header)) size += typeof value === 'string' ? value.length + 24 : value === null || typeof value !== 'object' ? 24 : JSON.stringify(value).length + 24;
  return size;
}
