import type { Hex, RpcHeader } from '../domain/rpc-types.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import type { ChainView } from './chain-view.ts';
import { findForkPoint } from './fork-point.ts';

const hash = (name: string): Hex => `0x${Buffer.from(name).toString('hex').padEnd(64, '0')}`;

/** Our blocks are a0, a1 …; `from` is the lowest that is remembered. */
function view(from: number, head: number, more: Partial<ChainView> = {}): ChainView {
  return {
    status: 'following', stopReason: undefined, genesisHash: hash('a0'), firstBlock: 0, head: { number: head, hash: hash(`a${head}`) }, next: head + 1, safe: undefined, finalized: undefined, proven: [],
    lowest: from, lowestParent: hash(`a${from - 1}`), backfilledBelow: false,
    hashAt: (number) => (number >= from && number <= head ? hash(`a${number}`) : undefined),
    ...more,
  };
}

/** A node that left our chain above `fork`; `asked` counts headers. */
function nodeLeavingAt(fork: number): { readonly node: ChainNode; readonly asked: () => number } {
  let asked = 0;
  const header = (number: number): RpcHeader => {
    asked += 1;
    return { hash: hash(`${number <= fork ? 'a' : 'b'}${number}`), parentHash: hash('-'), number: `0x${number.toString(16)}`, timestamp: '0x1' };
  };
  const node = { label: 'n', header: async (number: number) => header(number), headers: async (numbers: readonly number[]) => numbers.map(header) };
  return { node: node as unknown as ChainNode, asked: () => asked };
}
const final = (number: number): Partial<ChainView> => ({ finalized: { number, hash: hash(`a${number}`) } });

describe('the fork point', () => {
  it('is the highest block that both chains share, however deep', async () => {
    expect(await findForkPoint(nodeLeavingAt(700).node, view(0, 5_000), 5_001)).toEqual({ number: 700, hash: hash('a700') });
  });
  it('is looked for no lower than what is final, where another hash contradicts us', async () => {
    const { node, asked } = nodeLeavingAt(80);
    await expect(findForkPoint(node, view(0, 100, final(90)), 101)).rejects.toMatchObject({ code: 'reorg-below-finalized', facts: { block: 90 } });
    expect(asked()).toBeLessThan(30);
  });
  it('is not said to be missing by a node whose head is below all that may change: it is behind', async () => {
    await expect(findForkPoint(nodeLeavingAt(999).node, view(0, 60, final(55)), 40)).rejects.toMatchObject({ code: 'node-lagging' });
    await expect(findForkPoint(nodeLeavingAt(999).node, view(30, 60), 20)).rejects.toMatchObject({ code: 'node-lagging' });
  });
  it('may be the block under a gap that was left to a backfill, without asking for what lies in the gap', async () => {
    const { node, asked } = nodeLeavingAt(11_999);
    const jumped = view(12_000, 12_000, { ...final(90), hashAt: (number) => (number === 12_000 ? hash('a12000') : undefined), lowestParent: hash('a11999'), backfilledBelow: true });
    expect(await findForkPoint(node, jumped, 12_001)).toEqual({ number: 11_999, hash: hash('a11999') });
    expect(asked()).toBe(2);
  });
  it('may replace the first block where nothing is final, but not where a backfill holds what stands under it', async () => {
    const begun = { firstBlock: 30 };
    expect(await findForkPoint(nodeLeavingAt(20).node, view(30, 35, begun), 36)).toEqual({ number: 29, hash: hash('b29') });
    await expect(findForkPoint(nodeLeavingAt(20).node, view(30, 35, { ...begun, backfilledBelow: true }), 36)).rejects.toMatchObject({ code: 'reorg-below-first-block' });
    expect(await findForkPoint(nodeLeavingAt(29).node, view(30, 35, { ...begun, backfilledBelow: true }), 36)).toEqual({ number: 29, hash: hash('a29') });
  });
});
