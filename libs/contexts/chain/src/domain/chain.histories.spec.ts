import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describeWithFixtures } from '#platform/testing';
import { blockOf, blocksOf } from '../../../../../test/recorded/rlp-blocks.ts';
import { chainDecider } from './chain.decider.ts';
import type { ChainCommand } from './chain.commands.ts';
import type { ChainEvent, ObservedBlock } from './chain.events.ts';
import { toList } from './chain-links.ts';
import { observe } from './observe.ts';
import type { Hex, RpcBlock, RpcHeader } from './rpc-types.ts';
import { ChainfoldError } from '#platform/kernel';

/** The actor, without anything around it. */
class Told {
  readonly decider = chainDecider({ window: 4096 });
  state = this.decider.initialState();
  readonly events: ChainEvent[] = [];

  tell(command: ChainCommand): readonly ChainEvent[] {
    const events = this.decider.decide(command, this.state, { now: 0 });
    this.state = events.reduce(this.decider.evolve, this.state);
    expect(this.decider.decide(command, this.state, { now: 0 })).toEqual([]);
    this.events.push(...events);
    return events;
  }

  get hashes(): readonly Hex[] {
    return this.state.status === 'absent' ? [] : toList(this.state.links).map(([, hash]) => hash);
  }

  /** As the capture does: on top when it follows, else the branch from the block that both share. */
  follow(head: ObservedBlock, known: ReadonlyMap<Hex, ObservedBlock>): void {
    const branch: ObservedBlock[] = [];
    let at: ObservedBlock | undefined = head;
    while (at !== undefined && !this.hashes.includes(at.hash)) {
      branch.unshift(at);
      at = known.get(at.parentHash);
    }
    const ancestor = at === undefined ? undefined : { number: at.number, hash: at.hash };
    if (ancestor === undefined || ancestor.hash === this.hashes.at(-1)) {
      this.tell({ type: 'ObserveBlocks', blocks: branch });
      return;
    }
    if (branch.length > 0) this.tell({ type: 'ObserveBranch', ancestor, blocks: branch });
    this.tell({ type: 'AdoptBranch', ancestor, tip: { number: head.number, hash: head.hash } });
  }
}

const asObserved = (block: RpcBlock): ObservedBlock => observe('1', { block, receipts: undefined, bytes: 0 }, {});

describeWithFixtures('histories of reorganisations that others recorded (evm-reorg)', (fixtures) => {
  interface Case {
    readonly genesisRLP: Hex;
    readonly blocks: readonly { readonly rlp: Hex }[];
    readonly lastblockhash: Hex;
  }
  const dir = join(fixtures, 'evm-reorg');
  const files = ['ValidBlocks', 'InvalidBlocks'].flatMap((kind) => readdirSync(join(dir, kind, 'bcMultiChainTest')).map((name) => join(dir, kind, 'bcMultiChainTest', name)));
  const cases = files.flatMap((file) => Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Case & Record<string, unknown>>));

  it.each(cases.filter(([name]) => /Berlin|Istanbul|London/.test(name)))('%s ends on the block that must win', (_name, history) => {
    const genesis = blockOf(history.genesisRLP);
    const chain = new Told();
    chain.tell({ type: 'StartChain', chainId: '1', genesisHash: genesis.hash, firstBlock: 0 });
    chain.tell({ type: 'ObserveBlocks', blocks: [asObserved(genesis)] });
    const known = new Map<Hex, ObservedBlock>([[genesis.hash, asObserved(genesis)]]);
    const weight = new Map<Hex, bigint>([[genesis.hash, 0n]]);
    for (const entry of history.blocks) {
      if (Object.keys(entry).some((key) => key.startsWith('expectException'))) continue;
      const block = asObserved(blockOf(entry.rlp));
      known.set(block.hash, block);
      weight.set(block.hash, weight.get(block.parentHash)! + BigInt(block.header['difficulty'] as string));
      if (weight.get(block.hash)! > weight.get(chain.hashes.at(-1)!)!) chain.follow(block, known);
    }
    expect(chain.hashes.at(-1)).toBe(history.lastblockhash);
  });

  it('makes a reorganisation of depth 4 of the two futures of besu', () => {
    const read = (name: string): ObservedBlock[] => blocksOf(join(fixtures, 'evm-chains/besu-fork', `${name}.blocks`)).map(({ block }) => asObserved(block));
    const outdated = read('fork-outdated');
    const upgraded = read('fork-upgraded');
    const chain = new Told();
    chain.tell({ type: 'StartChain', chainId: '1', genesisHash: outdated[0]!.hash, firstBlock: 0 });
    chain.tell({ type: 'ObserveBlocks', blocks: read('common') });
    chain.tell({ type: 'ObserveBlocks', blocks: outdated });
    chain.follow(upgraded.at(-1)!, new Map([...outdated, ...upgraded].map((block) => [block.hash, block])));
    expect(chain.hashes).toEqual(upgraded.map(({ hash }) => hash));
    expect(chain.events.at(-1)).toMatchObject({ type: 'ChainReorganized', data: { ancestor: { number: 6 }, dropped: [{ number: 7 }, { number: 8 }, { number: 9 }, { number: 10 }] } });
  });
});

