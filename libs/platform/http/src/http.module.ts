import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, DiscoveryModule } from '@nestjs/core';
import { ACCESS_TOKENS, AccessGuard, type AccessToken } from './access-guard.ts';
import { ConditionalRead } from './conditional-read.ts';
import { API_INFO, DocumentationController } from './documentation.controller.ts';
import type { ApiInfo } from './openapi.ts';
import { ProblemFilter } from './problem-filter.ts';
import { RouteTable } from './route-table.ts';

export interface HttpOptions {
  readonly info: ApiInfo;
  /** None: everybody on this machine may do everything. Off the loopback interface settings demand at least one. */
  readonly accessTokens: readonly AccessToken[];
}

/** Refusals, access, versions and documentation for every controller of the program. Use with `createHttpAdapter()`. */
@Module({})
export class HttpModule {
  static register(options: HttpOptions): DynamicModule {
    return {
      module: HttpModule,
      imports: [DiscoveryModule],
      controllers: [DocumentationController],
      providers: [
        RouteTable,
        { provide: API_INFO, useValue: options.info },
        { provide: ACCESS_TOKENS, useValue: options.accessTokens },
        { provide: APP_FILTER, useFactory: (routes: RouteTable) => new ProblemFilter(routes), inject: [RouteTable] },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_INTERCEPTOR, useClass: ConditionalRead },
      ],
      exports: [RouteTable],
    };
  }
}
