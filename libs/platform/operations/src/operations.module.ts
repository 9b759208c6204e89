import { Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { EventReader } from '#platform/event-store';
import { ProjectionHost } from '#platform/projections';
import { EventsController, LIVE_EVENTS_BUDGET } from './events.controller.ts';
import { HealthModule } from './health.module.ts';
import type { LiveBudget } from './live-events.ts';
import { servePage } from './page.ts';
import { ProjectionsController } from './projections.controller.ts';
import { StreamsController } from './streams.controller.ts';

export interface OperationsOptions {
  readonly log: EventReader;
  readonly projections: ProjectionHost;
  /** Folder of the built page; left out: none is served. */
  readonly pageDir?: string;
  readonly liveBudget?: LiveBudget;
}

const PAGE_DIR = Symbol('page directory');

/** What every program offers beside its business: the log, the projections, health, metrics, the page. */
@Module({})
export class OperationsModule implements OnModuleInit {
  readonly #http: HttpAdapterHost<FastifyAdapter>;
  readonly #pageDir: string | null;

  constructor(@Inject(HttpAdapterHost) http: HttpAdapterHost<FastifyAdapter>, @Inject(PAGE_DIR) pageDir: string | null) {
    this.#http = http;
    this.#pageDir = pageDir;
  }

  static async register({ log, projections, pageDir, liveBudget }: OperationsOptions): Promise<DynamicModule> {
    return {
      module: OperationsModule,
      imports: [await HealthModule.register()],
      controllers: [StreamsController, EventsController, ProjectionsController],
      providers: [
        { provide: EventReader, useValue: log },
        { provide: ProjectionHost, useValue: projections },
        { provide: PAGE_DIR, useValue: pageDir ?? null },
        ...(liveBudget === undefined ? [] : [{ provide: LIVE_EVENTS_BUDGET, useValue: liveBudget }]),
      ],
    };
  }

  async onModuleInit(): Promise<void> {
    if (this.#pageDir !== null) await servePage(this.#http.httpAdapter.getInstance<FastifyInstance>(), this.#pageDir);
  }
}
