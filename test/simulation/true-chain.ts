import { generateBranch, generateChain } from '../load/generated-chain.ts';
import type { RecordedBlock, RecordedChain } from '../load/recorded-chain.ts';
import type { ReplayNode } from '../load/replay-node.ts';

export const CHAIN_ID = '424242';
/** Each flavour has its own transactions and always the same number of them in a block, so none comes twice in one chain. */
const FLAVOURS = 12;

/** The chain as it really is, and every block that it ever held. Nodes show it, sooner or later. */
export class TrueChain {
  readonly ever = new Map<string, RecordedBlock>();
  finalized = -1;
  safe = -1;
  #line: readonly RecordedBlock[];
  /** The chain as it was before the last branch, for coming back. */
  #left: readonly RecordedBlock[] | undefined;
  readonly #seed: number;
  readonly #flavours = new Map<string, number>();
  readonly #lowestFork: number;

  private constructor(seed: number, line: readonly RecordedBlock[], lowestFork: number) {
    this.#seed = seed;
    this.#line = line;
    this.#lowestFork = lowestFork;
    for (const block of line) this.ever.set(block.hash, block);
  }

  /** `lowestFork`: no branch leaves below it. */
  static async begin(seed: number, blocks: number, lowestFork: number): Promise<TrueChain> {
    const chain = await generateChain({ seed: seed * 100, blocks, transactionsPerBlock: 2 });
    return new TrueChain(seed, chain.blocks(), lowestFork);
  }

  get line(): readonly RecordedBlock[] {
    return this.#line;
  }
  get tip(): RecordedBlock {
    return this.#line.at(-1) as RecordedBlock;
  }

  async grow(blocks: number, flavour: number): Promise<void> {
    this.#line = [...this.#line, ...(await this.#make(this.tip, blocks, flavour))];
  }

  async branch(depth: number, length: number, flavour: number): Promise<void> {
    const at = this.#forkAt(depth);
    const replaced = this.#line[at + 1];
    const taken = replaced === undefined ? undefined : this.#flavours.get(replaced.hash);
    const made = await this.#make(this.#line[at] as RecordedBlock, length, taken === flavour % FLAVOURS ? flavour + 1 : flavour);
    this.#left = this.#line;
    this.#leaveAt(at, made);
  }

  /** The branch that was left is the chain again. */
  comeBack(): void {
    const left = this.#left;
    if (left === undefined) return;
    const at = left.findLastIndex((block, number) => this.#line[number] === block);
    if (at < this.#floor) return;
    this.#left = this.#line;
    this.#leaveAt(at, left.slice(at + 1));
  }

  rollBack(depth: number): void {
    this.#leaveAt(this.#forkAt(depth), []);
  }

  /** Both only rise here; a branch lets `safe` fall. */
  finalize(behind: number, gap: number): void {
    const safe = Math.max(0, this.tip.number - behind);
    this.safe = Math.max(this.safe, safe);
    this.finalized = Math.max(this.finalized, Math.max(0, safe - gap));
    this.safe = Math.max(this.safe, this.finalized);
  }

  get #floor(): number {
    return Math.max(this.#lowestFork, this.finalized);
  }

  #forkAt(depth: number): number {
    return Math.min(this.tip.number, Math.max(this.#floor, this.tip.number - depth));
  }

  #leaveAt(at: number, above: readonly RecordedBlock[]): void {
    this.#line = [...this.#line.slice(0, at + 1), ...above];
    this.safe = Math.min(this.safe, at);
  }

  async #make(parent: RecordedBlock, blocks: number, flavour: number): Promise<readonly RecordedBlock[]> {
    const own = 1 + (flavour % FLAVOURS);
    const made = await generateBranch({ seed: this.#seed * 100 + own, transactionsPerBlock: own % 4 }, parent, blocks);
    for (const block of made) {
      this.ever.set(block.hash, block);
      this.#flavours.set(block.hash, flavour % FLAVOURS);
    }
    return made;
  }
}

/** The node now has the true chain; blocks that a rollback took are gone for it, those of a branch it left are not. */
export function show(chain: TrueChain, node: ReplayNode, announce: 'each' | 'last' | 'none'): void {
  const shared = lastShared(chain.line, node.chain);
  const above = chain.line.slice(shared + 1);
  if (above.length > 0) node.chain.switchTo(above);
  else if (node.chain.head > shared) node.chain.rollBackTo(shared);
  if (announce === 'each') for (const block of above) node.announce(block);
  if (announce === 'last' && above.length > 0) node.announce(chain.tip);
}

function lastShared(line: readonly RecordedBlock[], shown: RecordedChain): number {
  let number = Math.min(line.length - 1, shown.head);
  while (number >= 0 && shown.at(number)?.hash !== line[number]?.hash) number -= 1;
  return number;
}
