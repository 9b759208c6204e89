import type { Permit, SpendingAsk } from '../contracts/index.ts';
import { TurnQueue } from './turn-queue.ts';

const ask = (chainId: string, lane: SpendingAsk['lane'] = 'backfill'): SpendingAsk => ({ provider: 'p', cost: {}, calls: {}, chainId, lane });
const permit: Permit = { id: 1, key: 'k', validUntil: 0 };

function queueOf(...names: readonly (readonly [name: string, chainId: string, lane?: SpendingAsk['lane'], deadline?: number])[]) {
  const queue = new TurnQueue<string>();
  const ended: string[] = [];
  const wait = (name: string, chainId: string, lane?: SpendingAsk['lane'], deadline = Infinity, signal?: AbortSignal): void => {
    queue.wait({ ask: ask(chainId, lane), need: name, since: 0, deadline }, signal).then(
      () => ended.push(name),
      (error: Error) => ended.push(`${name}: ${error.message}`),
    );
  };
  for (const [name, chainId, lane, deadline] of names) wait(name, chainId, lane, deadline);
  const serve = async (turns: number): Promise<readonly string[]> => {
    const before = ended.length;
    let left = turns;
    queue.pass(() => (left-- > 0 ? permit : 'nobody'));
    await Promise.resolve();
    return ended.slice(before);
  };
  return { queue, ended, wait, serve };
}

describe('the queue for turns', () => {
  it('lets the head go before backfill, chains in turn, and then who came first', async () => {
    const { serve } = queueOf(['a1', 'a'], ['a2', 'a'], ['a3', 'a'], ['b1', 'b'], ['head', 'c', 'head']);
    expect(await serve(5)).toEqual(['head', 'a1', 'b1', 'a2', 'a3']);
  });

  it('remembers which chain had its turn', async () => {
    const { serve } = queueOf(['a1', 'a'], ['a2', 'a'], ['b1', 'b'], ['b2', 'b']);
    expect([await serve(1), await serve(1), await serve(1), await serve(1)]).toEqual([['a1'], ['b1'], ['a2'], ['b2']]);
  });

  it('lets backfill move though the head never rests', async () => {
    const { serve, wait } = queueOf(['old', 'a']);
    const served: string[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      wait(`head ${turn}`, 'a', 'head');
      served.push(...(await serve(1)));
    }
    expect(served.indexOf('old')).toBe(9);
  });

  it('lets those behind go where one must wait', async () => {
    const { queue, ended } = queueOf(['big', 'a'], ['small', 'a']);
    queue.pass(({ need }) => (need === 'big' ? 'waits' : permit));
    await Promise.resolve();
    expect([ended, queue.size]).toEqual([['small'], 1]);
  });

  it('refuses who waited too long, and nobody else', async () => {
    const { queue, ended } = queueOf(['hasty', 'a', 'backfill', 100], ['patient', 'a', 'backfill', 200], ['endless', 'b']);
    expect(queue.soonestDeadline).toBe(100);
    queue.expire(99, () => new Error('too late'));
    queue.expire(100, () => new Error('too late'));
    await Promise.resolve();
    expect([ended, queue.soonestDeadline, queue.sizes]).toEqual([['hasty: too late'], 200, { head: 0, backfill: 2 }]);
  });

  it('forgets who gave up, before and while it waits', async () => {
    const { queue, ended, wait } = queueOf();
    const stop = new AbortController();
    wait('waiting', 'a', 'head', Infinity, stop.signal);
    stop.abort(new Error('enough'));
    wait('late', 'a', 'head', Infinity, stop.signal);
    await Promise.resolve();
    expect([ended, queue.size]).toEqual([['waiting: enough', 'late: enough'], 0]);
  });
});
