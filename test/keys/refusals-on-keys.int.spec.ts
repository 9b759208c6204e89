import type { ChainNode } from '../../libs/contexts/chain/src/ports/chain-node.port.ts';
import type { EmulatedFault } from '../../libs/contexts/key-pool/src/adapters/emulated-providers/emulated-faults.ts';
import { generateChain } from '../load/generated-chain.ts';
import { ReplayNode } from '../load/replay-node.ts';
import { MeteredWorld } from './metered-world.ts';

const BLOCKS = 40;

describe('what a provider refuses on a key', () => {
  let upstream: ReplayNode;
  let world: MeteredWorld;

  beforeAll(async () => {
    upstream = await ReplayNode.start(await generateChain({ seed: 3, blocks: BLOCKS, transactionsPerBlock: 3 }));
  });
  afterAll(() => upstream.close());
  afterEach(() => world.close());

  const start = async (keys: Readonly<Record<string, number>> = { infura: 4, alchemy: 2 }): Promise<void> => {
    world = await MeteredWorld.start({ upstream: { http: upstream.url, ws: upstream.wsUrl }, keys });
  };
  const all = async (node: ChainNode, from = 1, to = 8): Promise<number> => {
    const numbers = Array.from({ length: to - from + 1 }, (_, at) => from + at);
    const blocks = await node.blocks(numbers);
    blocks.forEach((block, at) => expect([Number(block?.block.number), block?.receipts?.length]).toEqual([numbers[at], 3]));
    return blocks.length;
  };
  const stateOf = async (alias: string) => {
    const { state } = await world.actors.peek(alias);
    return state.status === 'registered' ? state : undefined;
  };
  const account = (alias: string) => world.emulated.referee.report().accounts.find((one) => one.alias === alias);

  /** Whatever happened: what was acknowledged is at most what the provider counted, and that at most what was booked. */
  const expectAccountsToHold = async (equal: boolean): Promise<void> => {
    await world.closeNodes();
    await world.purse.close();
    for (const { alias, units } of world.emulated.referee.report().accounts) {
      const { acknowledged = 0, booked = 0 } = (await stateOf(alias))?.totals ?? {};
      const counted = units['units'] ?? 0;
      expect({ alias, acknowledged, counted, booked, inOrder: acknowledged <= counted && counted <= booked }).toEqual({ alias, acknowledged, counted, booked, inOrder: true });
      if (equal) expect({ alias, acknowledged, booked }).toEqual({ alias, acknowledged: counted, booked: counted });
    }
    expect(world.emulated.referee.report().overruns).toBe(0);
    const text = JSON.stringify(world.lines) + JSON.stringify(await world.log.readAll('start' as never, {}, 10_000));
    for (const secret of world.secrets) expect(text).not.toContain(secret);
  };

  it('is nothing, where all goes well: two calls a block, and what was acknowledged is what was counted and booked', async () => {
    await start();
    expect(await all(world.node('infura', 'alchemy'))).toBe(8);
    const calls = world.emulated.referee.report().accounts.reduce<Record<string, number>>((sum, one) => {
      for (const [method, count] of Object.entries(one.calls)) sum[method] = (sum[method] ?? 0) + count;
      return sum;
    }, {});
    expect(calls).toEqual({ eth_getBlockByNumber: 8, eth_getBlockReceipts: 8 });
    await expectAccountsToHold(true);
  });

  const once = (does: EmulatedFault['does'], more: Partial<EmulatedFault> = {}): EmulatedFault => ({ provider: 'infura', times: 1, does, ...more });

  it.each<[string, EmulatedFault, 'throttled' | 'exhausted', number]>([
    ['429 with Retry-After', once({ kind: 'throttle', tells: 'retry-after', seconds: 7 }), 'throttled', 6_000],
    ['429 with backoff_seconds', once({ kind: 'throttle', tells: 'backoff-seconds', seconds: 30 }), 'throttled', 29_000],
    ['429 with rate.backoff_seconds', once({ kind: 'throttle', tells: 'nested-backoff-seconds', seconds: 30 }), 'throttled', 29_000],
    ['429 with neither', once({ kind: 'throttle', tells: 'nothing' }), 'throttled', 500],
    ['-32005 of a rate', once({ kind: 'limit-exceeded', meaning: 'rate' }), 'throttled', 500],
    ['-32005 of a day', once({ kind: 'limit-exceeded', meaning: 'daily' }), 'exhausted', 0],
    ['402', once({ kind: 'exhausted' }), 'exhausted', 0],
    ['the month gone', once({ kind: 'exhausted' }, { provider: 'alchemy' }), 'exhausted', 0],
  ])('by %s closes that key until then, and the block comes on another one', async (_, fault, state, leastMs) => {
    await start();
    const node = world.node('infura', 'alchemy');
    world.emulated.faults.add(fault);
    expect(await all(node)).toBe(8);
    await eventually(async () => {
      const closed = (await closings()).find((one) => one.state === state);
      expect(closed).toBeDefined();
      const left = (closed?.until ?? 0) - Date.now();
      expect(left).toBeGreaterThan(leastMs - 1_500);
      if (state === 'exhausted') {
        // The provider's clock is up to 2 s off, and we wait 5 s more than it needs.
        const reset = new Date((closed?.until ?? 0) - 2_500);
        expect([reset.getUTCHours(), reset.getUTCMinutes()]).toEqual([0, 0]);
        if (fault.provider === 'alchemy') expect(reset.getUTCDate()).toBe(1);
      }
    });
    await expectAccountsToHold(false);
  });

  it('is remembered by the next process', async () => {
    await start();
    world.emulated.faults.add(once({ kind: 'throttle', tells: 'backoff-seconds', seconds: 600 }));
    await all(world.node('infura', 'alchemy'));
    await eventually(async () => expect(await closings()).toHaveLength(1));
    const [{ alias } = { alias: '' }] = await closings();
    await world.closeNodes();
    await world.live();
    const before = account(alias)?.requests;
    expect(await all(world.node('infura', 'alchemy'), 9, 30)).toBe(22);
    expect(account(alias)?.requests).toBe(before);
    await expectAccountsToHold(false);
  });

  it('for good, told twice, revokes a key with an alarm; told once it does not', async () => {
    await start({ infura: 1, alchemy: 5 });
    const node = world.node('infura', 'alchemy');
    await all(node, 1, 1);
    world.emulated.faults.add({ provider: 'infura', account: 'infura-1', times: 1, does: { kind: 'unauthorized' } });
    await eventually(async () => expect(await all(node, 1, 1)).toBe(1));
    expect(await closings()).toEqual([]);
    world.emulated.faults.add({ provider: 'infura', account: 'infura-1', does: { kind: 'unauthorized' } });
    await eventually(async () => {
      await all(node, 1, 1).catch(() => undefined);
      expect(await closings()).toEqual([expect.objectContaining({ alias: 'infura-1', state: 'revoked', until: null })]);
    });
    expect(world.lines.filter(({ level, message }) => level === 'error' && message === 'key revoked')).toHaveLength(1);
    await expectAccountsToHold(false);
  });

  it('item by item in a batch is asked again, only those items', async () => {
    await start({ alchemy: 3 });
    world.emulated.faults.add({ provider: 'alchemy', times: 1, does: { kind: 'throttle', tells: 'each' } });
    expect(await all(world.node('alchemy', 'alchemy'))).toBe(8);
    await expectAccountsToHold(false);
  });

  it('without a word (1 answer in 10 lost) loses no block', async () => {
    await start();
    world.emulated.faults.add({ chance: 0.05, does: { kind: 'lost', where: 'way-back' } });
    world.emulated.faults.add({ chance: 0.05, does: { kind: 'lost', where: 'way-in' } });
    const node = world.node('infura', 'alchemy', { requestTimeoutMs: 1_000 });
    // What came before the trouble is handed over; whoever wants the rest asks on.
    for (let next = 1; next <= 30; ) {
      const asked = await node.blocks(Array.from({ length: 31 - next }, (_, at) => next + at)).catch(() => [null]);
      const came = asked.slice(0, asked.includes(null) ? asked.indexOf(null) : asked.length);
      came.forEach((block, at) => expect([Number(block?.block.number), block?.receipts?.length]).toEqual([next + at, 3]));
      next += came.length;
    }
    await expectAccountsToHold(false);
  }, 60_000);

  it('by a clock that is wrong does not change when a quota is back by our own', async () => {
    await start();
    world.emulated.faults.add({ provider: 'infura', does: { kind: 'wrong-date', ms: -3_600_000 } });
    world.emulated.faults.add(once({ kind: 'exhausted' }));
    expect(await all(world.node('infura', 'alchemy'))).toBe(8);
    await eventually(async () => expect(await closings()).toHaveLength(1));
    const [closed] = await closings();
    // By a clock that is an hour late it is midnight an hour later.
    const reset = new Date((closed?.until ?? 0) - 5_000);
    expect([0, 1]).toContain(reset.getUTCHours());
    await expectAccountsToHold(false);
  });

  it('nothing: announced heads are paid for one by one', async () => {
    const growing = await ReplayNode.start(await generateChain({ seed: 3, blocks: BLOCKS, transactionsPerBlock: 3 }));
    growing.chain.head = 5;
    world = await MeteredWorld.start({ upstream: { http: growing.url, ws: growing.wsUrl }, keys: { infura: 3, alchemy: 1 } });
    const node = world.node('infura', 'alchemy', { heads: 'infura' });
    const stop = new AbortController();
    const heard: number[] = [];
    const listen = async (): Promise<void> => {
      for await (const { number } of node.heads(stop.signal)) heard.push(number);
    };
    const first = listen().catch(() => undefined);
    await eventually(async () => expect(world.emulated.referee.report().accounts.some(({ connections }) => connections > 0)).toBe(true));
    await eventually(async () => {
      growing.advanceTo(growing.chain.head + 1);
      expect(heard.length).toBeGreaterThan(2);
    });
    stop.abort(new Error('done'));
    await first;
    const pushed = world.emulated.referee.report().accounts.reduce((sum, { pushes }) => sum + pushes, 0);
    expect(pushed).toBeGreaterThanOrEqual(heard.length);
    await expectAccountsToHold(false);
    await growing.close();
  });

  async function closings(): Promise<readonly { readonly alias: string; readonly state: string; readonly until: number | null }[]> {
    const aliases = world.emulated.referee.report().accounts.map(({ alias }) => alias);
    const states = await Promise.all(aliases.map(async (alias) => ({ alias, closed: (await stateOf(alias))?.closed })));
    return states.flatMap(({ alias, closed }) => (closed === undefined || (closed.until ?? Infinity) < Date.now() ? [] : [{ alias, state: closed.state, until: closed.until }]));
  }
});

async function eventually(probe: () => Promise<void>): Promise<void> {
  const until = performance.now() + 20_000;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resume) => setTimeout(resume, 100));
    }
  }
}
