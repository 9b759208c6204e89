import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery, EventFilter } from './event-store.port.ts';
import { LogPositions } from './log-positions.ts';
import { followLog, LogBell, type NumberedPage } from './log-subscription.ts';

/** A log of which `visible` events can be seen, whatever its bell says. */
class Seen {
  readonly positions = new LogPositions('xlog');
  readonly bell: LogBell;
  visible = 0;
  looks = 0;

  constructor(bell: LogBell) {
    this.bell = bell;
  }

  page(_after: number, _filter: EventFilter, _limit: number): NumberedPage {
    this.looks += 1;
    // The end of a spin that would never let the test's own timer run.
    if (this.looks > 10_000) throw new Error('the reader spins');
    return { events: [], next: this.visible, atHead: true };
  }
}

class LyingBell extends LogBell {
  override rungSince(): Promise<void> {
    return Promise.resolve();
  }
}

describe('a reader at the head of the log', () => {
  const over = new AbortController();
  const told: Delivery[] = [];
  const follow = async (log: Seen): Promise<void> => {
    for await (const delivery of followLog(log, 0, {}, over.signal)) told.push(delivery);
  };

  it('looks once for a ring, and sleeps again when what was rung for can not be seen', async () => {
    const log = new Seen(new LogBell());
    const following = follow(log);
    await sleep(5);
    log.bell.ring();
    await sleep(50);
    expect(log.looks).toBe(2);
    log.visible = 3;
    log.bell.ring();
    await sleep(5);
    expect(told.at(-1)).toEqual({ kind: 'caughtUp', position: log.positions.at(3) });
    log.bell.close();
    await following;
  });

  it('hears a ring that came while it was busy with what it had read', async () => {
    const log = new Seen(new LogBell());
    const deliveries = followLog(log, 0, {}, new AbortController().signal);
    await deliveries.next();
    log.visible = 2;
    log.bell.ring();
    expect((await deliveries.next()).value).toEqual({ kind: 'checkpoint', position: log.positions.at(2) });
    log.bell.close();
    await deliveries.return();
  });

  it('lets the rest of the process run even when the bell never rests', async () => {
    const stop = new AbortController();
    const log = new Seen(new LyingBell());
    const deliveries = (async () => {
      for await (const delivery of followLog(log, 0, {}, stop.signal)) told.push(delivery);
    })();
    await new Promise((turn) => setImmediate(turn));
    stop.abort();
    await deliveries;
    expect(log.looks).toBeLessThan(10);
  });
});
