import { ManualClock } from './manual-clock.ts';

describe('the manual clock', () => {
  it('wakes sleepers in the order of their times, and shows each its own time', async () => {
    const clock = new ManualClock(1_000);
    const woken: [string, number][] = [];
    const sleeper = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      woken.push([name, clock.now()]);
    };
    void sleeper('late', 20);
    void sleeper('early', 10);
    void sleeper('too late', 31).catch(() => undefined);
    await clock.advance(30);
    expect(woken).toEqual([['early', 1_010], ['late', 1_020]]);
    expect([clock.now(), clock.monotonic(), clock.sleeping]).toEqual([1_030, 30, 1]);
  });

  it('also wakes who goes to sleep again on the way', async () => {
    const clock = new ManualClock();
    let ticks = 0;
    void (async () => {
      for (;;) {
        await clock.sleep(10);
        ticks++;
      }
    })();
    await clock.advance(35);
    expect(ticks).toBe(3);
  });

  it('rejects a sleeper whose signal is aborted, with the reason', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const sleep = clock.sleep(10, stop.signal);
    stop.abort(new Error('enough'));
    await expect(sleep).rejects.toThrow('enough');
    await expect(clock.sleep(10, stop.signal)).rejects.toThrow('enough');
    expect(clock.sleeping).toBe(0);
  });
});
