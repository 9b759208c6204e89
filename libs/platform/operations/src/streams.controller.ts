import { Controller, Get, Inject } from '@nestjs/common';
import { EventReader } from '#platform/event-store';
import { Answers, FromPath, FromQuery, sealed } from '#platform/http';
import { ChainfoldError, parseStreamName } from '#platform/kernel';
import * as dto from './log-query.dto.ts';
import { readStream } from './log-reading.ts';

@Controller('api/v1/streams')
export class StreamsController {
  readonly #log: EventReader;

  constructor(@Inject(EventReader) log: EventReader) {
    this.#log = log;
  }

  @Get()
  @Answers({ summary: 'Streams of the log by name', schema: dto.streamList, volatile: ['asOf'] })
  async streams(@FromQuery(dto.streamsQuery) { limit, after, category }: dto.StreamsQuery): Promise<object> {
    const asOf = await this.#log.head();
    const found = await this.#log.listStreams({ limit: limit + 1, ...(category === undefined ? {} : { category }), ...(after === undefined ? {} : { after: after[0] }) });
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return sealed('streams', { items, next: found.length > limit && last !== undefined ? [last.stream] : null, asOf });
  }

  @Get(':stream')
  @Answers({ summary: 'Events of one stream, oldest first', description: 'A page of large events may hold fewer than `limit`.', schema: dto.eventList, volatile: ['asOf'], refusals: { 404: 'There is no such stream' } })
  async stream(@FromPath(dto.streamPath) path: { stream: string }, @FromQuery(dto.streamQuery) { limit, after }: dto.StreamQuery): Promise<object> {
    const stream = parseStreamName(path.stream);
    const asOf = await this.#log.head();
    const from = after === undefined ? 0 : after[0] + 1;
    const { items, more } = await readStream(this.#log, stream, from, limit);
    if (items.length === 0 && (await this.#log.lastRevision(stream)) < 0) throw new StreamUnknown(stream);
    const last = items.at(-1);
    return sealed('stream', { items, next: more && last !== undefined ? [last.revision] : null, asOf });
  }
}

class StreamUnknown extends ChainfoldError {
  constructor(stream: string) {
    super('There is no such stream', { code: 'stream-unknown', kind: 'missing', facts: { stream }, hint: 'GET /api/v1/streams lists them.' });
  }
}
