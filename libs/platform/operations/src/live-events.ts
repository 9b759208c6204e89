import type { ServerResponse } from 'node:http';
import { setInterval } from 'node:timers';
import type { Delivery, EventFilter, EventReader } from '#platform/event-store';
import type { Position } from '#platform/kernel';

export interface LiveBudget {
  /** A comment after so long a silence, so that proxies and clients know the line is alive. */
  readonly heartbeatMs: number;
  /** A client that takes nothing for so long is cut; it comes back with the last id it saw and loses nothing. */
  readonly slowClientMs: number;
}

export const LIVE_BUDGET: LiveBudget = { heartbeatMs: 15_000, slowClientMs: 10_000 };

export interface LiveRequest {
  readonly after: Position;
  readonly filter: EventFilter;
  /** Aborted when the client left or the program ends. */
  readonly signal: AbortSignal;
}

/**
 * Events as server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html. `id:` is the position,
 * also where nothing matched, so a client on a sparse filter resumes near the head. Never more than one event waits
 * in memory for a client: the log is pulled only as fast as the client takes.
 */
export async function pumpLiveEvents(reader: EventReader, request: LiveRequest, response: ServerResponse, budget = LIVE_BUDGET): Promise<void> {
  const end = new AbortController();
  const signal = AbortSignal.any([request.signal, end.signal]);
  response.on('close', () => end.abort(new Error('the client left')));
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(':\n\n');
  }, budget.heartbeatMs);
  try {
    await written(response, 'retry: 1000\n\n', signal, budget);
    for await (const delivery of reader.subscribe(request.after, request.filter, signal)) {
      if (signal.aborted) break;
      switch (delivery.kind) {
        case 'event':
          await written(response, eventText(delivery), signal, budget);
          break;
        case 'checkpoint':
          await written(response, `id: ${delivery.position}\n\n`, signal, budget);
          break;
        case 'caughtUp':
          await written(response, `event: caught-up\nid: ${delivery.position}\ndata: ${JSON.stringify({ position: delivery.position })}\n\n`, signal, budget);
          break;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(heartbeat);
    // A slow client would never take the last bytes either.
    if (response.writableNeedDrain) response.destroy();
    else response.end();
  }
}

/** JSON has no line breaks of its own, so one `data:` line holds it. A client that comes back after half of a split event gets all of it again. */
function eventText({ event, more }: Extract<Delivery, { kind: 'event' }>): string {
  return `${more === true ? '' : `id: ${event.position}\n`}data: ${JSON.stringify(event)}\n\n`;
}

async function written(response: ServerResponse, text: string, signal: AbortSignal, budget: LiveBudget): Promise<void> {
  if (response.destroyed) throw new Error('the client left');
  if (response.write(text)) return;
  await drained(response, signal, budget.slowClientMs);
}

function drained(response: ServerResponse, signal: AbortSignal, withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error): void => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      signal.removeEventListener('abort', onAbort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onDrain = (): void => done();
    const onAbort = (): void => done(new Error('ended'));
    const timer = setTimeout(() => {
      response.destroy();
      done(new SlowClient());
    }, withinMs);
    response.on('drain', onDrain);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** Not an error of anybody's request: the connection is gone, the client resumes. */
export class SlowClient extends Error {}
