import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Position, RecordedEvent } from '#platform/kernel';
import type { Delivery, EventFilter } from './event-store.port.ts';
import type { LogPositions } from './log-positions.ts';

/** Events that are taken from the log at once; what lies between the log and a slow reader. */
const PAGE_EVENTS = 512;

export interface NumberedPage {
  readonly events: readonly RecordedEvent[];
  readonly next: number;
  readonly atHead: boolean;
}

export interface FollowedLog {
  readonly positions: LogPositions;
  readonly bell: LogBell;
  page(after: number, filter: EventFilter, limit: number): NumberedPage;
}

/** The one way to follow a log, whatever it is kept in: event* checkpoint? caughtUp?, again and again. */
export async function* followLog(log: FollowedLog, after: number, filter: EventFilter, signal: AbortSignal): AsyncGenerator<Delivery, void, void> {
  const over = (): boolean => signal.aborted || log.bell.closed;
  let seen = after;
  let toldCaughtUp = false;
  let looked = false;
  while (!over()) {
    // Before the look, so a ring amid it is heard after it.
    const rings = log.bell.rings;
    const page = log.page(seen, filter, PAGE_EVENTS);
    let delivered: Position | undefined;
    for (const [at, event] of page.events.entries()) {
      delivered = event.position;
      const next = page.events[at + 1];
      yield next?.revision === event.revision && next.stream === event.stream ? { kind: 'event', event, more: true } : { kind: 'event', event };
      if (over()) return;
    }
    const position = log.positions.at(page.next);
    // Whatever the bell says, or a page that does not get on: a reader that never waits must not starve the rest of the process.
    if (looked && page.next === seen) await nextTurn();
    looked = true;
    if (page.next > seen) {
      toldCaughtUp = false;
      if (delivered !== position) yield { kind: 'checkpoint', position };
    }
    seen = page.next;
    if (!page.atHead) {
      await nextTurn();
      continue;
    }
    if (!toldCaughtUp && !over()) {
      toldCaughtUp = true;
      yield { kind: 'caughtUp', position };
    }
    if (!over()) await log.bell.rungSince(rings, signal);
  }
}

/** Wakes those who wait at the head. Once closed, it wakes everybody and holds nothing. */
export class LogBell {
  readonly #waiting = new Set<() => void>();
  readonly #pollMs: number | undefined;
  #rings = 0;
  #closed = false;

  /** `pollMs`: wake without being rung, for writers whose bell is not heard here. Left out: never. */
  constructor(pollMs?: number) {
    this.#pollMs = pollMs;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How often it was rung until now. */
  get rings(): number {
    return this.#rings;
  }

  /** Look again. It says no position: what is there is only what a look at the log shows. */
  ring(): void {
    this.#rings += 1;
    for (const wake of [...this.#waiting]) wake();
  }

  close(): void {
    this.#closed = true;
    this.ring();
  }

  /** At once when the bell was rung while nobody waited: `rings` is the count before the last look. */
  rungSince(rings: number, signal: AbortSignal): Promise<void> {
    if (this.#rings > rings || this.#closed || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = this.#pollMs === undefined ? undefined : setTimeout(wake, this.#pollMs);
      signal.addEventListener('abort', wake, { once: true });
      this.#waiting.add(wake);
    });
  }
}
