import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithFixtures } from '#platform/testing';
import type { CaptureRig } from '../load/capture-rig.ts';
import { recordBlock } from '../load/recorded-chain.ts';
import type { ReplayNode } from '../load/replay-node.ts';
import { blockOf, blocksOf } from '../recorded/rlp-blocks.ts';
import { HeaviestChain } from './heaviest-chain.ts';
import type { Onlooker } from './onlooker.ts';
import { servedBy } from './onlooker.ts';
import { Stage } from './stage.ts';

const CHAIN = '1';
const stage = new Stage();
let node: ReplayNode;
let capture: CaptureRig;
let onlooker: Onlooker;
afterEach(() => stage.clear());

/** Neither history has receipts. */
async function follow(first: Parameters<typeof recordBlock>[0][]): Promise<void> {
  node = await stage.replay(first.map((block) => recordBlock(block, [])), { chainId: 1n });
  capture = stage.capture();
  onlooker = await stage.onlooker(capture.store, CHAIN);
  await capture.start([node.wsUrl], { receipts: false });
  await capture.until('listening', () => node.calls.get('eth_subscribe'), (calls) => calls === 1);
  await followed();
}
async function followed(): Promise<void> {
  const { hash } = node.chain.at(node.chain.head)!;
  await capture.until('on the branch of the node', () => capture.view(CHAIN), ({ head }) => head?.hash === hash);
}
/** Recomputed from what the stub served, as of any node. */
async function expectVerified(): Promise<void> {
  for (const { data } of await capture.events('BlockObserved', 'BranchBlockObserved')) expect(data['verification']).toMatchObject({ header: 'verified', transactions: 'verified' });
}
async function reorgs(): Promise<readonly { readonly depth: number; readonly from: number; readonly to: number }[]> {
  return (await capture.events('ChainReorganized')).map(({ data }) => {
    const [ancestor, dropped, adopted] = [data['ancestor'] as { number: number }, data['dropped'] as unknown[], data['adopted'] as unknown[]];
    return { depth: dropped.length, from: ancestor.number + dropped.length, to: ancestor.number + adopted.length };
  });
}
/** A heavier branch may be a shorter one: then the node's own head falls, and what is read falls as it does. */
const fallsIn = (told: Awaited<ReturnType<typeof reorgs>>): [number, number][] => told.flatMap(({ from, to }) => (to < from ? [[from, to]] : []));

interface Case {
  readonly genesisRLP: string;
  readonly blocks: readonly ({ readonly rlp: string } & Readonly<Record<string, unknown>>)[];
  readonly lastblockhash: string;
}
/** As the fixtures' own page has it. */
const DEPTHS: readonly [RegExp, readonly number[]][] = [
  [/^ChainAtoChainB_difficultyB|^CallContractFromNotBestBlock/, []],
  [/^ChainAtoChainBtoChainAtoChainB/, [3, 5, 6]],
  [/^ChainAtoChainBtoChainA_/, [3, 5]],
  [/^ChainAtoChainB/, [3]],
  [/^UncleFromSideChain/, [3]],
  [/^lotsOfLeafs/, [1]],
];

describeWithFixtures('a node that hears the blocks of evm-reorg in their order', (fixtures) => {
  const dir = join(fixtures, 'evm-reorg');
  const files = ['ValidBlocks', 'InvalidBlocks'].flatMap((kind) => readdirSync(join(dir, kind, 'bcMultiChainTest')).map((name) => join(dir, kind, 'bcMultiChainTest', name)));
  const cases = files.flatMap((file) => Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Case>));
  // From Paris on work does not choose.
  const byWork = cases.filter(([name]) => /Berlin|Istanbul|London/.test(name));

  it('has 27 histories that work decides', () => {
    expect(byWork).toHaveLength(27);
  });

  it.each(byWork)('%s: is followed at each step, and in the end the block that must win is our head', async (name, history) => {
    const genesis = blockOf(history.genesisRLP);
    const heaviest = new HeaviestChain(genesis);
    await follow([genesis]);
    for (const entry of history.blocks) {
      // The node refuses what is invalid.
      if (Object.keys(entry).some((key) => key.startsWith('expectException'))) continue;
      if (heaviest.hear(blockOf(entry.rlp), node)) await followed();
    }
    expect(heaviest.tip.hash).toBe(history.lastblockhash);
    const told = await reorgs();
    const depths = DEPTHS.find(([which]) => which.test(name))![1];
    expect([...new Set(told.map(({ depth }) => depth))]).toEqual(depths);
    await expectVerified();
    await onlooker.expectGoldenRule(servedBy(node), fallsIn(told));
  });

  it.each(byWork.filter(([name]) => /London/.test(name)))('%s: is followed to the same end when nobody looked on the way', async (_name, history) => {
    const genesis = blockOf(history.genesisRLP);
    const heaviest = new HeaviestChain(genesis);
    await follow([genesis]);
    for (const entry of history.blocks) if (!Object.keys(entry).some((key) => key.startsWith('expectException'))) heaviest.hear(blockOf(entry.rlp), node);
    await followed();
    expect((await capture.view(CHAIN)).head?.hash).toBe(history.lastblockhash);
    await onlooker.expectGoldenRule(servedBy(node), fallsIn(await reorgs()));
  });
});

describeWithFixtures('two futures of one past, recorded by besu', (fixtures) => {
  const read = (name: string) => blocksOf(join(fixtures, 'evm-chains/besu-fork', `${name}.blocks`)).map(({ block }) => block);

  it('are followed one after the other: a reorganisation of depth 4, and back again', async () => {
    const [common, outdated, upgraded] = [read('common'), read('fork-outdated'), read('fork-upgraded')];
    const above = (blocks: typeof common) => blocks.slice(common.length).map((block) => recordBlock(block, []));
    await follow(common);
    for (const future of [outdated, upgraded, outdated]) {
      node.switchTo(above(future));
      await followed();
    }
    expect(await reorgs()).toEqual([{ depth: 4, from: 10, to: 10 }, { depth: 4, from: 10, to: 10 }]);
    expect((await capture.view(CHAIN)).head?.hash).toBe(outdated.at(-1)!.hash);
    await onlooker.expectGoldenRule(servedBy(node));
  });
});
