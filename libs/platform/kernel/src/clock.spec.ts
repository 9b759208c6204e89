import { systemClock } from './clock.ts';

describe('the clock of the system', () => {
  it('never falls, and sleeps about as long as asked', async () => {
    const start = systemClock.monotonic();
    await systemClock.sleep(20);
    const slept = systemClock.monotonic() - start;
    expect(slept).toBeGreaterThanOrEqual(19);
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });

  it('wakes a sleeper whose signal is aborted, with the reason, also when it was aborted before', async () => {
    const stop = new AbortController();
    const sleep = systemClock.sleep(60_000, stop.signal);
    stop.abort(new Error('enough'));
    await expect(sleep).rejects.toThrow('enough');
    await expect(systemClock.sleep(60_000, stop.signal)).rejects.toThrow('enough');
  });

  it('leaves no listener on a signal that outlives the sleep', async () => {
    const stop = new AbortController();
    const added = callsOf(stop.signal, 'addEventListener');
    const removed = callsOf(stop.signal, 'removeEventListener');
    await systemClock.sleep(1, stop.signal);
    expect([added.count, removed.count]).toEqual([1, 1]);
  });
});

function callsOf(signal: AbortSignal, method: 'addEventListener' | 'removeEventListener'): { count: number } {
  const calls = { count: 0 };
  const original = signal[method].bind(signal) as (...args: unknown[]) => void;
  signal[method] = (...args: unknown[]) => {
    calls.count++;
    original(...args);
  };
  return calls;
}
