import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { defer, from, switchMap, type Observable } from 'rxjs';
import { atLeast, InvalidRequest, parseRequest } from '#platform/http';
import { ChainfoldError } from '#platform/kernel';
import { z } from 'zod';
import { ChainExplorer } from '../ports/chain-explorer.port.ts';

const query = z.object({ atLeast });

/** `?atLeast=`: a client that commanded reads its own write. */
@Injectable()
export class AtLeast implements NestInterceptor {
  readonly #explorer: ChainExplorer;

  constructor(explorer: ChainExplorer) {
    this.#explorer = explorer;
  }

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { atLeast: position } = parseRequest('query', query, { ...(request.query as object) });
    if (position === undefined) return next.handle();
    return defer(() => from(this.#reached(position))).pipe(switchMap(() => next.handle()));
  }

  async #reached(position: string): Promise<void> {
    try {
      await this.#explorer.visible(position);
    } catch (error) {
      if (!(error instanceof ChainfoldError) || error.code !== 'invalid-position') throw error;
      throw new InvalidRequest([{ pointer: '/query/atLeast', detail: `${error.message}. ${error.hint ?? ''}`.trim() }]);
    }
  }
}
