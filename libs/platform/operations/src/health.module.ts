import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { metricsModule } from '#platform/observability';
import { HealthController } from './health.controller.ts';

/** What whoever watches a process asks of every one: health and metrics. */
@Module({})
export class HealthModule {
  static async register(): Promise<DynamicModule> {
    return { module: HealthModule, imports: [TerminusModule.forRoot({ logger: false }), await metricsModule()], controllers: [HealthController] };
  }
}
