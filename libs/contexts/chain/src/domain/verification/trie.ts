import type { Keccak256 } from './crypto.ts';
import type { RlpWriter } from './rlp.ts';

const EXTENSION = 0;
const LEAF = 2;

/**
 * Root of the Merkle-Patricia trie that binds a list: keys are the RLP of the index, values what `writeItem` puts into
 * the writer. Items are visited from the last key to the first, each once. Yellow Paper, appendix D.
 */
export function orderedTrieRoot(writer: RlpWriter, count: number, writeItem: (index: number) => void, keccak256: Keccak256): Uint8Array {
  const mark = writer.size;
  if (count === 0) writer.byte(0x80);
  else writeNode(0, count, 0);
  const root = keccak256(writer.since(mark)).slice();
  writer.rewind(mark);
  return root;

  /** The node over the keys from `low` to before `high` in key order, which agree in their first `depth` nibbles. */
  function writeNode(low: number, high: number, depth: number): void {
    const nodeMark = writer.size;
    const first = indexAt(low, count);
    if (high - low === 1) {
      writeItem(first);
      writer.string(nodeMark);
      writePath(first, depth, keyNibbles(first), LEAF);
      writer.list(nodeMark);
      return;
    }
    const last = indexAt(high - 1, count);
    let split = depth;
    while (nibble(first, split) === nibble(last, split)) split += 1;
    if (split === depth) {
      writeBranch(low, high, depth);
      return;
    }
    writeChild(low, high, split);
    writePath(first, depth, split, EXTENSION);
    writer.list(nodeMark);
  }

  function writeBranch(low: number, high: number, depth: number): void {
    const branchMark = writer.size;
    writer.byte(0x80); // No key is the beginning of another, so a branch has no value.
    let end = high;
    for (let child = 15; child >= 0; child -= 1) {
      let start = end;
      while (start > low && nibble(indexAt(start - 1, count), depth) === child) start -= 1;
      if (start === end) writer.byte(0x80);
      else writeChild(start, end, depth + 1);
      end = start;
    }
    writer.list(branchMark);
  }

  /** A node shorter than a hash stands in its parent itself. */
  function writeChild(low: number, high: number, depth: number): void {
    const childMark = writer.size;
    writeNode(low, high, depth);
    if (writer.size - childMark < 32) return;
    const digest = keccak256(writer.since(childMark));
    writer.rewind(childMark);
    writer.raw(digest);
    writer.byte(0xa0);
  }

  /** Hex-prefix encoding of the key's nibbles from `from` to before `to`. Yellow Paper, appendix C. */
  function writePath(index: number, from: number, to: number, kind: number): void {
    const pathMark = writer.size;
    const odd = (to - from) & 1;
    for (let at = to - 2; at >= from + odd; at -= 2) writer.byte((nibble(index, at) << 4) | nibble(index, at + 1));
    writer.byte(((kind + odd) << 4) | (odd === 1 ? nibble(index, from) : 0));
    writer.string(pathMark);
  }
}

/** Indices in the order of their keys: RLP writes 1 to 127 as themselves, 0 as 0x80, larger ones with a length in front. */
function indexAt(place: number, count: number): number {
  const singles = count < 128 ? count - 1 : 127;
  if (place < singles) return place + 1;
  return place === singles ? 0 : place;
}

function keyNibbles(index: number): number {
  if (index < 0x80) return 2;
  return index < 0x100 ? 4 : index < 0x10000 ? 6 : 8;
}

function nibble(index: number, at: number): number {
  if (index < 0x80) {
    const key = index === 0 ? 0x80 : index;
    return at === 0 ? key >> 4 : key & 15;
  }
  if (at === 0) return 8;
  const nibbles = keyNibbles(index);
  if (at === 1) return (nibbles - 2) >> 1;
  return (index >> (4 * (nibbles - 1 - at))) & 15;
}
