import type { Hex } from '../../libs/contexts/chain/src/domain/rpc-types.ts';

/** Nothing of a block matters here but its place. */
export interface TreeBlock {
  readonly number: number;
  readonly hash: Hex;
  readonly parent: TreeBlock | undefined;
}

export type Change =
  /** `depth` 0: the chain grows. */
  | { readonly kind: 'branch'; readonly depth: number; readonly length: number }
  /** The node is where it once was: on a branch that was left, or on an ancestor of its head (a rollback). */
  | { readonly kind: 'return'; readonly to: number }
  | { readonly kind: 'finalize'; readonly depth: number };

/** A tree of blocks, where its node stands, and what must be held of it: the whole of following a chain in sixty lines. */
export class TreeModel {
  readonly first: number;
  readonly blocks: TreeBlock[] = [{ number: 0, hash: hashOf(0), parent: undefined }];
  tip = this.blocks[0] as TreeBlock;
  /** What the node calls final; it has no such block while it stands elsewhere. */
  #tag: TreeBlock | undefined;
  held: TreeBlock | undefined;
  final: TreeBlock | undefined;
  stopped = false;

  constructor(first: number) {
    this.first = first;
  }

  get tag(): TreeBlock | undefined {
    return isOn(this.#tag, this.tip) ? this.#tag : undefined;
  }

  change(change: Change): void {
    if (change.kind === 'finalize') this.#tag = below(this.tip, change.depth);
    else if (change.kind === 'return') this.tip = this.blocks[change.to % this.blocks.length] as TreeBlock;
    else for (let at = below(this.tip, change.depth), left = change.length; left > 0; left -= 1) this.tip = at = this.#on(at);
  }

  /** Whether the head is to be followed to where the node stands: not below what is final, and not while the node is behind that. */
  get follows(): boolean {
    return !this.stopped && !this.#isLate && (this.final === undefined || isOn(this.final, this.tip));
  }

  /** Whether it is all the same, once the node stands elsewhere, if somebody saw it here. */
  get passes(): boolean {
    return this.follows && !this.#brings;
  }

  /** What is to be held once the node stands still. */
  settle(): void {
    if (this.stopped || this.#isLate) return;
    if (!this.follows) return void (this.stopped = true);
    this.held = this.tip;
    if (this.#brings) this.final = this.tag;
  }

  resume(): void {
    if (this.stopped) this.final = undefined;
    this.stopped = false;
  }

  /** From the first block up. */
  get line(): readonly TreeBlock[] {
    return lineOf(this.held).filter(({ number }) => number >= this.first);
  }

  get #isLate(): boolean {
    return this.tip.number < (this.final?.number ?? this.first - 1);
  }

  get #brings(): boolean {
    return this.tag !== undefined && this.tag.number > (this.final?.number ?? this.first - 1);
  }

  #on(parent: TreeBlock): TreeBlock {
    const block = { number: parent.number + 1, hash: hashOf(this.blocks.length), parent };
    this.blocks.push(block);
    return block;
  }
}

export function lineOf(tip: TreeBlock | undefined): readonly TreeBlock[] {
  const line: TreeBlock[] = [];
  for (let at = tip; at !== undefined; at = at.parent) line.unshift(at);
  return line;
}

function isOn(block: TreeBlock | undefined, tip: TreeBlock): boolean {
  return block !== undefined && lineOf(tip).includes(block);
}

function below(tip: TreeBlock, depth: number): TreeBlock {
  const line = lineOf(tip);
  return line[Math.max(0, line.length - 1 - depth)] as TreeBlock;
}

function hashOf(place: number): Hex {
  return `0x${place.toString(16).padStart(64, '0')}`;
}
