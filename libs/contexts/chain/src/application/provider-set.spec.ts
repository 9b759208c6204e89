import { ManualClock } from '#platform/testing';
import { ChainNode } from '../ports/chain-node.port.ts';
import { NodeUnreachable } from '../ports/chain-node.errors.ts';
import { unmeasured } from './capture-log.ts';
import { NodeLagging } from './capture.errors.ts';
import { ProviderSet } from './provider-set.ts';

class Plan extends ChainNode {
  readonly label: string;
  override readonly pushes = true;
  fails = false;
  proofs = 0;

  constructor(label: string) {
    super();
    this.label = label;
  }

  override async chainId(): Promise<bigint> {
    this.proofs += 1;
    return this.work(1n);
  }
  async work<T>(result: T): Promise<T> {
    if (this.fails) throw new NodeUnreachable(this.label, 'test');
    return result;
  }
  override headNumber = (): Promise<number> => this.work(1);
  override header = (): Promise<null> => this.work(null);
  override headers = (): Promise<readonly null[]> => this.work([]);
  override blockByHash = (): Promise<null> => this.work(null);
  override blocks = (): Promise<readonly null[]> => this.work([]);
  override async *heads(): AsyncIterable<never> {}
  override close = async (): Promise<void> => undefined;
}

describe('plans by what they cost at present', () => {
  let clock: ManualClock;
  let plans: readonly [Plan, Plan, Plan];
  let costs: Map<ChainNode, number>;
  let changes: string[];
  let set: ProviderSet;

  beforeEach(() => {
    clock = new ManualClock();
    plans = [new Plan('first'), new Plan('second'), new Plan('third')];
    costs = new Map(plans.map((plan, at) => [plan, at]));
    changes = [];
    const log = { info: (fields: object, message: string) => void (message === 'provider changed' && changes.push((fields as { to: string }).to)), warn: () => undefined, error: () => undefined };
    set = new ProviderSet({ nodes: plans, chainId: '1', clock, log, metrics: unmeasured, preference: (node) => costs.get(node) as number });
  });

  const used = (): Promise<string> =>
    set.use(async (node) => {
      await (node as Plan).work(1);
      return node.label;
    });
  /** Every one of them was proved. */
  const settled = async (): Promise<void> => {
    await used();
    await clock.advance(0);
  };

  it('the cheapest that is feasible is taken at once, and again when it is feasible again', async () => {
    await settled();
    const [first, second] = plans;
    costs.set(first, Infinity);
    expect(await used()).toBe('second');
    costs.set(second, Infinity);
    expect(await used()).toBe('third');
    costs.set(first, 5);
    expect(await used()).toBe('third');
    costs.set(first, 0);
    expect(await used()).toBe('first');
    expect(changes).toEqual(['second', 'third', 'first']);
  });

  it('the one in use stays among equals, whatever their order', async () => {
    await settled();
    const [first, second, third] = plans;
    costs.set(second, -1);
    expect(await used()).toBe('second');
    for (const plan of [first, second, third]) costs.set(plan, 7);
    for (let time = 0; time < 5; time += 1) expect(await used()).toBe('second');
    expect(changes).toEqual(['second']);
  });

  it('one in trouble is left for its pause only', async () => {
    await settled();
    const [first] = plans;
    first.fails = true;
    expect(await used()).toBe('second');
    first.fails = false;
    expect(await used()).toBe('second');
    await clock.advance(10_000);
    await settled();
    expect(await used()).toBe('first');
  });

  it('one that is only late is what is told of, whichever was asked last: it is worth waiting for', async () => {
    await settled();
    const [late] = plans;
    const asked = set.use(async (node) => {
      throw node === late ? new NodeLagging(node.label, 7) : new NodeUnreachable(node.label, 'test');
    });
    await expect(asked).rejects.toMatchObject({ code: 'node-lagging', facts: { node: 'first' } });
  });

  it('one that can not serve now is not even proved, and does not announce', async () => {
    costs.set(plans[0], Infinity);
    await settled();
    expect([await used(), plans[0].proofs, set.announcer()?.label]).toEqual(['second', 0, 'second']);
  });

  it('where none can serve says so, and when to look again', async () => {
    for (const plan of plans) costs.set(plan, Infinity);
    await expect(used()).rejects.toMatchObject({ code: 'no-provider', facts: { waitMs: 1_000 } });
  });
});
