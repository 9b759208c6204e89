import { systemClock } from '#platform/kernel';
import type { ChainCommand } from '../domain/chain.commands.ts';
import { chainDecider } from '../domain/chain.decider.ts';
import type { ObservedBlock } from '../domain/chain.events.ts';
import type { Hex, RpcHeader } from '../domain/rpc-types.ts';
import type { ReorganizerOptions } from './chain-reorganizer.ts';
import { ChainReorganizer } from './chain-reorganizer.ts';
import { viewOf } from './chain-view.ts';

const hash = (name: string): Hex => `0x${Buffer.from(name).toString('hex').padEnd(64, '0')}`;
function block(name: string, parent = `${name[0]}${Number(name.slice(1)) - 1}`): ObservedBlock {
  const number = Number(name.slice(1));
  const header: RpcHeader = { hash: hash(name), parentHash: hash(parent), number: `0x${number.toString(16)}`, timestamp: '0x1' };
  return { chainId: '1', number, hash: hash(name), parentHash: hash(parent), header, transactionCount: 0, kinds: { transfer: 0, call: 0, deploy: 0 }, verification: {}, receipts: true };
}

/** We hold a0 to a8. The node shows `headers` when it is asked for the fork point, and then serves `blocks`. */
async function followed(tip: ObservedBlock, headers: readonly ObservedBlock[], blocks: readonly ObservedBlock[]): Promise<readonly ChainCommand[]> {
  const decider = chainDecider();
  const told: ChainCommand[] = [];
  let state = decider.initialState();
  const tell = (command: ChainCommand): { events: unknown[] } => {
    const events = decider.decide(command, state, { now: 0 });
    state = events.reduce(decider.evolve, state);
    return { events: [...events] };
  };
  tell({ type: 'StartChain', chainId: '1', genesisHash: hash('a0'), firstBlock: 0 });
  tell({ type: 'ObserveBlocks', blocks: Array.from({ length: 9 }, (_, number) => block(`a${number}`)) });
  const node = { label: 'n', headers: async (numbers: readonly number[]) => numbers.map((number) => (headers.find((one) => one.number === number) ?? block(`a${number}`)).header) };
  const options = {
    chainId: '1', clock: systemClock, log: { info: () => undefined }, metrics: { reorganized: () => undefined },
    providers: { use: async (what: (one: unknown) => unknown) => what(node), others: () => [] },
    intake: { range: async function* (from: number, to: number) { yield blocks.filter(({ number }) => number >= from && number <= to); } },
    chains: { tell: async (_: string, command: ChainCommand) => { told.push(command); return tell(command); } },
  };
  await new ChainReorganizer(options as unknown as ReorganizerOptions).follow(tip, viewOf(state), new AbortController().signal);
  return told;
}

describe('a branch that is followed', () => {
  const shown = [block('b7', 'a6'), block('b8'), block('b9')];
  it('is adopted from where it leaves our chain', async () => {
    const commands = await followed(shown[2]!, shown, shown);
    expect(commands[0]).toMatchObject({ type: 'ObserveBranch', ancestor: { number: 6 } });
    expect(commands[1]).toMatchObject({ type: 'AdoptBranch', ancestor: { number: 6 }, tip: { hash: hash('b9') } });
  });
  it('and swings back to ours while it is fetched, changes nothing', async () => {
    expect(await followed(shown[2]!, shown, [block('a7'), block('a8'), block('a9')])).toEqual([]);
    expect(await followed(shown[2]!, shown, [block('a7'), block('a8')])).toEqual([]);
  });
  it('and swings to one that leaves later, is adopted from there', async () => {
    const commands = await followed(shown[2]!, shown, [block('a7'), block('c8', 'a7'), block('c9')]);
    expect(commands[1]).toMatchObject({ type: 'AdoptBranch', ancestor: { number: 7, hash: hash('a7') }, tip: { hash: hash('c9') } });
  });
});
