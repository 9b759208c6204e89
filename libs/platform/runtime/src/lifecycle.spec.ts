import { ManualClock } from '#platform/testing';
import { Lifecycle, type Part, type Phase } from './lifecycle.ts';

const never = (): Promise<void> => new Promise(() => undefined);

describe('the lifecycle of a program', () => {
  let clock: ManualClock;
  let steps: string[];
  let life: Lifecycle;

  beforeEach(() => {
    clock = new ManualClock();
    steps = [];
    life = new Lifecycle(clock, { drainWithinMs: 10_000 });
  });

  function part(name: string, phase: Phase, more: Partial<Part> = {}): Part {
    return { name, phase, start: () => void steps.push(`+${name}`), stop: () => void steps.push(`-${name}`), ...more };
  }

  it('starts by phase whatever the order of adding, and stops in reverse', async () => {
    life.add(part('capture', 'processes'));
    life.add(part('log', 'files'));
    life.add(part('server', 'http'));
    life.add(part('read store', 'files'));
    life.add(part('mailboxes', 'actors'));
    await life.start();
    expect(life.state).toBe('running');
    await life.drain();
    expect(steps.join(' ')).toBe('+log +read store +mailboxes +server +capture -capture -server -mailboxes -read store -log');
    expect(life.state).toBe('closed');
  });

  it('says at once that it drains, before the first part has stopped', async () => {
    let stop = (): void => undefined;
    life.add(part('capture', 'processes', { stop: () => new Promise((done) => (stop = done)) }));
    await life.start();
    const drained = life.drain();
    expect(life.state).toBe('draining');
    expect(life.draining.aborted).toBe(true);
    await clock.advance(0);
    stop();
    await drained;
    expect(life.state).toBe('closed');
  });

  it('names a part that hangs, tells it so, and still closes the others', async () => {
    let told: AbortSignal | undefined;
    life.add(part('log', 'files'));
    const hang = (signal: AbortSignal): Promise<void> => ((told = signal), never());
    life.add(part('capture', 'processes', { stop: hang, stopWithinMs: 2_000 }));
    await life.start();
    const drained = life.drain();
    await clock.advance(1_999);
    expect(steps).not.toContain('-log');
    await clock.advance(1);
    expect(await drained).toMatchObject({ hung: ['capture'], failed: [], tookMs: 2_000 });
    expect(told?.aborted).toBe(true);
    expect(steps).toContain('-log');
  });

  it('leaves the last part half a second even when the ones before took all the time', async () => {
    life.add(part('log', 'files', { stop: () => clock.sleep(400).then(() => void steps.push('-log')) }));
    for (const name of ['a', 'b', 'c']) life.add(part(name, 'processes', { stop: never, stopWithinMs: 8_000 }));
    await life.start();
    const drained = life.drain();
    await clock.advance(20_000);
    expect((await drained).hung).toEqual(['c', 'b', 'a']);
    expect(steps).toContain('-log');
  });

  it('goes on past a part that fails to stop and reports why', async () => {
    life.add(part('log', 'files'));
    life.add(part('capture', 'processes', { stop: () => Promise.reject(new Error('socket is gone')) }));
    await life.start();
    const report = await life.drain();
    expect(report.failed).toEqual([{ part: 'capture', error: new Error('socket is gone') }]);
    expect(steps).toContain('-log');
  });

  it('stops what was started, and the part that failed to start, when a start fails', async () => {
    life.add(part('log', 'files'));
    life.add(part('server', 'http', { start: () => Promise.reject(new Error('port in use')) }));
    life.add(part('capture', 'processes'));
    await expect(life.start()).rejects.toThrow('port in use');
    await life.drain();
    expect(steps.join(' ')).toBe('+log -server -log');
  });

  it('asked to end while it starts, lets the present part come to its end and starts no other', async () => {
    const waits = (signal: AbortSignal): Promise<void> => clock.sleep(60_000, signal).catch(() => void steps.push('gave up'));
    life.add(part('node', 'node', { start: waits }));
    life.add(part('capture', 'processes'));
    const started = life.start();
    await clock.advance(100);
    await life.drain();
    await started;
    expect(steps.join(' ')).toBe('gave up -node');
  });

  it('drains once, however often it is asked', async () => {
    life.add(part('log', 'files'));
    await life.start();
    const [first, second] = await Promise.all([life.drain(), life.drain()]);
    expect(first).toBe(second);
    expect(steps.filter((step) => step === '-log')).toHaveLength(1);
  });

  it('closes a part that needs no start even when nothing was started', async () => {
    life.add({ name: 'log', phase: 'files', stop: () => void steps.push('-log') });
    await life.drain();
    expect(steps).toEqual(['-log']);
  });

  it('refuses a part that comes too late', async () => {
    await life.start();
    expect(() => life.add(part('late', 'files'))).toThrow('after the program had started');
  });
});
