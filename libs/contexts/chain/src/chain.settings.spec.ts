import { chainFolder } from './chain.settings.ts';
import { viewOf } from './application/chain-view.ts';
import { chainDecider } from './domain/chain.decider.ts';
import type { Chain } from './domain/chain-state.ts';
import type { Hex, RpcHeader } from './domain/rpc-types.ts';

const chain = (depth: number) => chainFolder.schema.safeParse({ rpcUrls: ['http://127.0.0.1:8545'], finality: { depth } });
const hash = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`;

describe('finality by a depth', () => {
  it('lies no deeper than blocks are remembered where nothing is final yet', () => {
    expect(chain(4_096).success).toBe(true);
    expect(chain(4_097).success).toBe(false);
    const decider = chainDecider();
    let state: Chain = decider.evolve(decider.initialState(), { type: 'ChainStarted', data: { chainId: '1', genesisHash: hash(0), firstBlock: 0 } });
    let unknown = 0;
    for (let number = 0; number < 20_000; number += 1) {
      const header: RpcHeader = { hash: hash(number), parentHash: hash(Math.max(0, number - 1)), number: `0x${number.toString(16)}`, timestamp: '0x1' };
      const data = { chainId: '1', number, hash: hash(number), parentHash: header.parentHash, header, transactionCount: 0, kinds: { transfer: 0, call: 0, deploy: 0 }, verification: {}, receipts: true };
      state = decider.evolve(state, { type: 'BlockObserved', data });
      if (number >= 4_096 && number % 97 === 0 && viewOf(state).hashAt(number - 4_096) === undefined) unknown += 1;
    }
    expect(unknown).toBe(0);
  });
});