describe('random trees of blocks', () => {
  interface Step {
    readonly kind: 'grow' | 'fork' | 'rollback' | 'final' | 'safe' | 'noise';
    readonly by: number;
    readonly length: number;
  }
  const steps = fc.array(
    fc.record({ kind: fc.constantFrom<Step['kind']>('grow', 'grow', 'fork', 'fork', 'rollback', 'final', 'safe', 'noise'), by: fc.nat(12), length: fc.integer({ min: 1, max: 6 }) }),
    { maxLength: 40 },
  );

  it('are followed as a simple list would be', () => {
    let made = 0;
    const block = (number: number, parentHash: Hex): ObservedBlock => {
      made += 1;
      const hash: Hex = `0x${made.toString(16).padStart(64, '0')}`;
      const header: RpcHeader = { hash, parentHash, number: `0x${number.toString(16)}`, timestamp: '0x1' };
      return { chainId: '1', number, hash, parentHash, header, transactionCount: 0, kinds: { transfer: 0, call: 0, deploy: 0 }, verification: {}, receipts: false };
    };
    const grown = (from: ObservedBlock, length: number): ObservedBlock[] => {
      const blocks: ObservedBlock[] = [];
      for (let n = 1; n <= length; n += 1) blocks.push(block(from.number + n, (blocks.at(-1) ?? from).hash));
      return blocks;
    };
    fc.assert(
      fc.property(steps, (history) => {
        const chain = new Told();
        const genesis = block(0, `0x${'0'.repeat(64)}`);
        /** The model: our blocks by number, and how far they are final and safe. */
        let ours = [genesis];
        let final = -1;
        let safe = -1;
        chain.tell({ type: 'StartChain', chainId: '1', genesisHash: genesis.hash, firstBlock: 0 });
        chain.tell({ type: 'ObserveBlocks', blocks: [genesis] });
        for (const { kind, by, length } of history) {
          const head = ours.at(-1)!;
          const at = Math.max(0, head.number - by);
          const ancestor = { number: at, hash: ours[at]!.hash };
          if (kind === 'grow') {
            const blocks = grown(head, length);
            chain.tell({ type: 'ObserveBlocks', blocks: [...ours.slice(-3), ...blocks] });
            ours = [...ours, ...blocks];
          } else if (kind === 'fork' || kind === 'rollback') {
            const blocks = kind === 'fork' ? grown(ours[at]!, length) : [];
            const tip = blocks.at(-1) ?? ancestor;
            const adopt = (): void => {
              if (blocks.length > 0) chain.tell({ type: 'ObserveBranch', ancestor, blocks: blocks.slice(0, 2) });
              if (blocks.length > 0) chain.tell({ type: 'ObserveBranch', ancestor, blocks });
              expect(chain.hashes).toEqual(ours.map(({ hash }) => hash));
              chain.tell({ type: 'AdoptBranch', ancestor, tip: { number: tip.number, hash: tip.hash } });
            };
            if (at < final) {
              expect(codeOf(adopt)).toBe('reorg-below-finalized');
              continue;
            }
            adopt();
            ours = [...ours.slice(0, at + 1), ...blocks];
            safe = Math.min(safe, at);
          } else if (kind === 'final' || kind === 'safe') {
            const events = chain.tell({ type: kind === 'final' ? 'MarkFinalized' : 'MarkSafe', block: ancestor });
            const before = kind === 'final' ? final : safe;
            expect(events).toHaveLength(at > before ? 1 : 0);
            if (kind === 'final') final = Math.max(final, at);
            safe = Math.max(safe, at);
          } else {
            expect(codeOf(() => chain.tell({ type: 'ObserveBlocks', blocks: [block(head.number + 1, `0x${'f'.repeat(64)}`)] }))).toBe('parent-mismatch');
            expect(codeOf(() => chain.tell({ type: 'ObserveBlocks', blocks: [block(head.number + 2, head.hash)] }))).toBe('block-gap');
          }
          expect(chain.hashes).toEqual(ours.map(({ hash }) => hash));
          const { state } = chain;
          if (state.status === 'absent') throw new Error('started');
          expect([state.finalized?.number ?? -1, state.safe?.number ?? -1]).toEqual([final, safe]);
        }
        const replayed = chain.events.reduce(chain.decider.evolve, chain.decider.initialState());
        expect(replayed).toEqual(chain.state);
      }),
      { numRuns: 150 },
    );
  });

  function codeOf(action: () => void): string {
    try {
      action();
    } catch (error) {
      if (error instanceof ChainfoldError) return error.code;
      throw error;
    }
    return 'none';
  }
});
