import { ManualClock } from '#platform/testing';
import { HealthParts } from './health-parts.ts';
import { Lifecycle } from './lifecycle.ts';

describe('the health of a program', () => {
  let clock: ManualClock;
  let lifecycle: Lifecycle;
  let parts: HealthParts;

  beforeEach(() => {
    clock = new ManualClock();
    lifecycle = new Lifecycle(clock);
    parts = new HealthParts(clock, lifecycle);
  });

  it('is down with a reason while opening, up when running, down again while draining', async () => {
    expect(await parts.check('process')).toEqual({ status: 'down', reason: 'Opening' });
    await lifecycle.start();
    expect(await parts.check('process')).toEqual({ status: 'up' });
    await lifecycle.drain();
    expect(await parts.check('process')).toMatchObject({ status: 'down', reason: expect.stringContaining('Draining') });
  });

  it('calls a part down that throws, with what it said', async () => {
    parts.add('chain 1', () => Promise.reject(new Error('The node can not be reached')));
    expect(await parts.check('chain 1')).toEqual({ status: 'down', reason: 'The node can not be reached' });
  });

  it('calls a part down that does not answer in two seconds', async () => {
    parts.add('disk', () => new Promise(() => undefined));
    const health = parts.check('disk');
    await clock.advance(2_000);
    expect(await health).toEqual({ status: 'down', reason: 'Did not answer within 2000 ms' });
  });

  it('leaves no timer behind when a part answers', async () => {
    parts.add('disk', () => ({ status: 'degraded', reason: 'Less than 1 GB left' }));
    expect(await parts.check('disk')).toEqual({ status: 'degraded', reason: 'Less than 1 GB left' });
    expect(clock.sleeping).toBe(0);
  });
});
