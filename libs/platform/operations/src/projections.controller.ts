import { Controller, Get, Inject, Post } from '@nestjs/common';
import { z } from 'zod';
import { EventReader } from '#platform/event-store';
import { Answers, FromBody, FromPath } from '#platform/http';
import { ChainfoldError } from '#platform/kernel';
import { ProjectionHost, type ProjectionStatus } from '#platform/projections';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,99}$/, 'Takes the name of a projection, like chain-explorer');
const byName = z.object({ name });
const reasonBody = z.strictObject({ reason: z.string().min(1).max(500).optional().describe('For who reads it later.') });
const keyBody = z.strictObject({ key: z.string().min(1).max(500).describe('A parked key.') });
const generationBody = z.strictObject({ generation: z.int().min(1).describe('As `generations` of the projection lists it.') });
const skipBody = keyBody.extend({ reason: z.string().min(1).max(500).describe('Why these events may be passed over; kept.') });
type Named = z.output<typeof byName>;

const status = z
  .looseObject({
    name: z.string(),
    version: z.int(),
    generation: z.int(),
    state: z.enum(['building', 'live', 'paused', 'failed']),
    position: z.string(),
    lagEvents: z.int().nullable(),
    lagSeconds: z.number(),
    parkedKeys: z.int(),
  })
  .meta({ id: 'Projection' });
const list = z.strictObject({ items: z.array(status), next: z.null(), asOf: z.string() });
const parkedList = z.strictObject({ items: z.array(z.looseObject({ key: z.string(), generation: z.int(), events: z.array(z.unknown()) })), next: z.null(), asOf: z.string() });
const retried = z.looseObject({ applied: z.int(), remaining: z.int() });
const begun = z.strictObject({ generation: z.int() });
const NOT_KEPT = { 404: 'There is no such projection, or the generation is not kept' };
const UNKNOWN = { 404: 'There is no such projection, or nothing is parked under that key' };

@Controller('api/v1/projections')
export class ProjectionsController {
  readonly #host: ProjectionHost;
  readonly #log: EventReader;

  constructor(@Inject(ProjectionHost) host: ProjectionHost, @Inject(EventReader) log: EventReader) {
    this.#host = host;
    this.#log = log;
  }

  @Get()
  @Answers({ summary: 'The read models: version, generation, position, lag', schema: list, volatile: ['asOf'] })
  async all(): Promise<object> {
    return { items: this.#host.status(), next: null, asOf: await this.#log.head() };
  }

  @Get(':name')
  @Answers({ summary: 'One read model', schema: status, refusals: UNKNOWN })
  one(@FromPath(byName) path: Named): ProjectionStatus {
    return this.#known(path.name);
  }

  @Post(':name/rebuild')
  @Answers({
    summary: 'Builds the read model anew beside the live one, then swaps',
    status: 202,
    schema: begun,
    refusals: { ...UNKNOWN, 409: 'A generation is being built already' },
  })
  async rebuild(@FromPath(byName) path: Named): Promise<object> {
    return { generation: await this.#host.rebuild(this.#known(path.name).name) };
  }

  @Post(':name/activate')
  @Answers({
    summary: 'Swaps back to the generation that is kept, once it has caught up; lets one go live that is held back',
    status: 202,
    schema: begun,
    refusals: { ...NOT_KEPT, 409: 'Another generation is being built' },
  })
  async activate(@FromPath(byName) path: Named, @FromBody(generationBody) body: z.output<typeof generationBody>): Promise<object> {
    await this.#host.activate(this.#known(path.name).name, body.generation);
    return body;
  }

  @Post(':name/retire')
  @Answers({ summary: 'Throws away the generation that is kept: the room is free again, and there is no way back', status: 202, schema: begun, refusals: NOT_KEPT })
  async retire(@FromPath(byName) path: Named, @FromBody(generationBody) body: z.output<typeof generationBody>): Promise<object> {
    await this.#host.retire(this.#known(path.name).name, body.generation);
    return body;
  }

  @Post(':name/pause')
  @Answers({ summary: 'Stands still until resumed, also over a restart', schema: status, refusals: UNKNOWN })
  async pause(@FromPath(byName) path: Named, @FromBody(reasonBody) body: z.output<typeof reasonBody>): Promise<ProjectionStatus> {
    await this.#host.pause(this.#known(path.name).name, body.reason);
    return this.#now(path.name);
  }

  @Post(':name/resume')
  @Answers({ summary: 'A paused read model goes on', schema: status, refusals: UNKNOWN })
  async resume(@FromPath(byName) path: Named): Promise<ProjectionStatus> {
    await this.#host.resume(this.#known(path.name).name);
    return this.#now(path.name);
  }

  @Get(':name/parked')
  @Answers({ summary: 'Events that could not be applied, and those that wait behind them, by key', schema: parkedList, volatile: ['asOf'], refusals: UNKNOWN })
  async parked(@FromPath(byName) path: Named): Promise<object> {
    return { items: await this.#host.parked(this.#known(path.name).name), next: null, asOf: await this.#log.head() };
  }

  @Post(':name/parked/retry')
  @Answers({ summary: 'Applies the events of a parked key again, in order', schema: retried, refusals: UNKNOWN })
  retry(@FromPath(byName) path: Named, @FromBody(keyBody) body: z.output<typeof keyBody>): Promise<object> {
    return this.#host.retry(this.#known(path.name).name, body.key);
  }

  @Post(':name/parked/skip')
  @Answers({ summary: 'Passes over the event that fails and applies those behind it', schema: retried, refusals: UNKNOWN })
  skip(@FromPath(byName) path: Named, @FromBody(skipBody) body: z.output<typeof skipBody>): Promise<object> {
    return this.#host.skip(this.#known(path.name).name, body.key, body.reason);
  }

  async #now(wanted: string): Promise<ProjectionStatus> {
    await this.#host.refresh();
    return this.#known(wanted);
  }

  #known(wanted: string): ProjectionStatus {
    const found = this.#host.status().find((one) => one.name === wanted);
    if (found !== undefined) return found;
    throw new ChainfoldError('There is no projection of that name', {
      code: 'no-such-projection',
      kind: 'missing',
      facts: { projection: wanted },
      hint: 'GET /api/v1/projections lists them.',
    });
  }
}
