import type { HeldLease } from './held-lease.ts';
import type { Metering, Need } from './metering.ts';
import type { TurnQueue } from './turn-queue.ts';

/** How many more leases it takes to serve soon who waits. */
export function moreWanted(queue: TurnQueue<Need>, open: readonly HeldLease[], metering: Metering, now: number, someWaitLong: boolean): number {
  if (queue.size === 0) return 0;
  const useful = open.filter(({ headOnly, state, key }) => state === 'open' && (!headOnly || queue.sizes.backfill === 0) && key.closed(now) === undefined);
  const least = useful.length === 0 || someWaitLong ? 1 : 0;
  const waiting = metering.rolling.map(() => 0);
  for (const { need } of queue.all()) for (const [at, units] of need.rolling.entries()) waiting[at] = (waiting[at] as number) + units;
  let wanted = 0;
  for (const [at, { windowMs, units }] of metering.rolling.entries()) {
    const each = useful.length === 0 ? units : useful.reduce((sum, { windows }) => sum + (windows[at]?.units ?? 0), 0) / useful.length;
    if (each > 0) wanted = Math.max(wanted, ((waiting[at] as number) * windowMs) / (each * SERVED_IN_MS));
  }
  return Math.min(MOST_AT_ONCE, Math.max(least, Math.ceil(wanted) - useful.length));
}

const SERVED_IN_MS = 500;
const MOST_AT_ONCE = 32;
