import { Module, type DynamicModule } from '@nestjs/common';
import { ActorSystem } from '#platform/actors';
import { EventReader, EventStore } from '#platform/event-store';
import { ProjectionHost } from '#platform/projections';
import { ReadStore } from '#platform/read-store';
import type { Backbone } from './backbone.ts';

/** The parts of the backbone, each under its own class, for every module of the program. */
@Module({})
export class BackboneModule {
  static of(backbone: Backbone): DynamicModule {
    const providers = [
      { provide: EventReader, useValue: backbone.store },
      { provide: EventStore, useValue: backbone.store },
      { provide: ActorSystem, useValue: backbone.actors },
      { provide: ProjectionHost, useValue: backbone.projections },
      { provide: ReadStore, useValue: backbone.reads },
    ];
    return { module: BackboneModule, global: true, providers, exports: providers };
  }
}
