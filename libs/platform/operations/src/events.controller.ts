import { Controller, Get, Inject, Optional, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EventReader } from '#platform/event-store';
import { Answers, FromQuery } from '#platform/http';
import { ChainfoldError, START } from '#platform/kernel';
import { Lifecycle } from '#platform/runtime';
import { LIVE_BUDGET, pumpLiveEvents, type LiveBudget } from './live-events.ts';
import * as dto from './log-query.dto.ts';
import { filterOf, mustReach, positionOf, readLog } from './log-reading.ts';

/** Token of a `LiveBudget`; for tests. */
export const LIVE_EVENTS_BUDGET = Symbol('live events budget');
/** Each holds a subscription and a socket. */
const MAX_LIVE_CLIENTS = 500;

@Controller('api/v1/events')
export class EventsController {
  readonly #log: EventReader;
  readonly #lifecycle: Lifecycle;
  readonly #budget: LiveBudget;
  #clients = 0;

  constructor(@Inject(EventReader) log: EventReader, @Inject(Lifecycle) lifecycle: Lifecycle, @Optional() @Inject(LIVE_EVENTS_BUDGET) budget?: LiveBudget) {
    this.#log = log;
    this.#lifecycle = lifecycle;
    this.#budget = budget ?? LIVE_BUDGET;
  }

  @Get()
  @Answers({
    summary: 'The log, oldest first',
    description: '`next` and `asOf` are positions; pass either as `after` to read on. A page of large events may hold fewer than `limit`.',
    schema: dto.eventList,
    volatile: ['asOf'],
    refusals: { 409: 'The position belongs to another log, or this log does not reach it' },
  })
  events(@FromQuery(dto.eventsQuery) query: dto.EventsQuery): Promise<object> {
    return readLog(this.#log, positionOf(this.#log, query.after, '/query/after') ?? START, filterOf(query), query.limit);
  }

  /** The signal ends it when the client leaves or the program does. */
  @Get('live')
  @Answers({
    summary: 'The log as it grows, as server-sent events',
    description: 'Never ends. `id:` is the position, `data:` the event; `event: caught-up` once the whole log was sent. Resumes by the header Last-Event-ID.',
    mediaType: 'text/event-stream',
    schema: dto.event,
    refusals: { 409: 'The position belongs to another log, or this log does not reach it', 429: 'Too many clients follow the log already' },
  })
  async live(@FromQuery(dto.liveQuery) query: dto.LiveQuery, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const last = request.headers['last-event-id'];
    const given = typeof last === 'string' && last !== '' ? positionOf(this.#log, last, '/header/Last-Event-ID') : positionOf(this.#log, query.after, '/query/after');
    const after = given ?? (await this.#log.head());
    await mustReach(this.#log, after);
    if (this.#clients >= MAX_LIVE_CLIENTS) throw new TooManyLiveClients();
    this.#clients += 1;
    reply.hijack();
    reply.raw.writeHead(200, { ...reply.getHeaders() as Record<string, string>, 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    try {
      await pumpLiveEvents(this.#log, { after, filter: filterOf(query), signal: this.#lifecycle.draining }, reply.raw, this.#budget);
    } catch {
      // The client is gone or was too slow, or the log ended: the connection is closed, and it resumes from its last id.
    } finally {
      this.#clients -= 1;
    }
  }
}

class TooManyLiveClients extends ChainfoldError {
  constructor() {
    super('Too many clients follow the log already', {
      code: 'too-many-live-clients',
      kind: 'throttled',
      retryable: true,
      facts: { limit: MAX_LIVE_CLIENTS },
      hint: 'Read GET /api/v1/events page by page, or try again later.',
    });
  }
}
